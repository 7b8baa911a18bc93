#!/bin/sh
# Runs a script that installs, as root, behind the proxy and the mirror that this build has, and leaves no trace of them:
# network.sh SCRIPT NAME
set -eu

fail() { echo "$*" >&2; exit 1; }

# apt knows the small letters only
if [ -n "${HTTP_PROXY:-}" ]; then export http_proxy="$HTTP_PROXY"; fi
if [ -n "${HTTPS_PROXY:-}" ]; then export https_proxy="$HTTPS_PROXY"; fi
if [ -n "${NO_PROXY:-}" ]; then export no_proxy="$NO_PROXY"; fi

lists=
if [ -n "${APT_MIRROR:-}" ]; then
    case $APT_MIRROR in
        *@*) fail "APT_MIRROR may hold no password, since every image would tell it. Use HTTP_PROXY, whose value no image keeps" ;;
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
sh "$1" || status=$?
for list in $lists; do cp --preserve=all "/tmp/${list##*/}.kept" "$list"; rm "/tmp/${list##*/}.kept"; done
# What was compiled into /opt/venv/lib is found from here on
ldconfig
[ $status = 0 ] || fail "$2 failed with status $status: see above"
