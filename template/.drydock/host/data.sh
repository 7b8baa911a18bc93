#!/bin/sh
# ./sh --snapshot NAME saves data/ in data/snapshots/, --restore NAME restores it, --reset [SERVICE] empties it. --yes
# skips the question. --finish completes or undoes one that was cut off. Running services are stopped meanwhile.
# Settings, history, logs and snapshots stay. data.py does the work, in a container; this script handles the services.
set -eu

die() { printf '%s\n' "$*" >&2; exit 2; }

action=
name=
yes=
for word; do
    case $word in
        --yes) yes=yes ;;
        --snapshot | --restore | --reset | --finish) action=${word#--} ;;
        -*) die "./sh --$action has no option $word" ;;
        *) [ -z "$name" ] || die "./sh --$action takes one name, not $name and $word"; name=$word ;;
    esac
done

cd "$(dirname "$0")/../.."
root=$(pwd -P)

there_are() {
    printf 'There are:'
    for file in data/snapshots/*.tar.gz; do [ ! -e "$file" ] || printf ' %s' "$(basename "$file" .tar.gz)"; done
}
case $action,$name in
    finish, | reset,*) ;;
    finish,*) die "./sh --finish takes no name" ;;
    *,) die "./sh --$action takes the name of a snapshot. $(there_are)" ;;
    *,[.-]* | *,*[!a-zA-Z0-9._-]*) die "A snapshot's name is made of letters, digits, and . _ - after the first: not $name" ;;
esac
snapshot=data/snapshots/$name.tar.gz

ask() {
    if [ -n "$yes" ]; then return; fi
    [ -t 0 ] || die "$1 There is no terminal to ask at, so nothing was done. To skip the question, add --yes"
    printf '%s [y/N] ' "$1" >&2
    read -r answer
    case $answer in
        [yY]*) ;;
        *) die "Nothing was done" ;;
    esac
}

config=$(docker compose --profile '*' config)
model=$(printf '%s\n' "$config" | awk -f .drydock/host/services.awk)
# The services' folders below data/: of one, or of all
folders() {
    printf '%s\n' "$model" | awk -F '\t' -v below="$root/data/" -v service="$1" '
        $2 == "bind" && (service == "" || $1 == service) && index($3, below) == 1 {
            folder = substr($3, length(below) + 1)
            if (folder !~ /^(snapshots|bin|logs|site-packages|local\.env)(\/|$)/) print folder
        }' | sort -u
}
folders=$(folders "$([ "$action" != reset ] || echo "$name")")

case $action in
    snapshot) [ ! -e "$snapshot" ] || ask "There is a snapshot $name: overwrite it?" ;;
    restore)
        [ -e "$snapshot" ] || die "There is no snapshot $name. $(there_are)"
        ask "The present contents of data/ will be lost, except snapshots. Continue?"
        ;;
    reset)
        if [ -n "$name" ]; then
            [ -n "$folders" ] || die "$name is no service with a folder in data/. There are: $(folders '' | sed 's#/.*##' | sort -u | tr '\n' ' ')"
            ask "$(printf '%s\n' "$folders" | sed 's#^#data/#' | tr '\n' ' ')will be emptied. Continue?"
        else
            ask "All contents of data/ will be lost, except snapshots. Continue?"
        fi
        ;;
esac

# Only this script gets a terminal's Ctrl-C or hang-up
apart=$(command -v setsid || true)
compose() { $apart docker compose --progress quiet --profile '*' "$@" 3>&- 4<&-; }
image=$(printf '%s\n' "$model" | awk -F '\t' '$1 == "app" && $2 == "runs" { print $3 }')
project=$(printf '%s\n' "$config" | sed -n 's/^name: //p')
docker image inspect --format . "$image" >/dev/null 2>&1 || compose build app >&2
mkdir -p data
call=$$-$(date +%s)
# Not with Compose: that would add the application's mounts, and `down` would remove the container
inside() {
    exec $apart docker run --rm --interactive --pull never --network none --security-opt label=disable --label "drydock.data=$root" \
        --mount "type=bind,\"source=$(printf '%s\n' "$root/data" | sed 's/"/""/g')\",target=/data" --user 0:0 --entrypoint python \
        "$image" -IS -c "$(cat .drydock/host/data.py)" "$1" "./sh --$action${name:+ $name}" "$call" "$name" "$folders"
}

if [ "$action" = finish ]; then
    (inside finish) </dev/null >/dev/null
    exit
fi

cut=
# shellcheck disable=SC2329 # by the traps
hang_up() { cut=$1; exec 3>&-; }
trap 'hang_up 129' HUP
trap 'hang_up 130' INT
trap 'hang_up 131' QUIT
trap 'hang_up 143' TERM
trap '' PIPE

pipes=$(mktemp -d)
mkfifo "$pipes/to" "$pipes/from"
(inside "$action") <"$pipes/to" >"$pipes/from" &
client=$!
exec 3>"$pipes/to" 4<"$pipes/from"
rm -r "$pipes"

# Standard error may be closed by now
say() { printf '%s\n' "$*" >&2 2>/dev/null || true; }
hears() { [ -z "$cut" ] && read -r answer <&4 && [ "$answer" = "$1" ]; }
# Containers of this folder that have another project's name
others() {
    docker ps --filter label=com.docker.compose.oneoff=False \
        --format '{{.Names}} {{.Label "com.docker.compose.project"}} {{.Label "com.docker.compose.project.working_dir"}}' 3>&- 4<&- |
        while read -r container other folder; do
            if [ -n "$folder" ] && [ "$other" != "$project" ] && [ "$(cd "$folder" 2>/dev/null && pwd -P)" = "$root" ]; then
                printf '%s ' "$container"
            fi
        done
}
running=
change() {
    hears stop || return
    # The service logs writes only logs, so it may go on
    running=$(compose ps --services --status running --status restarting --status paused) || return
    running=$(printf '%s\n' "$running" | grep -vx logs)
    # shellcheck disable=SC2086 # one word a service
    [ -z "$running" ] || compose stop $running || return
    others=$(others)
    [ -z "$others" ] || { say "Stop ${others}first: it uses data/ under another project name. Nothing was changed"; return 1; }
    [ -z "$cut" ] && echo >&3 2>/dev/null || return
    hears "done"
}
if change; then is="done"; else is=undone; fi

# Ignore signals from here on, so that the services start again
trap '' HUP INT QUIT TERM
if [ "$is" = undone ]; then
    exec 3>&-
    ended=0
    wait "$client" || ended=$?
    # If the container did not undo the change itself, another one undoes or completes it
    if [ "$ended" != 3 ]; then
        for try in 1 2 3; do
            is=unknown
            last=$( (inside finish) </dev/null 2>/dev/null 4<&-) || { sleep "$try"; continue; }
            if [ "$last" = "$call" ]; then is="done"; else is=undone; fi
            break
        done
    fi
fi

status=0
if [ "$is" != unknown ] && [ -n "$running" ]; then
    # shellcheck disable=SC2086 # one word a service
    error=$(compose start $running 2>&1) || { status=1; say "The services do not start again: $error"; }
fi
exec 3>&-
wait "$client" || true

case $is,$action in
    unknown,*) say "./sh --$action was cut off, and cannot be undone or completed now. Type ./sh --finish, then docker compose up"; exit 1 ;;
    undone,*)
        if [ -n "$cut" ]; then say "Cancelled. Nothing was changed"; fi
        if [ -z "$cut" ] && [ "$ended" != 3 ]; then say "The container was stopped from outside. Nothing was changed"; fi
        exit "${cut:-1}"
        ;;
    *,snapshot) echo "$snapshot: $(du -h "$snapshot" | cut -f 1)" ;;
    *,restore) echo "data/ is as in $snapshot" ;;
    *,reset) echo "data/${name:+ of $name} is empty" ;;
esac
exit "$status"
