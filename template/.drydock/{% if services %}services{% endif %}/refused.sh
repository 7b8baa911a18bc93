#!/bin/sh
# Says once, in the container's log, that an existing database has another password than .env: refused.sh NAME COMMAND,
# where COMMAND changes it in the database.
set -eu

key=$(echo "$1" | tr '[:lower:]' '[:upper:]')
if mkdir /tmp/refused 2>/dev/null; then
    version=$(readlink /tmp/data)
    echo "${key}_PASSWORD (or ${key}_USER) in .env is not the one that data/$1/${version##*/} was created with. Restore the old one, or change it in the database: ./sh -s $1 $2" |
        tee /proc/1/fd/2 2>/dev/null
fi
exit 1
