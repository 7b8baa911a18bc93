#!/bin/sh
# Who the container is to be: you, or the owner of the project's folder ($root) where root calls. In a rootless engine its root is you.
HOST_UID=${HOST_UID:-$(id -u)} HOST_GID=${HOST_GID:-$(id -g)}
if [ "$HOST_UID" = 0 ]; then
    # shellcheck disable=SC2012,SC2154 # numbers only; whoever reads this file sets root
    HOST_GID=$(ls -ldn "$root" | awk '{ print $4 }') HOST_UID=$(ls -ldn "$root" | awk '{ print $3 }')
fi
case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in
    *name=rootless*) HOST_UID=0 HOST_GID=0 ;;
esac
export HOST_UID HOST_GID
