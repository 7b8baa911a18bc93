#!/bin/sh
# Runs a command that downloads, as root, and leaves no trace of the network: network.sh HINT COMMAND...
# HINT is printed if it fails; of uv pip install, HINT is the files that list what it installs. The command gets the proxies
# and the mirror of this build, the settings of package indexes (files in /run/secrets, which may hold passwords), and the
# caches that are mounted.
set -eu

fail() { echo "$*" >&2; exit 1; }
mounted() { grep -q " $1 " /proc/self/mountinfo; }

hint=$1
shift

# apt reads these in lower case only
if [ -n "${HTTP_PROXY:-}" ]; then export http_proxy="$HTTP_PROXY"; fi
if [ -n "${HTTPS_PROXY:-}" ]; then export https_proxy="$HTTPS_PROXY"; fi
if [ -n "${NO_PROXY:-}" ]; then export no_proxy="$NO_PROXY"; fi

for file in /run/secrets/UV_*; do
    if [ -s "$file" ]; then export "${file##*/}=$(cat "$file")"; fi
done

if mounted /var/cache/apt; then
    # Outside of the folders that base images and build.sh empty; each release has its own
    # shellcheck source=/dev/null
    kept=/var/cache/apt/kept/$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")
    mkdir -p "$kept/archives" "$kept/lists" /var/cache/apt/kept/pip
    printf '%s\n' "Dir::Cache::archives \"$kept/archives\";" "Dir::State::lists \"$kept/lists\";" \
        'APT::Get::List-Cleanup "false";' 'Binary::apt::APT::Keep-Downloaded-Packages "true";' >/tmp/apt.conf
    export APT_CONFIG=/tmp/apt.conf PIP_CACHE_DIR=/var/cache/apt/kept/pip
fi

if mounted /root/.cache/uv; then
    unset UV_NO_CACHE
    # Packages that are built here fit only the system that they were built on; downloads fit all
    system=$({ cat /etc/os-release /var/lib/dpkg/status "${0%/*}/build.sh"; python -VV; } 2>/dev/null | sha256sum | cut -c -16)
    export UV_CACHE_DIR="/root/.cache/uv/$system" UV_LINK_MODE=copy UV_PYTHON_CACHE_DIR=/root/.cache/uv/python
    for bucket in archive-v0 git-v0 simple-v28 wheels-v8; do
        mkdir -p "/root/.cache/uv/$bucket" "$UV_CACHE_DIR"
        [ -e "$UV_CACHE_DIR/$bucket" ] || ln -sn "../$bucket" "$UV_CACHE_DIR/" 2>/dev/null || :
    done
fi

lists=
if [ -n "${APT_MIRROR:-}" ]; then
    case $APT_MIRROR in
        *@*) fail "APT_MIRROR must not contain a password, since every image would show it. Use HTTP_PROXY, which no image keeps" ;;
        http://* | https://*) ;;
        *) fail "APT_MIRROR is $APT_MIRROR: begin it with http:// or https://" ;;
    esac
    lists=$(find /etc/apt -name '*.list' -o -name '*.sources')
    for list in $lists; do
        cp --preserve=all "$list" "/tmp/${list##*/}.kept"
        sed -i -E "s#https?://[a-z.]+\.(debian\.org|ubuntu\.com)#${APT_MIRROR%/}#" "$list"
    done
fi

status=0
"$@" || status=$?
for list in $lists; do cp --preserve=all "/tmp/${list##*/}.kept" "$list"; rm "/tmp/${list##*/}.kept"; done
rm -f /tmp/apt.conf
# Let the loader find libraries that were compiled into /opt/venv/lib
ldconfig
case $status,$hint,$* in
    0,*) ;;
    *,?*,"uv pip install "*)
        fail "$hint: not all of it can be installed, see above. What is compiled or comes by git needs the section build of build.sh, whatever is" \
            "in run. Where an older release has no wheel for this Python, answer python_version with one that it has wheels for" ;;
    *) fail "$hint" ;;
esac
