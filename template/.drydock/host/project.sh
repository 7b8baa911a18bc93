#!/bin/sh
# What the scripts of this folder and ./sh know of the project in $root: its settings, its user, its untracked files.
# shellcheck disable=SC2154 # the script that sources this file sets root

# --- Settings, as Compose reads them: from the shell, else .env, else the defaults in its files

# The value of its last line in .env, without quotes or a comment
in_env_file() {
    sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*[=:][[:space:]]*//p" "$root/.env" 2>/dev/null | tail -n 1 | tr -d '\r' \
        | sed -e "s/^'\([^']*\)'.*/\1/" -e t -e 's/^"\([^"]*\)".*/\1/' -e t -e 's/^#.*//' -e 's/[[:space:]]#.*//' -e 's/[[:space:]]*$//'
}

default_of() { sed -n "s/.*[\$]{$1:-\([^}]*\)}.*/\1/p" "$root/compose.yaml" "$root"/include/*.yaml 2>/dev/null | head -n 1; }

# All settings that have a default, one a line: KEY DEFAULT
defaults() {
    cat "$root/compose.yaml" "$root"/include/*.yaml 2>/dev/null | awk '{
        while (match($0, /[$][{][A-Z][A-Z0-9_]*:-[^${}]*/)) {
            print substr($0, RSTART + 2, RLENGTH - 2)
            $0 = substr($0, RSTART + RLENGTH)
        }
    }' | sed 's/:-/ /' | sort -u
}

# Where a value comes from. An empty value means the default. A value in the shell hides the one in .env
origin() {
    if eval "[ -n \"\${$1+set}\" ]"; then
        if eval "[ -n \"\$$1\" ]"; then echo "your shell"; fi
    elif [ -n "$(in_env_file "$1")" ]; then
        echo .env
    fi
}

setting() {
    case $(origin "$1") in
        .env) in_env_file "$1" ;;
        '') default_of "$1" ;;
        *) eval "printf '%s\n' \"\$$1\"" ;;
    esac
}

# Prints the folder of the code, or an error on standard error
code_folder() {
    folder=$(setting PROJECT)
    (cd "$root/$folder" 2>/dev/null && pwd -P) && return
    case $(origin PROJECT) in
        .env) echo "PROJECT is $folder in .env, and there is no such folder here: correct it" ;;
        '') echo "There is no folder $folder, the answer project_dir: move the code there, or copier update --vcs-ref=:current: -d project_dir=FOLDER" ;;
        *) echo "PROJECT is $folder in your shell, and there is no such folder here: unset PROJECT" ;;
    esac >&2
    return 1
}

# --- The user

# Sets HOST_UID and HOST_GID, the container's user: you, or the owner of the project's folder if root calls. In a rootless
# engine, root is you. Refuses a $root that Docker or PATH cannot handle
container_user() {
    case $root in
        *:* | *"
"*) echo "Rename the project's folder or the one around it: Docker and PATH allow no colon in a path, ./sh no line break" >&2; exit 2 ;;
    esac
    HOST_UID=${HOST_UID:-$(id -u)} HOST_GID=${HOST_GID:-$(id -g)}
    if [ "$HOST_UID" = 0 ]; then
        # shellcheck disable=SC2012 # numbers only
        HOST_GID=$(ls -ldn "$root" | awk '{ print $4 }') HOST_UID=$(ls -ldn "$root" | awk '{ print $3 }')
    fi
    case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in
        *name=rootless*) HOST_UID=0 HOST_GID=0 ;;
    esac
    export HOST_UID HOST_GID
}

# --- Untracked files

# Sets untracked to the skeleton's files that git ignores: clones lack them, `copier update` would delete or reset them.
# While there are any, data/bin/.untracked makes an update do nothing. kept_files in the answers lists the user's own
find_untracked() {
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
}
