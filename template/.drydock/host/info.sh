#!/bin/sh
# ./sh --info: what runs, where to reach it from this machine, with which credentials and by which client.
# ./sh --env (info.sh env): the application's environment, as a program on this machine needs it.
set -eu

cd "$(dirname "$0")/../.."
config=$(docker compose --profile '*' config)
# What runs may have other ports than the files say, where they leave the choice to Docker
states=$(docker compose --profile '*' ps --all --format '{{.Service}}	state	{{.State}} {{.Health}} {{.ExitCode}}{{$name := .Service}}{{range .Publishers}}
{{$name}}	published	{{.URL}} {{.PublishedPort}} {{.TargetPort}}{{end}}')
{
    # The application's own secrets are nobody else's
    sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1	secret/p' data/local.env 2>/dev/null || true
    printf '%s\n' "$states"
    printf '%s\n' "$config" | awk -f .drydock/host/services.awk
} | awk -F '\t' -v "what=${1:-info}" -f .drydock/host/info.awk
