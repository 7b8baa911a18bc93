#!/bin/sh
# OS packages, and things compiled from source. Yours to edit. Each section runs as root, in its own build stage.
# Lines above the first section are part of all three: put packages there that both `build` and `run` need.
# To install something as the user app instead: runuser -u app -- COMMAND
set -eu

apt_install() {
    apt-get update --error-on=any
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
    rm -rf /var/lib/apt/lists/*
}

## run: packages that the application needs at run time. In every image.
# apt_install libpq5

## build: what building Python packages needs. Not in the production image; what you compile into /opt/venv is in all:
# ./configure --prefix=/opt/venv && make install
# apt_install gcc libc6-dev libpq-dev

## assets: static files, translations, front ends: files made of the code, which ship. Runs in the folder of the code, as
## production's user, with production's packages, the OS packages of `build` and `run`, and build.env. In development: ./sh assets
# python manage.py collectstatic --noinput
## A section that names folders (## assets frontend:) runs again only after an edit in those folders

## dev: tools for developers. Only in the development container.
apt_install less procps
