#!/bin/sh
# Finds files of the skeleton in $root that git ignores: clones lack them, `copier update` would delete or reset them.
# While there are any, data/bin/.untracked makes an update do nothing. kept_files in the answers lists the user's own.
# shellcheck disable=SC2154 # the script that sources this file sets root
{
    if untracked=$(
        cd "$root"
        files=$(awk 'FNR == NR { if (/^[^-]/) on = /^kept_files:/; else if (on) kept[substr($0, 3)]; next } !($0 in kept)' \
            "$(head -n 1 .drydock/files)" .drydock/files)
        # shellcheck disable=SC2086 # one word a file
        git ls-files --others --ignored --exclude-standard -- ${files:?}
    ); then
        if [ -n "$untracked" ]; then
            mkdir -p "$root/data/bin" && touch "$root/data/bin/.untracked"
        else
            rm -f "$root/data/bin/.untracked"
        fi
    fi
} 2>/dev/null || true
