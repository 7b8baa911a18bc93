#!/bin/sh
# The development container runs as your user: gives your user ID a name, or tells why that cannot work.
set -eu

if ! id -un >/dev/null 2>&1; then
    echo "app:x:$(id -u):$(id -g)::$HOME:/bin/bash" >>/etc/passwd
fi

# If data/ is missing, as in a clone, the engine creates it as root
if [ "$(id -u)" = 0 ] && [ "$(stat -c %u /data)" = 0 ]; then chown --reference=/app /data; fi

for folder in /app /data; do
    if [ ! -w "$folder" ]; then
        owner=$(stat -c %u "$folder")
        if [ "$folder,$owner" = /data,0 ]; then
            echo "User $(id -u) may not write data/, which is owned by root: ./sh --root chown $(id -u):$(id -g) /data" >&2
        else
            echo "User $(id -u) may not write $folder. If you are its owner: export $(stat -c 'HOST_UID=%u HOST_GID=%g' "$folder"), and start again. If not, make yourself its owner, on the host." >&2
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

# If the project has no uv.lock yet, it gets the versions that the image was built with
if [ -e /opt/uv.lock ] && [ ! -e /app/uv.lock ]; then
    cp --preserve=timestamps /opt/uv.lock /app/
    [ "$(id -u)" != 0 ] || chown --reference=/app /app/uv.lock
fi

# What installing the project writes beside its code, such as extension modules; newer files are kept
if [ -d /opt/app ]; then
    cp --recursive --update --preserve=timestamps /opt/app/. /app
    [ "$(id -u)" != 0 ] || (cd /opt/app && find . -type f -exec chown --reference=/app /app/{} +)
fi

# For ./activate: a link to ./sh for each command of the environment, no stale ones. And the shells' shared history.
# If root makes them, they get the owner of the folder. An error here must not stop the container
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

# For editors: the sources of the environment's packages, copied when a package was added, changed or removed
{
    packages=$(readlink /opt/venv/site-packages)
    mirror=/data/site-packages
    now=$(cd "$packages" && stat -c '%n %Y' -- *.dist-info | cksum)
    if [ "$now" != "$(cat $mirror/.packages)" ]; then
        find /data -maxdepth 1 -name 'site-packages.*' -mmin +10 -exec rm -r {} +
        new=$(mktemp -d $mirror.XXXXXX) && (
            cd "$packages"
            find . -type d '(' -name __pycache__ -o -name tests ')' -prune -o -type f -regex '.*\.\(py\|pyi\|html\)\|.*/\(py.typed\|METADATA\)' -print0
        ) | tar -C "$packages" -c --null -T - | tar -C "$new" -x && echo "$now" >"$new/.packages" && chmod 755 "$new" \
            && { [ "$(id -u)" != 0 ] || chown -R --reference=/data "$new"; } && rm -rf $mirror && mv -T "$new" $mirror
    fi
} 2>/dev/null || true

exec "$@"
