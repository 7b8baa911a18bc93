#!/bin/sh
# Says once, in the container's log, that a database of the past does not know today's password: refused.sh NAME COMMAND, where
# COMMAND is what changes it inside.
set -eu

key=$(echo "$1" | tr '[:lower:]' '[:upper:]')
if mkdir /tmp/refused 2>/dev/null; then
    version=$(readlink /tmp/data)
    echo "${key}_PASSWORD (or ${key}_USER) in .env is not what data/$1/${version##*/} was made with. Put that back, or change it inside: ./sh -s $1 $2" |
        tee /proc/1/fd/2 2>/dev/null
fi
exit 1
