# For info.sh: reads its facts, prints what=info or what=env.

$2 == "secret" { secret[$1] = 1 }
$2 == "state" { state[$1] = $3 }
$2 == "service" { services[++count] = $1; known[$1] = 1 }
$2 == "profile" { profile[$1] = 1 }
$2 == "x-client" { client[$1] = $3 }
# INSIDE OUTSIDE: two ports of a server, the first for containers, the second for this machine
$2 == "x-outside" { split($3, word, " "); inside[$1, word[2]] = word[1] }
$2 == "port" { add_port(ports, $1, $3) }
$2 == "published" { add_port(published, $1, $3) }
$2 == "environment" && $1 == "app" { app[++app_count] = $3 }
$2 == "environment" { environment[$1] = environment[$1] $3 "\n" }

# Adds HOST PORT TARGET, unless Docker has not picked the port yet, or repeats it for IPv6
function add_port(list, service, port,    word) {
    if (split(port, word, " ") < 3 || word[2] !~ /^[1-9]/ || (list[service] "\n") ~ "[ ]" word[3] "\n") return
    if (word[1] == "0.0.0.0" || word[1] == "::") word[1] = "127.0.0.1"
    if (word[1] ~ /:/) word[1] = "[" word[1] "]"
    list[service] = list[service] word[1] " " word[2] " " word[3] "\n"
}

# Whether a text contains SERVICE:PORT as a whole word; place is its position
function names(text, address, from,    before, after) {
    place = index(substr(text, from), address)
    if (!place) return 0
    place += from - 1
    before = substr(text, place - 1, 1)
    after = substr(text, place + length(address), 1)
    return before !~ /[A-Za-z0-9_.-]/ && after !~ /[0-9]/ ? place : names(text, address, place + 1)
}

# A line of the application's environment, as it is on this machine: @postgres:5432/ is @127.0.0.1:5432/ here
function translated(line,    address, from) {
    for (address in here)
        for (from = 1; (from = names(line, address, from)); from += length(here[address]))
            line = substr(line, 1, from - 1) here[address] substr(line, from + length(address))
    return line
}

function quoted(value) {
    if (value ~ /^[A-Za-z0-9_.\/:@,%+=-]*$/) return value
    if (value !~ /'/) return "'" value "'"
    gsub(/["$\\`]/, "\\\\&", value)
    return "\"" value "\""
}

# A service's address for containers: SERVICE:PORT
function address(service, target) { return service ":" ((service, target) in inside ? inside[service, target] : target) }

# The published ports in the order of the files, and then those that Docker picked
function in_order(ports, published,    total, lines, line, word, first, last) {
    total = split(published, lines, "\n") - 1
    for (line = 1; line <= total; line++) {
        split(lines[line], word, " ")
        at[word[3]] = lines[line]
        if (("\n" ports) !~ "[ ]" word[3] "\n") last = last lines[line] "\n"
    }
    total = split(ports, lines, "\n") - 1
    for (line = 1; line <= total; line++) {
        split(lines[line], word, " ")
        if (word[3] in at) first = first at[word[3]] "\n"
    }
    split("", at)
    return first last
}

function resolve(    number, service, total, lines, line, word) {
    for (number = 1; number <= count; number++) {
        service = services[number]
        if (published[service] != "") ports[service] = in_order(ports[service], published[service])
        total = split(ports[service], lines, "\n") - 1
        for (line = total; line >= 1; line--) {
            split(lines[line], word, " ")
            host[service] = word[1]
            port[address(service, word[3])] = word[2]
            here[address(service, word[3])] = word[1] ":" word[2]
        }
    }
}

function print_env(    number, name, value, service, missing, wanted, sibling) {
    for (number = 1; number <= app_count; number++) {
        name = value = app[number]
        sub(/=.*/, "", name)
        sub(/^[^=]*=/, "", value)
        wanted[name] = value
    }
    for (number = 1; number <= app_count; number++) {
        name = app[number]
        sub(/=.*/, "", name)
        value = translated(app[number])
        sub(/^[^=]*=/, "", value)
        missing = ""
        for (service in known) if (value ~ "(^|[^A-Za-z0-9_.-])" service ":[0-9]") missing = service
        # A server's host and port may be two variables
        sibling = name
        sub(/PORT$/, "HOST", sibling)
        if (name ~ /HOST/ && value in known) {
            if (value in host) value = host[value]
            else missing = value
        } else if (sibling != name && (wanted[sibling] ":" value) in port) value = port[wanted[sibling] ":" value]
        else if (secret[name] && value == wanted[name]) continue
        if (missing) print "# " name ": " missing " has no port on this machine" (published[missing] == "" ? " before it runs" : "")
        else print name "=" quoted(value)
    }
}

function print_info(    number, service, part, total, lines, line, word, whole, shown, url, name) {
    for (number = 1; number <= count; number++) {
        service = services[number]
        if (profile[service] && !state[service]) continue
        split(state[service], part, " ")
        print service ": " (!state[service] ? "not running" : part[1] (part[1] == "exited" ? " with status " part[2] : part[3] != "" ? ", " part[2] : ""))
        total = split(ports[service], lines, "\n") - 1
        for (line = 1; line <= total; line++) {
            split(lines[line], word, " ")
            whole = address(service, word[3])
            shown = 0
            for (url = 1; url <= app_count; url++)
                if (names(app[url], whole, 1)) {
                    print "    " translated(app[url])
                    shown = 1
                }
            if (shown) continue
            if (service == "app" && word[3] == 5678) print "    debugger: " here[whole]
            else if (word[3] ~ /^(80|3000|5000|8000|8025|8080|8081|8123|8888|9001|9200|9308|15672)$/) print "    http://" here[whole]
            else print "    port " word[3] ": " here[whole]
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
}

END {
    resolve()
    if (what == "env") print_env()
    else print_info()
}
