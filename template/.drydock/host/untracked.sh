#!/bin/sh
# What git ignores of the skeleton in $root: a clone lacks it, and `copier update` would delete it or reset it. While there is
# such a file, data/bin/.untracked keeps an update from doing anything. The answers name what is the user's own.
# shellcheck disable=SC2154 # whoever reads this file sets root
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
