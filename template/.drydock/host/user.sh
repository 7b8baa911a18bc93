#!/bin/sh
# shellcheck disable=SC2154 # the script that sources this file sets root
# Refuses a $root that Docker or PATH cannot handle.
case $root in
    *:* | *"
"*) echo "Rename the project's folder or the one around it: Docker and PATH allow no colon in a path, ./sh no line break" >&2; exit 2 ;;
esac
# The container's user: you, or the owner of the project's folder if root calls. In a rootless engine, root is you.
HOST_UID=${HOST_UID:-$(id -u)} HOST_GID=${HOST_GID:-$(id -g)}
if [ "$HOST_UID" = 0 ]; then
    # shellcheck disable=SC2012 # numbers only
    HOST_GID=$(ls -ldn "$root" | awk '{ print $4 }') HOST_UID=$(ls -ldn "$root" | awk '{ print $3 }')
fi
case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in
    *name=rootless*) HOST_UID=0 HOST_GID=0 ;;
esac
export HOST_UID HOST_GID
