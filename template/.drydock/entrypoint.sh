#!/bin/sh
# While you develop, the container runs as you: gives your user id a name, or says why that cannot work.
set -eu

if ! id -un >/dev/null 2>&1; then
    echo "app:x:$(id -u):$(id -g)::$HOME:/bin/bash" >>/etc/passwd
fi

# What is missing in a clone, the engine makes, as root
if [ "$(id -u)" = 0 ] && [ "$(stat -c %u /data)" = 0 ]; then chown --reference=/app /data; fi

for folder in /app /data; do
    if [ ! -w "$folder" ]; then
        owner=$(stat -c %u "$folder")
        if [ "$folder,$owner" = /data,0 ]; then
            echo "User $(id -u) may not write data/, which is root's: ./sh --root chown $(id -u):$(id -g) /data" >&2
        else
            echo "User $(id -u) may not write $folder. If its owner is you: export $(stat -c 'HOST_UID=%u HOST_GID=%g' "$folder"), and start again. Else make the folder yours, on the host." >&2
        fi
        exit 1
    fi
done

# See data.sh and data.py
if [ -e /data/.drydock-busy ] && ! flock -n /data true; then
    echo "$(cat /data/.drydock-busy) is under way. Start again when it has ended." >&2
    exit 1
elif [ -e /data/.drydock-half ]; then
    echo "$(cat /data/.drydock-half) was cut off half-way. Type ./sh --finish, and start again." >&2
    exit 1
fi

# The versions that the image holds, where the project has yet to pin any
if [ -e /opt/uv.lock ] && [ ! -e /app/uv.lock ]; then
    cp --preserve=timestamps /opt/uv.lock /app/
    [ "$(id -u)" != 0 ] || chown --reference=/app /app/uv.lock
fi

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
