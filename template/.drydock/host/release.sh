#!/bin/sh
# ./sh --release NAME: builds the production image, runs the tests beside the services with the tests' image of the same
# build, starts the production image there and asks it for /health and /ready. Only then it gets the name NAME, and
# labels. Services have no ports on this machine, and data of their own. CACHE_FROM and CACHE_TO: what `docker buildx
# build` takes for --cache-from and --cache-to. REVISION: the commit, where git does not know it.
set -eu

[ $# = 1 ] || { echo "./sh --release takes the name of the image: ./sh --release demo:1.2.3" >&2; exit 2; }
name=$1
cd "$(dirname "$0")/../.."
root=$(pwd -P)
# shellcheck source=/dev/null
. "$root/.drydock/host/project.sh"
container_user
code=$(code_folder) || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n==> %s\n' "$*"; }

docker compose --profile '*' config >"$work/config" || { echo "For the cause, run ./sh --doctor" >&2; exit 125; }
model=$(awk -f .drydock/host/services.awk "$work/config")
project=$(sed -n 's/^name: //p' "$work/config")-release
export RELEASE_IMAGE="$project-image"

# What differs from the project as it runs every day
settings='env_file: !override [{path: build.env, required: false}, {path: data/local.env, required: false}]'
from=''
to=''
[ -z "${CACHE_FROM:-}" ] || from="cache_from: ['$CACHE_FROM']"
[ -z "${CACHE_TO:-}" ] || to="cache_to: ['$CACHE_TO']"
{
    cat <<END
services:
  tests:
    image: $project-tests
    $settings
    user: !reset null
    volumes: !reset []
    build:
      target: tests
      $from
  service:
    image: \${RELEASE_IMAGE}
    $settings
    ports: !reset []
    build:
      target: service
      $from
      $to
END
    printf '%s\n' "$model" | awk -F '\t' -v data="$root/data/" -v work="$work" '
        $1 == "app" || $1 == "tests" || $1 == "service" { next }
        $2 == "service" { mounts = 0 }
        $2 == "port" && !named[$1]++ { print "  " $1 ":\n    ports: !reset []" }
        $2 == "bind" && index($3 "/", data) == 1 {
            if (!named[$1]++) print "  " $1 ":"
            if (!mounts++) print "    volumes:"
            print "      - {type: bind, source: \"" work "/data/" n++ "\", target: " $4 "}"
        }'
} >"$work/release.yaml"
# Any user may write these
sed -n 's#.*source: "\(.*/data/[0-9]*\)".*#\1#p' "$work/release.yaml" | while read -r folder; do
    mkdir -p "$folder" && chmod 777 "$folder"
done

override=
[ ! -e compose.override.yaml ] || override='--file compose.override.yaml'
compose() {
    # shellcheck disable=SC2086 # two words, or none
    docker compose --project-directory "$root" --project-name "$project" --file compose.yaml $override \
        --file "$work/release.yaml" --profile tests --profile service "$@"
}
# shellcheck disable=SC2329 # by the trap
end() {
    RELEASE_IMAGE=$project-image compose down --volumes --remove-orphans --timeout 3 >/dev/null 2>&1 || true
    # Services' users own what is in there
    [ ! -d "$work/data" ] || docker run --rm --user 0 --volume "$work:/work" --entrypoint rm "$project-image" \
        -rf /work/data >/dev/null 2>&1 || true
    docker rmi "$project-image" "$project-tested" "$project-tests" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' HUP INT TERM

say "Build"
compose build tests service

say "Tests beside the services"
{ compose run --rm --no-TTY --quiet-pull tests 2>&1 && echo 0 >"$work/status"; } | tee "$work/log"
[ -e "$work/status" ] || { echo "Red tests, or a service that did not start: no image $name" >&2; exit 1; }
tests=$(sed -n -e 's/.*[^0-9]\([0-9][0-9]*\) passed.*/\1/p' -e 's/^Ran \([0-9][0-9]*\) tests\{0,1\} .*/\1/p' \
    "$work/log" | tail -n 1)
tests=${tests:-unknown}

# The image that is started is the one that gets the name
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || true)}
if [ -n "$revision" ] && [ -n "$(git status --porcelain 2>/dev/null)" ]; then revision=$revision-dirty; fi
lock=$(cat "$code/uv.lock" "$code/poetry.lock" "$code/requirements.txt" 2>/dev/null |
    { sha256sum 2>/dev/null || shasum -a 256; } | cut -c 1-64)
# Of no file at all
case $lock in e3b0c44298fc1c149afbf4c8996fb924*) lock= ;; esac
printf 'FROM %s\n' "$RELEASE_IMAGE" | BUILDX_BUILDER=$(docker context show) docker build --quiet \
    --tag "$project-tested" --label "org.opencontainers.image.revision=$revision" --label "drydock.lock=$lock" \
    --label "drydock.tests=$tests" - >/dev/null
RELEASE_IMAGE=$project-tested

# ask PATH: waits for an answer, and prints its status
ask() {
    compose exec --no-TTY service python -c '
import socket, sys, time, urllib.error, urllib.request
url = f"http://{socket.gethostname()}:8080{sys.argv[1]}"
end = time.monotonic() + 60
while True:
    try:
        print(urllib.request.urlopen(url, timeout=30).status)
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        if time.monotonic() < end:
            time.sleep(0.1)
            continue
        print(error)
    break' "$1" 2>/dev/null || echo "it has ended"
}
if printf '%s\n' "$model" | grep -q "^service	port	"; then
    say "The production image beside the services"
    compose up --detach --no-build --quiet-pull service
    for path in /health /ready; do
        status=$(ask "$path")
        case $status in
            2?? | 3??) echo "$path: $status" ;;
            404) echo "$path: 404. The application has none, so nothing was asked" ;;
            *) compose logs --no-log-prefix --tail 40 service >&2; echo "$path: $status: no image $name" >&2; exit 1 ;;
        esac
    done
else
    say "The production image beside the services, to its end"
    compose run --rm --no-TTY service || { echo "It failed: no image $name" >&2; exit 1; }
fi

docker tag "$project-tested" "$name"
size=$(docker image inspect --format '{{.Size}}' "$name")
say "$name: $((size / 1000000)) MB, $tests tests, revision ${revision:-unknown}"
