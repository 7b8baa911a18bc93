#!/bin/sh
# ./sh --info: what runs, where to reach it from this machine, with which credentials and by which client.
set -eu

cd "$(dirname "$0")/.."
config=$(docker compose --profile '*' config)
states=$(docker compose --profile '*' ps --all --format '{{.Service}}	state	{{.State}} {{.Health}} {{.ExitCode}}')
{
    printf '%s\n' "$states"
    printf '%s\n' "$config" | awk -f .drydock/services.awk
} | awk -F '\t' '
    $2 == "state" { state[$1] = $3 }
    $2 == "service" { services[++count] = $1 }
    $2 == "profile" { profile[$1] = 1 }
    $2 == "x-client" { client[$1] = $3 }
    $2 == "port" { ports[$1] = ports[$1] $3 "\n" }
    $2 == "environment" && $1 == "app" { urls[++urls_count] = $3 }
    $2 == "environment" { environment[$1] = environment[$1] $3 "\n" }

    # What leads the application to a service, as this machine would write it: @postgres:5432/ is @127.0.0.1:5432/ here
    function show_urls(service, here, port,    number, url, place, before) {
        for (number = 1; number <= urls_count; number++) {
            url = urls[number]
            place = index(url, service ":" port)
            before = substr(url, place - 1, 1)
            if (place && before ~ /[@\/=,]/ && substr(url, place + length(service ":" port), 1) !~ /[0-9]/) {
                print "    " substr(url, 1, place - 1) here substr(url, place + length(service ":" port))
                shown = 1
            }
        }
    }

    END {
        for (number = 1; number <= count; number++) {
            service = services[number]
            if (profile[service] && !state[service]) continue
            split(state[service], part, " ")
            print service ": " (!state[service] ? "not running" : part[1] (part[1] == "exited" ? " with status " part[2] : part[3] != "" ? ", " part[2] : ""))
            total = split(ports[service], lines, "\n") - 1
            for (line = 1; line <= total; line++) {
                split(lines[line], word, " ")
                here = word[1] ":" word[2]
                shown = 0
                show_urls(service, here, word[3])
                if (shown) continue
                if (service == "app" && word[3] == 5678) print "    debugger: " here
                else if (word[3] ~ /^(80|3000|5000|8000|8025|8080|8081|8123|8888|9001|9200|9308|15672)$/) print "    http://" here
                else print "    port " word[3] ": " here
            }
            if (service !~ /^(app|tests|service)$/) {
                total = split(environment[service], lines, "\n") - 1
                for (line = 1; line <= total; line++) {
                    name = lines[line]
                    sub(/=.*/, "", name)
                    if (name ~ /USER|PASS|SECRET|TOKEN|KEY|AUTH$|DATABASE$|DB$/ && lines[line] !~ /=\//) print "    " lines[line]
                }
            }
            if (service == "app") print "    ./sh"
            else if (service !~ /^(tests|service)$/) print "    ./sh -s " service (client[service] ? " " client[service] : "")
        }
    }'
