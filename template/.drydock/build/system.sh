#!/bin/sh
# For every stage: CA certificates, and the user.
set -eu

bundle=/etc/ssl/certs/ca-certificates.crt
certificates=$(find /tmp -name '*.crt')
if ! command -v update-ca-certificates >/dev/null; then
    # Ubuntu's image has no CA certificates yet, and an https mirror needs them first
    for file in $certificates; do cat "$file" >>"$bundle"; done
    apt-get update --error-on=any
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates
    rm -rf /var/lib/apt/lists/*
fi
if [ -n "$certificates" ]; then
    # shellcheck disable=SC2086 # one word a file
    cp $certificates /usr/local/share/ca-certificates/
    update-ca-certificates
fi

# Ubuntu's images come with a user 1000 of their own
if id ubuntu >/dev/null 2>&1; then userdel --remove ubuntu 2>/dev/null; fi
useradd --uid 1000 --user-group --home-dir /home/app --create-home --shell /bin/bash app

echo /opt/venv/lib >/etc/ld.so.conf.d/venv.conf
