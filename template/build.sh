#!/bin/sh
# What the operating system must have. Yours to edit: the Dockerfile runs each section as root, in a stage of its own.
# The lines above the first section are part of all three: put there what `build` and `run` both need.
# What must not be installed by root: runuser -u app -- COMMAND
set -eu

apt_install() {
    apt-get update --error-on=any
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
    rm -rf /var/lib/apt/lists/*
}

## run: what the application needs while it runs. In every image.
# apt_install libpq5

## build: what Python packages need while they are built. In no image that ships; what is compiled into /opt/venv is in all:
# ./configure --prefix=/opt/venv && make install
# apt_install gcc libc6-dev libpq-dev

## assets: what is made of the code, such as static files, translations and front ends. It ships. Runs in the folder of the code as
## production's user, with its packages, the OS packages of `build` and `run`, and build.env. In development: ./sh assets
# python manage.py collectstatic --noinput
## A section that names folders (## assets frontend: npm run build) runs again only after an edit in those

## dev: what people need. Only in the container to work in.
apt_install less procps
