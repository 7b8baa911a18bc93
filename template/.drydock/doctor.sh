#!/bin/sh
# ./sh --doctor: what is wrong, and how to fix it. One problem a line, after an exclamation mark; the exit status is 1 where there is one.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd -P)
given=${HOST_UID:-}
# shellcheck source=/dev/null
right=$(unset HOST_UID HOST_GID; . "$root/.drydock/user.sh"; echo "$HOST_UID")
# shellcheck source=/dev/null
. "$root/.drydock/user.sh"
tab=$(printf '\t')
problems=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT

fine() { printf '  %s\n' "$*"; }
problem() { printf '! %s\n' "$*"; problems=$((problems + 1)); }
end() {
    [ "$problems" = 0 ] && { fine "No problem found."; exit 0; }
    exit 1
}
# A version, then what it must be at least
at_least() {
    printf '%s\n' "$1" | awk -F '[^0-9]+' -v least="$2" '{
        split(least, wanted, "."); sub(/^[^0-9]+/, "")
        for (part = 1; part <= 3; part++) if ($part + 0 != wanted[part] + 0) exit $part + 0 < wanted[part] + 0
    }'
}
# What Compose would read: the environment, else .env
setting() {
    eval "value=\${$1:-}"
    [ -n "$value" ] || value=$(sed -n "s/^$1=['\"]\{0,1\}\([^'\"#]*[^'\"# ]\).*/\1/p" .env)
    printf '%s\n' "$value"
}
facts() { printf '%s\n' "$model" | awk -F '\t' -v what="$1" -v service="${2:-}" '$2 == what && (service == "" || $1 == service) { print (service == "" ? $1 "\t" : "") $3 }'; }


# The engine
if ! command -v docker >/dev/null; then
    problem "docker is not installed: see https://docs.docker.com/engine/install/"
    end
fi
if ! server=$(docker version --format '{{.Server.Version}}' 2>&1); then
    case $server in
        *"permission denied"*) problem "You may not use the engine: sudo usermod -aG docker $(id -un), then log in again" ;;
        *) problem "No engine answers${DOCKER_HOST:+ at DOCKER_HOST=$DOCKER_HOST}: start Docker Desktop, or sudo systemctl start docker ($(printf '%s\n' "$server" | tail -n 1))" ;;
    esac
    end
fi
kind=$(docker info --format '{{.OperatingSystem}} {{.SecurityOptions}}')
case $(docker version --format '{{range .Server.Components}}{{.Name}} {{end}}') in
    *Podman*) engine=Podman ;;
    *) engine="Docker Engine"; at_least "$server" 25 || problem "Docker Engine $server is too old: install 25 or newer, https://docs.docker.com/engine/install/" ;;
esac
case $kind in *"Docker Desktop"*) engine="Docker Desktop, engine" ;; esac
case $kind in *name=rootless*) engine="Rootless $engine" ;; esac
compose=$(docker compose version --short 2>/dev/null) || compose=
buildx=$(docker buildx version 2>/dev/null | awk '{ print $2 }')
fine "$engine $server, Compose ${compose:-missing}, buildx ${buildx:-missing}"
if [ -z "$compose" ]; then
    problem "docker compose is missing: install the package docker-compose-plugin"
    end
fi
if ! at_least "$compose" 2.24; then
    problem "Compose $compose is too old: install 2.24 or newer (package docker-compose-plugin)"
elif ! at_least "$compose" 2.32.2; then
    fine "docker compose watch needs Compose 2.32.2"
fi
[ -n "$buildx" ] || problem "buildx is missing, without which builds are slow: install the package docker-buildx-plugin"


# The files
crlf=$(grep -l "$(printf '\r')\$" sh activate activate.fish build.sh .env .drydock/*.sh .drydock/*.awk 2>/dev/null | tr '\n' ' ' || true)
[ -z "$crlf" ] || problem "Windows line endings in $crlf: git config core.autocrlf input, then sed -i 's/\\r\$//' $crlf"

for key in IMAGE PYTHON_VERSION PROJECT; do
    default=$(sed -n "s/^ARG $key=//p" Dockerfile | head -n 1)
    value=$(setting "$key")
    [ "$default" = "$value" ] || problem "$key is $value here and $default in the Dockerfile, which a plain docker build takes: write the same into .env and after ARG $key="
done

for file in .drydock/certificates/*.crt; do
    if [ -e "$file" ] && ! grep -q 'BEGIN CERTIFICATE' "$file"; then
        problem "$file is no PEM file: openssl x509 -inform der -in $file -out new.crt && mv new.crt $file"
    fi
done

if ! config=$(docker compose config 2>&1); then
    problem "Compose refuses its files: $(printf '%s\n' "$config" | tail -n 1)"
    end
fi
model=$(printf '%s\n' "$config" | awk -f .drydock/services.awk)
project=$(printf '%s\n' "$config" | sed -n 's/^name: //p')
code=$(cd "$(setting PROJECT)" && pwd -P)


# Who may write what. Docker Desktop makes every file yours
case $kind in
    *"Docker Desktop"*) ;;
    *)
        user=$(id -u)
        [ "$user" != 0 ] || user=$HOST_UID
        fine "You are user $user, and the container is user $HOST_UID"
        if [ -n "$given" ] && [ "$given" != "$right" ]; then
            problem "HOST_UID is $given in your environment, and should be $right: unset HOST_UID HOST_GID, or . ./activate"
        elif [ -z "$given" ] && [ "$HOST_UID" != 1000 ]; then
            fine "A plain docker compose would be user 1000: . ./activate before it, or export HOST_UID=$HOST_UID HOST_GID=$HOST_GID"
        fi
        foreign=$(find "$code" \( -name .git -o -path "$root/data" \) -prune -o ! -user "$user" -print 2>/dev/null | head -n 3 | tr '\n' ' ')
        [ -z "$foreign" ] || problem "Not yours, so that the container may not write it: $foreign: ./sh --root chown -R $HOST_UID:$HOST_GID /app"
        foreign=$(find data data/bin data/.bash_history -prune ! -user "$user" 2>/dev/null | sed 's#^#/#' | tr '\n' ' ')
        [ -z "$foreign" ] || problem "Not yours, so that the container may not write it: $foreign: ./sh --root chown -R $HOST_UID:$HOST_GID $foreign"
        [ ! -e data/.replaced ] || problem "A --restore was cut off, and data/.replaced has what was there before: the next --restore or --snapshot begins by bringing it back"
        while IFS=$tab read -r service folder; do
            owner=$(facts user "$service")
            case $folder in "$root/data"/*) ;; *) continue ;; esac
            if [ ! -e "$folder" ]; then
                problem "The folder $folder of $service is missing, and the engine would make it root's: mkdir -p $folder"
            elif [ -n "$owner" ] && [ "${owner%%:*}" != 0 ] && [ -z "$(find "$folder" -prune -user "${owner%%:*}")" ]; then
                problem "$service runs as user ${owner%%:*}, who does not own $folder: ./sh --root chown -R $owner /data${folder#"$root/data"}"
            fi
        done <<END
$(facts bind)
END
        ;;
esac


# Room
for folder in "$root" "$(docker info --format '{{.DockerRootDir}}')"; do
    [ -d "$folder" ] || continue
    free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge 2048 ] || problem "Only $free MB are free for $folder: docker system df shows what images and caches take, docker builder prune frees caches"
done
least=$(facts x-vm-max-map-count | awk -F '\t' '$2 > most { most = $2 } END { print (most == "" ? 0 : most) }')
if [ -r /proc/sys/vm/max_map_count ] && [ "$(cat /proc/sys/vm/max_map_count)" -lt "$least" ]; then
    problem "vm.max_map_count is too small for $(facts x-vm-max-map-count | cut -f 1 | tr '\n' ' '): echo vm.max_map_count=$least | sudo tee /etc/sysctl.d/99-max-map-count.conf && sudo sysctl --system"
fi


# Ports of what is not up. Which key of .env a port is, the files say before their variables are replaced
raw=$(docker compose config --no-interpolate 2>/dev/null) || raw=
listener() {
    if command -v ss >/dev/null; then
        ss -Hltnp "sport = :$1" | awk -v host="$2" '{ here = $4; sub(/:[0-9]+$/, "", here) } here ~ /^(0\.0\.0\.0|\*|\[::\])$/ || here == host || host == "0.0.0.0" {
            if (match($0, /\(\("[^"]*",pid=[0-9]+/)) { split(substr($0, RSTART + 3, RLENGTH - 3), part, /",pid=/); print part[1] " (process " part[2] ")" }
            else print "a process of another user"
            exit }'
    elif command -v lsof >/dev/null; then
        lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print $1 " (process " $2 ")" }'
    elif [ -r /proc/net/tcp ]; then
        awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && index($2, port) { print "another process"; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
    fi
}
while IFS="$tab " read -r service host port target; do
    [ -n "$service" ] || continue
    holder=$(docker ps --filter "publish=$port/tcp" --format '{{.Names}} {{.Label "com.docker.compose.project"}}' | head -n 1)
    case $holder in
        *" $project") continue ;;
        ?*) holder="container ${holder%% *}" ;;
        *) holder=$(listener "$port" "$host") ;;
    esac
    [ -n "$holder" ] || continue
    key=$(printf '%s\n' "$raw" | sed -n "s/.*{\([A-Z0-9_]*\)[^}]*}:$target\"\{0,1\}\$/\1/p" | head -n 1)
    problem "Port $port of $service is taken by $holder: stop that, or give ${key:-the port in the compose file} another number${key:+ in .env}"
done <<END
$(facts port)
END


# The image, and what it is made of
image=$(facts image app)
image=${image:-$project-app}
if made=$(docker image inspect --format '{{.Metadata.LastTagTime.UTC.Format "2006-01-02T15:04:05.000000Z"}}' "$image" 2>/dev/null); then
    # What the Dockerfile copies before there is code
    inputs=$(sed -n 's/^COPY //p' Dockerfile | tr ' ' '\n' | sed -n "s#^\${PROJECT}/#$(setting PROJECT)/#p; /^build.sh/p; /^.drydock/p")
    if touch -d "$made" "$list" 2>/dev/null; then
        # shellcheck disable=SC2086 # patterns
        newer=$(find Dockerfile $inputs -type f -newer "$list" 2>/dev/null | sort -u | tr '\n' ' ' || true)
        [ -z "$newer" ] || problem "The image is older than $newer: docker compose up --build --wait"
    fi
    runs=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service=app --filter label=com.docker.compose.oneoff=False | head -n 1)
    if [ -n "$runs" ] && [ "$(docker inspect --format '{{.Image}}' "$runs")" != "$(docker image inspect --format '{{.Id}}' "$image")" ]; then
        problem "The application runs in an older image than the last that was built: docker compose up --wait"
    fi
else
    made=
    fine "There is no image yet: docker compose up --build --wait makes it"
fi


# Containers
docker ps --all --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u >"$list"
while read -r folder; do
    # A folder may have two names
    [ "$(cd "$folder" 2>/dev/null && pwd -P)" = "$root" ] || problem "$folder has containers under the same name, $project: write COMPOSE_PROJECT_NAME=another-name into .env of one of the two"
done <"$list"

next_step() {
    case $1 in
        *"address already in use"* | *"port is already allocated"* | *"ports are not available"*) echo "see the port above, stop who has it or change it in .env" ;;
        *"No space left"* | *"no space left"*) echo "free some disk space: docker system df" ;;
        *"exec format error"*) echo "its image is for another processor than $(uname -m)'s: docker compose pull $2, or docker compose build $2" ;;
        *"ermission denied"* | *"may not write"* | *"not writable"* | *"Operation not permitted"*) echo "its files may belong to another user: export HOST_UID=$HOST_UID HOST_GID=$HOST_GID; ./sh --root chown -R $HOST_UID:$HOST_GID /data/$2" ;;
        *ModuleNotFoundError* | *ImportError*) echo "a package is missing in the image: docker compose up --build --wait" ;;
        *) echo "docker compose logs $2 says more" ;;
    esac
}
states=$(docker compose ps --all --format '{{.Service}}	{{.State}}	{{.Health}}	{{.ExitCode}}	{{.Name}}' | tr '\t' '|')
while IFS='|' read -r service state health status name; do
    case $state,$health,$status in
        running,unhealthy,*) what="is unhealthy" ;;
        restarting,*) what="restarts again and again" ;;
        created,*) what="was not started" ;;
        dead,*) what="is dead" ;;
        # Ended by itself, or stopped
        exited,*,0 | exited,*,130 | exited,*,143) continue ;;
        exited,*) what="ended with status $status" ;;
        *) continue ;;
    esac
    error=$(docker inspect --format '{{.State.Error}}{{if .State.OOMKilled}}out of memory{{end}}' "$name")
    # Stopped, and slow to end
    if [ "$state,$status" = exited,137 ] && [ -z "$error" ]; then continue; fi
    log=$(docker logs --tail 20 "$name" 2>&1 || true)
    line=${error:-$(printf '%s\n' "$log" | grep -v '^[[:space:]]*$' | tail -n 1 | tr -d '\r' || true)}
    if [ "$state" = created ] && [ -z "$line" ]; then
        problem "$service was not started, since another service is not well: docker compose up --wait, once that is mended"
    else
        problem "$service $what: ${line:-it says nothing}: $(next_step "$error $log" "$service")"
    fi
done <<END
$states
END
# Where the application has an image, `up` has been there, and had to find the others
if [ -n "$made" ]; then
    while IFS=$tab read -r service wants; do
        [ -z "$wants" ] || docker image inspect "$wants" >/dev/null 2>&1 || problem "$wants, the image of $service, is not here: docker compose pull $service, which says why if it cannot be had"
    done <<END
$(facts image)
END
fi


# The network
answers() {
    if command -v curl >/dev/null; then
        # The address may hold a password, which other users could see among the arguments
        printf 'url = "%s"\n' "$1" | curl --silent --insecure --output /dev/null --max-time 5 ${2:+--noproxy "$2"} --config -
    elif command -v wget >/dev/null; then
        code=0
        printf '%s\n' "$1" | wget --quiet --no-check-certificate --tries=1 --timeout=5 --output-document=/dev/null --input-file=- 2>/dev/null || code=$?
        # Refusals are answers too
        [ "$code" = 0 ] || [ "$code" = 6 ] || [ "$code" = 8 ]
    else
        fine "Neither curl nor wget is here, to try the addresses of proxies and mirrors"
    fi
}
for key in HTTP_PROXY HTTPS_PROXY UV_DEFAULT_INDEX UV_INDEX UV_PYTHON_INSTALL_MIRROR APT_MIRROR; do
    for address in $(setting "$key"); do
        # UV_INDEX may name its indexes: name=https://...
        case $address in [a-zA-Z]*=http*) address=${address#*=} ;; esac
        shown=$(printf '%s\n' "$address" | sed 's#//[^/@]*@#//#')
        direct=
        case $key in *_PROXY) direct='*' ;; esac
        case $address in
            *//localhost[:/]* | *//127.* | *@localhost[:/]* | *@127.*) problem "$key is $shown, which in a container is the container itself: use the address of this machine that containers see, such as 172.17.0.1 or host.docker.internal" ;;
            http://* | https://*) answers "$address" "$direct" || problem "$key is $shown, which does not answer within 5 seconds: correct it, or unset it where it is not needed" ;;
            file:*) ;;
            *) problem "$key is $shown: begin it with http:// or https://" ;;
        esac
    done
done

end
