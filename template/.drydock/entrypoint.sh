#!/bin/sh
# While you develop, the container runs as you: gives your user id a name, or says why that cannot work.
set -eu

if ! id -un >/dev/null 2>&1; then
    echo "app:x:$(id -u):$(id -g)::$HOME:/bin/bash" >>/etc/passwd
fi

for folder in /app /data; do
    if [ ! -w "$folder" ]; then
        owner=$(stat -c 'HOST_UID=%u HOST_GID=%g' "$folder")
        echo "User $(id -u) may not write $folder. If its owner is you: export $owner, and start again. Else make the folder yours, on the host." >&2
        exit 1
    fi
done

# For ./activate: a link to ./sh for each command of the environment, and none that is stale. And the history that shells share.
# Where root began, they are the folder's owner's. Not worth a start that fails
{
    mkdir -p /data/bin
    for command in /opt/venv/bin/* /usr/local/bin/uv; do
        link=/data/bin/${command##*/}
        [ ! -x "$command" ] || [ -L "$link" ] || ln -s ../../sh "$link"
    done
    for link in /data/bin/*; do
        [ -x "/opt/venv/bin/${link##*/}" ] || [ "$link" = /data/bin/uv ] || rm -f "$link"
    done
    touch /data/.bash_history
    [ "$(id -u)" != 0 ] || chown -h --reference=/data /data/.bash_history /data/bin /data/bin/*
} 2>/dev/null || true

exec "$@"
