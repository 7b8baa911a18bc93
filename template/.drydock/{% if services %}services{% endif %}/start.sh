#!/bin/sh
# Starts a service: start.sh FOLDER VERSION COMMAND [ARGUMENT...]. Each major version has a folder in FOLDER, which the
# command finds as /tmp/data. If it cannot start, one line says why.
set -eu

fail() { echo "$*" >&2; exit 1; }

folder=$1 version=${2#v}
shift 2
if [ ! -w "$folder" ]; then
    owner=$(stat -c %u "$folder")
    # The engine creates a missing folder as root. The folder's name on the host is in its mount
    [ "$owner" != 0 ] || fail "User $(id -u) may not write this service's folder in data/, which is owned by root: ./sh --root chown -R $(id -u):$(id -g) /data/$(sed -n "s#.*/\([^/ ]*\) $folder .*#\1#p" /proc/self/mountinfo)"
    fail "User $(id -u) may not write this service's folder in data/, which is owned by user $owner. As that user, on the host: export HOST_UID=\$(id -u) HOST_GID=\$(id -g), and start again."
fi
# ./sh --snapshot, --restore and --reset lock this folder while they work. A change that was cut off leaves the second
if [ -e "$folder/.drydock-busy" ] && ! flock -n "$folder" true 2>/dev/null; then
    fail "$(cat "$folder/.drydock-busy") is under way. Start again when it has ended."
elif [ -e "$folder/.drydock-half" ]; then
    fail "$(cat "$folder/.drydock-half") was cut off half-way. Type ./sh --finish, and start again."
fi
left=$(df -Pk "$folder" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)
if [ "$left" -lt 10240 ]; then
    fail "The disk of data/ is full: $left KiB are left. Make room there, and start again."
fi
mkdir -p "$folder/${version%%[.-]*}"
ln -sfn "$folder/${version%%[.-]*}" /tmp/data
exec "$@"
