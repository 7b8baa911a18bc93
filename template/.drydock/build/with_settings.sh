#!/bin/sh
# Runs a command with the settings of build.env, if there is one: with_settings.sh COMMAND...
set -eu

# Older skeletons call it import.env
for file in /tmp/build.env /tmp/import.env; do
    [ -e "$file" ] || continue
    while read -r line || [ -n "$line" ]; do
        case $line in
            "#"*) ;;
            *=*) set -- "${line%"$(printf '\r')"}" "$@" ;;
        esac
    done <"$file"
done
exec env "$@"
