#!/bin/sh
# For activate and activate.fish. Makes the first links in data/bin; the container adds one for each command of its
# environment when it starts. Prints the container's user ID and group ID, and on a second line the project's folder.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)
mkdir -p "$root/data/bin"
for name in python python3 pip uv; do
    [ -L "$root/data/bin/$name" ] || ln -s ../../sh "$root/data/bin/$name"
done
# shellcheck source=/dev/null
. "$root/.drydock/host/project.sh"
container_user
find_untracked
printf '%s\n' "$HOST_UID $HOST_GID" "$root"
