#!/bin/sh
# For ./sh --doctor: checks the files that builds get, and prints one problem a line: context.sh FOLDER_OF_THE_CODE
set -eu

cd "$(dirname "$0")/../.."
code=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first three lines of a file, as a list
few() { awk '{ if (NR < 4) list = list (NR > 1 ? ", " : "") $0 } END { print list (NR > 3 ? " and " NR - 3 " more" : "") }' "$1"; }
# The lines of the first file that are in no other file
only() { awk 'FILENAME != ARGV[ARGC - 1] { other[$0]; next } !($0 in other)' "$2" "${3:-/dev/null}" "$1"; }
# The files of the code that match patterns, tracked or not
matching() {
    (cd "$code" && git --git-dir="$work/git" --work-tree=. -c core.quotePath=false ls-files --others --ignored --exclude-from="$work/$1" 2>/dev/null)
}

dockerfile=$(sed -n 's/^  dockerfile: //p' compose.yaml | head -n 1)
ignore=${dockerfile:-Dockerfile}.dockerignore
if [ ! -e "$ignore" ]; then
    ignore=.dockerignore
    if ! said=$(printf 'FROM scratch\nCOPY build.sh .drydock/build/network.sh /\n' | docker buildx build --output "$work/out" --file - . 2>&1); then
        case $said in
            *"not found"*) echo "$ignore keeps build.sh and .drydock out of builds: add the lines !build.sh and !.drydock/** at its end" ;;
        esac
    fi
fi

if git -C "$code" rev-parse --git-dir >/dev/null 2>&1; then
    git init --quiet --bare "$work/git"
    # The same patterns as git writes them, relative to the code's folder
    cat "$ignore" 2>/dev/null | tr -d '\r' | awk -v code="$code/" '
        /^#/ || !NF { next }
        { not = sub(/^!/, "") ? "!" : ""; sub(/^\.?\/+/, "") }
        code == "./" || /^\*/ { print not "/" $0; next }
        index($0, code) == 1 { print not "/" substr($0, length(code) + 1) }' >"$work/dockerignore"
    sed '/^#/d' .drydock/build/unshipped.txt >"$work/unshipped"
    grep -e '^[^/]' -e '^/data$' -e '^/media$' "$work/unshipped" >"$work/private"
    for list in dockerignore unshipped private; do matching $list >"$work/$list.files"; done
    git -C "$code" -c core.quotePath=false ls-files --others --ignored --exclude-standard >"$work/ignored.files"
    only "$work/ignored.files" "$work/dockerignore.files" "$work/unshipped.files" >"$work/ships"
    only "$work/private.files" "$work/dockerignore.files" >"$work/sent"
    [ ! -s "$work/ships" ] || echo "git ignores files that images built here get, but images of a clean clone lack: add $(few "$work/ships") to $ignore"
    [ ! -s "$work/sent" ] || echo "$ignore sends $(few "$work/sent") to every build, but no image contains them: add them to $ignore"
fi
