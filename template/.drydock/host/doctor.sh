#!/bin/sh
# ./sh --doctor: what is wrong, and how to fix it. One problem a line, after an exclamation mark; exit status 1 if any.
set -eu

cd "$(dirname "$0")/../.."
root=$(pwd -P)
given=${HOST_UID:-}
# shellcheck source=/dev/null
. "$root/.drydock/host/project.sh"
right=$(unset HOST_UID HOST_GID; container_user; echo "$HOST_UID")
container_user
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
# at_least VERSION MINIMUM
at_least() {
    printf '%s\n' "$1" | awk -F '[^0-9]+' -v least="$2" '{
        split(least, wanted, "."); sub(/^[^0-9]+/, "")
        for (part = 1; part <= 3; part++) if ($part + 0 != wanted[part] + 0) exit $part + 0 < wanted[part] + 0
    }'
}
facts() { printf '%s\n' "$model" | awk -F '\t' -v what="$1" -v service="${2:-}" '$2 == what && (service == "" || $1 == service) { print (service == "" ? $1 "\t" : "") $3 }'; }


# The engine
if ! command -v docker >/dev/null; then
    problem "docker is not installed: see https://docs.docker.com/engine/install/"
    end
fi
if ! server=$(docker version --format '{{.Server.Version}}' 2>&1); then
    case $server in
        *"permission denied"*) problem "You have no permission to use the engine: sudo usermod -aG docker $(id -un), then log in again" ;;
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
[ -n "$buildx" ] || problem "buildx is missing, and builds are slow without it: install the package docker-buildx-plugin"


# The files
crlf=$(grep -l "$(printf '\r')\$" sh activate build.sh .env .drydock/*.sh .drydock/*/*.* 2>/dev/null | tr '\n' ' ' || true)
[ -z "$crlf" ] || problem "Windows line endings in $crlf: git config core.autocrlf input, then sed -i 's/\\r\$//' $crlf"

while read -r key default; do
    from=$(origin "$key")
    shown=$(setting "$key")
    if [ -z "$from" ] || [ "$shown" = "$default" ]; then continue; fi
    case $key in *PASSWORD*) shown='another one' default='the default' ;; esac
    case $from,$key in
        *,HOST_UID | *,HOST_GID) ;;
        .env,* | *,*PORT | *,BIND) fine "$key is $shown in $from, in place of ${default:-the answer}" ;;
        *) problem "$key is $shown in $from, in place of ${default:-the answer}: unset $key, or write it into .env if this project needs it" ;;
    esac
done <<END
$(defaults)
END
if ! code=$(code_folder 2>&1); then
    problem "$code"
    end
fi
while read -r line; do
    [ -z "$line" ] || problem "$line"
done <<END
$(sh .drydock/host/context.sh "$(setting PROJECT)")
END

find_untracked
if [ -n "${untracked:-}" ]; then
    files=$(printf '%s\n' "$untracked" | sed 's#^\.drydock/.*#.drydock#' | sort -u | tr '\n' ' ')
    problem "git ignores files of the skeleton, so that a clone lacks them and an update cannot keep them: git add --force $files&& git commit"
fi
for file in .env data/local.env; do
    # Variables, except in comments, in single quotes, escaped, or with a default
    for name in $(sed -e '/^[[:space:]]*#/d' -e "s/'[^']*'//g" -e 's/\\[$]//g' -e 's/[$][$]//g' -e 's/[$]{[A-Za-z0-9_]*:\{0,1\}[-+?]//g' "$file" 2>/dev/null \
        | grep -o '[$]{\{0,1\}[A-Za-z_][A-Za-z0-9_]*' | tr -d '{$' | sort -u); do
        { env; cat .env data/local.env 2>/dev/null; } | grep -q "^$name=" || problem "\$$name in $file is a variable that is not set: for a literal \$, put the value into single quotes"
    done
done
for file in .drydock/import.env .drydock/certificates/*.crt; do
    case $file in *.env) place=build.env ;; *) place=certificates/ ;; esac
    [ ! -e "$file" ] || problem "$file has another place now: mkdir -p certificates && mv $file $place"
done
for file in certificates/*.crt; do
    if [ -e "$file" ] && ! grep -q 'BEGIN CERTIFICATE' "$file"; then
        problem "$file is no PEM file: openssl x509 -inform der -in $file -out new.crt && mv new.crt $file"
    fi
done

# Compose reads the first of these beside compose.yaml
for file in compose.override.yml compose.override.yaml docker-compose.override.yml docker-compose.override.yaml; do
    [ -e "$file" ] || continue
    [ "$file" = compose.override.yaml ] || problem "Compose merges $file into compose.yaml: rename it, to compose.override.yaml if you want that"
    break
done
for file in compose.yml docker-compose.yml docker-compose.yaml; do
    [ ! -e "$file" ] || fine "Compose warns about $file and uses compose.yaml: rename $file if you do not need it"
done
if ! grep -q 'target: localdev' compose.yaml; then
    problem "compose.yaml is not the skeleton's: rename it, then copier recopy"
    end
fi
if ! config=$(docker compose config 2>&1); then
    case $config in
        *"project name must not be empty"*) problem "Compose cannot derive a project name from this folder's name: write COMPOSE_PROJECT_NAME=my-project into .env" ;;
        *) problem "Compose refuses its files: $(printf '%s\n' "$config" | tail -n 1)" ;;
    esac
    end
fi
model=$(printf '%s\n' "$config" | awk -f .drydock/host/services.awk)
project=$(printf '%s\n' "$config" | sed -n 's/^name: //p')


# shellcheck disable=SC2013 # names
for name in $(sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' data/local.env 2>/dev/null); do
    if grep -q "^    $name: " compose.yaml && ! grep -q "$name" compose.override.yaml 2>/dev/null; then
        problem "$name in data/local.env has no effect, since compose.yaml sets it: set it in compose.override.yaml, under services, app, environment"
    fi
done
file=$(setting PROJECT)/.python-version
pinned=$(sed -n '1s/^\(3\.[0-9.]*[0-9]\)[[:space:]]*$/\1/p' "$file" 2>/dev/null || true)
version=$(setting PYTHON_VERSION)
case $version.,$pinned. in
    *,. | "$pinned".*,* | *,"$version".*) ;;
    *) problem "$file says $pinned, and the image has Python $version: write the same into both (of the image: PYTHON_VERSION in .env, or the answer python_version)" ;;
esac


# Owners of files. With Docker Desktop, every file is yours
case $kind in
    *"Docker Desktop"*) ;;
    *)
        user=$(id -u)
        [ "$user" != 0 ] || user=$HOST_UID
        fine "You are user $user, and the container runs as user $HOST_UID"
        if [ -n "$given" ] && [ "$given" != "$right" ]; then
            problem "HOST_UID is $given in your environment, and should be $right: unset HOST_UID HOST_GID, or . ./activate"
        elif [ -z "$given" ] && [ "$HOST_UID" != 1000 ]; then
            fine "A plain docker compose runs the container as user 1000: first . ./activate, or export HOST_UID=$HOST_UID HOST_GID=$HOST_GID"
        fi
        foreign=$(find "$code" \( -name .git -o -path "$root/data" \) -prune -o ! -user "$user" -print 2>/dev/null | head -n 3 | tr '\n' ' ')
        [ -z "$foreign" ] || problem "You do not own these, so the container cannot write them: $foreign: ./sh --root chown -R $HOST_UID:$HOST_GID /app"
        foreign=$(find data data/bin data/.bash_history -prune ! -user "$user" 2>/dev/null | sed 's#^#/#' | tr '\n' ' ')
        [ -z "$foreign" ] || problem "You do not own these, so the container cannot write them: $foreign: ./sh --root chown -R $HOST_UID:$HOST_GID $foreign"
        while IFS=$tab read -r service folder; do
            owner=$(facts user "$service")
            case $folder in "$root/data"/*) ;; *) continue ;; esac
            if [ ! -e "$folder" ]; then
                problem "The folder $folder of $service is missing, and the engine would create it as root: mkdir -p $folder"
            elif [ -n "$owner" ] && [ "${owner%%:*}" != 0 ]; then
                foreign=$(find "$folder" -maxdepth 1 ! -name '.drydock-*' ! -user "${owner%%:*}" 2>/dev/null | head -n 1)
                [ -z "$foreign" ] || problem "$service runs as user ${owner%%:*}, who does not own $foreign: ./sh --root chown -R $owner /data${folder#"$root/data"}"
            fi
        done <<END
$(facts bind)
END
        ;;
esac


# Data commands that run or were cut off, and free space. data/ or a folder in it may be a disk of its own
for left in data/.drydock-half data/.drydock-busy data/.drydock/new; do
    if [ -e "$left" ]; then
        problem "A --snapshot, --restore or --reset is under way, or was cut off: ./sh --finish waits for its end, or completes or undoes it"
        break
    fi
done
seen=
for folder in "$root" data data/*/ "$(docker info --format '{{.DockerRootDir}}')"; do
    [ -d "$folder" ] || continue
    disk=$(df -Pk "$folder" | awk 'NR == 2 { print $1 ":" $6 }')
    case "$seen " in *" $disk "*) continue ;; esac
    seen="$seen $disk"
    free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge 2048 ] || problem "Only $free MB are free for $folder: docker system df shows what images and caches take, docker builder prune frees caches, du -sh data/* shows data"
done
least=$(facts x-vm-max-map-count | awk -F '\t' '$2 > most { most = $2 } END { print (most == "" ? 0 : most) }')
if [ -r /proc/sys/vm/max_map_count ] && [ "$(cat /proc/sys/vm/max_map_count)" -lt "$least" ]; then
    problem "vm.max_map_count is too small for $(facts x-vm-max-map-count | cut -f 1 | tr '\n' ' '): echo vm.max_map_count=$least | sudo tee /etc/sysctl.d/99-max-map-count.conf && sudo sysctl --system"
fi


# Host ports of services that do not run. The files without interpolation tell which key of .env sets a port
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
    # Docker picks a free one for 0
    [ -n "$service" ] && [ "$port" != 0 ] || continue
    # The same port of another address is not taken
    holder=$(docker ps --filter "publish=$port/tcp" --format '{{.Ports}}, {{.Names}} {{.Label "com.docker.compose.project"}}' \
        | sed -En "/(^|, )($host|0\.0\.0\.0):$port->/s/.*, //p" | head -n 1)
    case $holder in
        *" $project") continue ;;
        ?*) holder="container ${holder%% *}" ;;
        *) holder=$(listener "$port" "$host") ;;
    esac
    [ -n "$holder" ] || continue
    key=$(printf '%s\n' "$raw" | sed -n "s/.*{\([A-Z0-9_]*\)[^}]*}:$target\"\{0,1\}\$/\1/p" | head -n 1)
    problem "Port $port of $service is taken by $holder: stop that, or give ${key:-the port in the compose file} another number${key:+ in .env}, or all ports another address: BIND=127.0.0.2"
done <<END
$(facts port)
END


# The image, and the files that it is built from
image=$(facts runs app)
if made=$(docker image inspect --format '{{.Metadata.LastTagTime.UTC.Format "2006-01-02T15:04:05.000000Z"}}' "$image" 2>/dev/null); then
    # The skeleton's files that the Dockerfile copies, and what `docker compose up --watch` rebuilds for
    dockerfile=$(sed -n 's/^  dockerfile: //p' compose.yaml | head -n 1)
    dockerfile=${dockerfile:-Dockerfile}
    watched=$(sed -n 's/.*action: rebuild, path: \(.*\)}$/\1/p' compose.yaml | sed "s/\"//g; s#^\./\${PROJECT[^}]*}#$(setting PROJECT)#")
    inputs=$(sed -n 's/^COPY //p' "$dockerfile" | tr ' ' '\n' | sed -n '/^\.drydock/p')
    if touch -d "$made" "$list" 2>/dev/null; then
        # shellcheck disable=SC2086 # patterns
        newer=$(find "$dockerfile" $watched $inputs -type f -newer "$list" 2>/dev/null | sort -u | tr '\n' ' ' || true)
        [ -z "$newer" ] || problem "The image is older than $newer: docker compose up --build --wait"
    fi
    runs=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.service=app --filter label=com.docker.compose.oneoff=False | head -n 1)
    if [ -n "$runs" ] && [ "$(docker inspect --format '{{.Image}}' "$runs")" != "$(docker image inspect --format '{{.Id}}' "$image")" ]; then
        problem "The application runs in an older image than the last build's: docker compose up --wait"
    fi
else
    made=
    fine "There is no image yet: docker compose up --build --wait builds it"
fi


# Containers
docker ps --all --filter "label=com.docker.compose.project=$project" --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u >"$list"
while IFS= read -r folder; do
    # A folder may have two names
    [ "$(cd "$folder" 2>/dev/null && pwd -P)" = "$root" ] || problem "$folder has containers under the same name, $project: write COMPOSE_PROJECT_NAME=another-name into .env of one of the two"
done <"$list"

next_step() {
    case $1 in
        *"address already in use"* | *"port is already allocated"* | *"ports are not available"*) echo "see the port above, stop the process that uses it, or change the port in .env" ;;
        *"No space left"* | *"no space left"*) echo "free some disk space: docker system df" ;;
        *"exec format error"*) echo "its image is for another processor than $(uname -m)'s: docker compose pull $2, or docker compose build $2" ;;
        *"ermission denied"* | *"may not write"* | *"not writable"* | *"Operation not permitted"*) echo "its files may belong to another user: export HOST_UID=$HOST_UID HOST_GID=$HOST_GID; ./sh --root chown -R $HOST_UID:$HOST_GID /data/$2" ;;
        *ModuleNotFoundError* | *ImportError*) echo "a package is missing in the image: docker compose up --build --wait" ;;
        *) echo "see docker compose logs $2" ;;
    esac
}
refuses() {
    docker exec "$1" python -c 'import http.client, socket, sys
connection = http.client.HTTPConnection(socket.gethostname(), 8000, timeout=5)
connection.request("GET", "/", headers={"Host": "127.0.0.1:8000"})
sys.exit(connection.getresponse().status != 400)' 2>/dev/null
}
states=$(docker compose ps --all --format '{{.Service}}	{{.State}}	{{.Health}}	{{.ExitCode}}	{{.Name}}' 2>/dev/null | tr '\t' '|')
while IFS='|' read -r service state health status name; do
    case $state,$health,$status in
        running,unhealthy,*) what="is unhealthy" ;;
        running,healthy,*)
            if [ "$service" = app ] && refuses "$name"; then
                problem "The application answers 400 to http://127.0.0.1:$(setting PORT): let it accept this host, such as by ALLOWED_HOSTS in Django's settings"
            fi
            continue
            ;;
        restarting,*) what="restarts again and again" ;;
        created,*) what="was not started" ;;
        dead,*) what="is dead" ;;
        # Ended by itself, or stopped
        exited,*,0 | exited,*,130 | exited,*,143) continue ;;
        exited,*) what="ended with status $status" ;;
        *) continue ;;
    esac
    error=$(docker inspect --format '{{.State.Error}}{{if .State.OOMKilled}}out of memory{{end}}' "$name")
    # Stopped, and killed because it was slow to end
    if [ "$state,$status" = exited,137 ] && [ -z "$error" ]; then continue; fi
    log=$(docker logs --tail 20 "$name" 2>&1 || true)
    line=${error:-$(printf '%s\n' "$log" | grep -v '^[[:space:]]*$' | tail -n 1 | tr -d '\r' || true)}
    if [ "$service,$health" = app,unhealthy ] && docker exec "$name" grep -q ' 0100007F:1F40 00000000:0000 0A' /proc/net/tcp 2>/dev/null; then
        problem "The application listens on 127.0.0.1 in its container, where no request from outside arrives: let it listen on 0.0.0.0, such as with --host 0.0.0.0"
    elif [ "$state" = created ] && [ -z "$line" ]; then
        problem "$service was not started, since another service is not healthy: fix that service, then docker compose up --wait"
    else
        problem "$service $what: ${line:-its log is empty}: $(next_step "$error $log" "$service")"
    fi
done <<END
$states
END
# If the application has an image, `up` was run, and should have pulled the other images
if [ -n "$made" ]; then
    while IFS=$tab read -r service wants; do
        [ -z "$wants" ] || docker image inspect "$wants" >/dev/null 2>&1 || problem "$wants, the image of $service, is missing: docker compose pull $service, which pulls it or tells why it cannot"
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
        fine "The addresses of proxies and mirrors were not tried: that needs curl or wget"
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
