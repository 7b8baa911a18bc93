#!/bin/sh
# What is in data/: ./sh --snapshot NAME keeps it in data/snapshots/, --restore NAME brings it back, --reset [SERVICE] empties it;
# --yes asks nothing. Services that run are stopped meanwhile. Settings, history, logs and snapshots are left alone.
set -eu

die() { printf '%s\n' "$*" >&2; exit 2; }

action=
name=
yes=
for word; do
    case $word in
        --yes) yes=yes ;;
        --snapshot | --restore | --reset) action=${word#--} ;;
        -*) die "./sh --$action knows no option $word" ;;
        *) [ -z "$name" ] || die "./sh --$action takes one name, not $name and $word"; name=$word ;;
    esac
done

cd "$(dirname "$0")/.."
root=$(pwd -P)
# shellcheck source=/dev/null
. "$root/.drydock/user.sh"

there_are() {
    printf 'There are:'
    for file in data/snapshots/*.tar.gz; do [ ! -e "$file" ] || printf ' %s' "$(basename "$file" .tar.gz)"; done
}
if [ "$action" != reset ]; then
    case $name in
        '') die "./sh --$action takes the name of a snapshot. $(there_are)" ;;
        [.-]* | *[!a-zA-Z0-9._-]*) die "A snapshot's name is made of letters, digits, and . _ - after the first: not $name" ;;
    esac
fi
snapshot=data/snapshots/$name.tar.gz

ask() {
    if [ -n "$yes" ]; then return; fi
    [ -t 0 ] || die "$1 There is no terminal to ask at, so nothing was done. If it is meant, add --yes"
    printf '%s [y/N] ' "$1" >&2
    read -r answer
    case $answer in
        [yY]*) ;;
        *) die "Nothing was done" ;;
    esac
}

# The services' folders below data/: of one, or of all
folders() {
    docker compose --profile '*' config | awk -f .drydock/services.awk \
        | awk -F '\t' -v below="$root/data/" -v service="$1" '
            $2 == "bind" && (service == "" || $1 == service) && index($3, below) == 1 { print substr($3, length(below) + 1) }'
}
folders=$(folders "$([ "$action" != reset ] || echo "$name")")

case $action in
    snapshot) [ ! -e "$snapshot" ] || ask "There is a snapshot $name: overwrite it?" ;;
    restore)
        [ -e "$snapshot" ] || die "There is no snapshot $name. $(there_are)"
        ask "What is in data/ now will be lost, snapshots aside. Go on?"
        ;;
    reset)
        if [ -n "$name" ]; then
            [ -n "$folders" ] || die "$name is no service with a folder in data/. There are: $(folders '' | sed 's#/.*##' | sort -u | tr '\n' ' ')"
            # shellcheck disable=SC2086 # one word a folder
            ask "$(printf 'data/%s ' $folders)will be emptied. Go on?"
        else
            ask "All that is in data/ will be lost, snapshots aside. Go on?"
        fi
        ;;
esac

compose() { docker compose --progress quiet --profile '*' "$@"; }
running=$(compose ps --services --status running --status restarting)
resume() {
    status=$?
    # shellcheck disable=SC2086 # one word a service
    [ -z "$running" ] || compose start $running || status=1
    exit "$status"
}
trap resume EXIT
trap 'exit 130' HUP INT TERM
# shellcheck disable=SC2086 # one word a service
[ -z "$running" ] || compose stop $running

# As root, since each service's files may be another user's. What is moved stays in the folder that is mounted, so no copy is made
# shellcheck disable=SC2016,SC2086 # for the shell inside; one word a folder
compose run --rm --no-deps --no-TTY --user 0:0 --entrypoint sh app -euc '
    action=$1 name=$2
    shift 2
    cd /data
    entries() { ls -A | grep -vxE "snapshots|bin|logs|site-packages|local\.env|\.gitignore|\.bash_history|\.restoring|\.coming|\.replaced|\.removing" || true; }
    # Puts each of the names that it reads into a folder
    move() { while IFS= read -r entry; do mv "$1/$entry" "$2/"; done; }
    # .coming is there once all that was there before is in .replaced
    bring_back() {
        set +e
        mkdir -p .restoring
        if [ -e .coming ]; then entries | move . .restoring; fi
        ls -A .replaced | move .replaced .
        rmdir .replaced && rm -rf .coming .restoring
        set -e
    }

    if [ -e .replaced ]; then
        bring_back
        [ ! -e .replaced ] || exit 1
        echo "A restore was cut off. What was there before is back." >&2
    fi
    rm -rf .restoring .coming .removing
    case $action in
        snapshot)
            mkdir -p snapshots
            trap "rm -f snapshots/.part" EXIT
            entries | tar --create --gzip --numeric-owner --verbatim-files-from --files-from=- --file=snapshots/.part
            chown --reference=/data snapshots snapshots/.part
            mv snapshots/.part "snapshots/$name.tar.gz"
            ;;
        restore)
            trap "rm -rf .restoring" EXIT
            mkdir .restoring
            tar --extract --gzip --numeric-owner --same-owner --preserve-permissions --file="snapshots/$name.tar.gz" --directory=.restoring
            # From here on, what was there before comes back if anything fails
            trap bring_back EXIT
            mkdir .replaced
            entries | move . .replaced
            mv .restoring .coming
            ls -A .coming | move .coming .
            mv .replaced .removing
            trap - EXIT
            rm -rf .coming .removing
            ;;
        reset)
            if [ -n "$name" ]; then
                for folder; do find "$folder" -mindepth 1 -depth ! -name .gitkeep \( ! -type d -o -empty \) -delete; done
            else
                entries | while IFS= read -r entry; do find "$entry" -depth ! -name .gitkeep \( ! -type d -o -empty \) -delete; done
            fi
            ;;
    esac
    # A folder that is missing, the engine would make, for root
    for folder; do
        while [ ! -d "$folder" ]; do
            missing=$folder
            while [ ! -d "$(dirname "$missing")" ]; do missing=$(dirname "$missing"); done
            mkdir "$missing"
            chown --reference=/data "$missing"
        done
    done
' sh "$action" "$name" $folders </dev/null || {
    if [ "$action" = reset ]; then as=; else as=", and data/ is as it was"; fi
    echo "./sh --$action failed, see above$as" >&2
    exit 1
}

case $action in
    snapshot) echo "$snapshot: $(du -h "$snapshot" | cut -f 1)" ;;
    restore) echo "data/ is as in $snapshot" ;;
    reset) echo "data/${name:+ of $name} is empty" ;;
esac
