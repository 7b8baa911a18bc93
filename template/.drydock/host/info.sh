#!/bin/sh
# ./sh --info: what runs, with its addresses on this machine, credentials and clients.
# ./sh --env (info.sh env): the application's environment variables for a program on this machine.
set -eu

cd "$(dirname "$0")/../.."
config=$(docker compose --profile '*' config)
# Running containers may have other ports than the files say: where these say 0, Docker picks one
states=$(docker compose --profile '*' ps --all --format '{{.Service}}	state	{{.State}} {{.Health}} {{.ExitCode}}{{$name := .Service}}{{range .Publishers}}
{{$name}}	published	{{.URL}} {{.PublishedPort}} {{.TargetPort}}{{end}}')
{
    # Names of the application's own secrets: --env leaves them out, unless they hold the address of a service
    sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1	secret/p' data/local.env 2>/dev/null || true
    printf '%s\n' "$states"
    printf '%s\n' "$config" | awk -f .drydock/host/services.awk
} | awk -F '\t' -v "what=${1:-info}" -f .drydock/host/info.awk
