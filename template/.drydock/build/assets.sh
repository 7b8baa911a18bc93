#!/bin/sh
# Runs a section assets of build.sh, as production's user, in the folder of the code: assets.sh SECTION. What it makes there and
# in the user's home is left in /made, but for Node's packages and caches.
set -eu

mkdir -p /made/app /made/home/app
if [ ! -e "$1" ]; then exit; fi
chown 1000:1000 /app /home/app
touch /tmp/start
export PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 YARN_CACHE_FOLDER=/tmp/yarn npm_config_cache=/tmp/npm
if ! setpriv --reuid=1000 --regid=1000 --clear-groups sh /tmp/with_settings.sh sh "$1"; then
    echo "build.sh, section assets, failed: see above. It has production's packages, the OS packages of build and run, and build.env" >&2
    exit 1
fi
find /app /home/app \( -name node_modules -o -name .pnpm-store \) -prune -o \
    \( -type f -o -type l \) -cnewer /tmp/start -exec cp --archive --parents --target-directory=/made {} +
