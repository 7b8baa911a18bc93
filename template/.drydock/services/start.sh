#!/bin/sh
# Starts a service: start.sh FOLDER VERSION COMMAND [ARGUMENT...]. Each major version has a folder of its own in FOLDER, which
# the command finds as /tmp/data; or one line says why that cannot work.
set -eu

fail() { echo "$*" >&2; exit 1; }

folder=$1 version=${2#v}
shift 2
if [ ! -w "$folder" ]; then
    fail "User $(id -u) may not write this service's folder in data/, which is user $(stat -c %u "$folder")'s. As that user, on the host: export HOST_UID=\$(id -u) HOST_GID=\$(id -g), and start again."
fi
left=$(df -Pk "$folder" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)
if [ "$left" -lt 10240 ]; then
    fail "The disk of data/ is full: $left KiB are left. Make room there, and start again."
fi
mkdir -p "$folder/${version%%[.-]*}"
ln -sfn "$folder/${version%%[.-]*}" /tmp/data
exec "$@"
