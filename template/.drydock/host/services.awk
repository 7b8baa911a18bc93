# docker compose config | awk -f services.awk: facts, one a line, SERVICE <tab> WHAT <tab> VALUE. For example:
# postgres  image  postgres:18  |  postgres  environment  POSTGRES_USER=app  |  postgres  port  127.0.0.1 5432 5432
# postgres  bind  /...  |  app  runs  demo-app (the image, also where only Compose knows its name)

function plain(text) {
    if (text ~ /^".*"$/) {
        text = substr(text, 2, length(text) - 2)
        gsub(/\\"/, "\"", text)
        gsub(/\\\\/, "\\", text)
    } else if (text ~ /^'.*'$/) {
        text = substr(text, 2, length(text) - 2)
        gsub(/''/, "'", text)
    }
    gsub(/\$\$/, "$", text)
    return text
}

function item() {
    if (key == "ports" && field["published"] != "") {
        host = field["host_ip"]
        if (host == "" || host == "0.0.0.0" || host == "::") host = "127.0.0.1"
        print service "\tport\t" host " " field["published"] " " field["target"]
    }
    if (key == "volumes" && field["type"] == "bind")
        print service "\tbind\t" field["source"] "\t" field["target"]
    split("", field)
}

function runs() {
    if (service != "") print service "\truns\t" (image == "" ? project "-" service : image)
    service = image = ""
}

function read_field(line) {
    name = line
    sub(/:.*/, "", name)
    sub(/^[^:]*: ?/, "", line)
    field[name] = plain(line)
}

/^name: / { project = plain($2) }
/^[^ ]/ { item(); runs(); key = ""; top = $1 }
top != "services:" { next }

/^  [^ ]/ {
    item()
    runs()
    key = ""
    service = plain(substr($0, 3, length($0) - 3))
    print service "\tservice\t"
}
/^    [^ ]/ {
    item()
    key = $1
    sub(/:.*/, "", key)
    value = $0
    sub(/^    [^:]*: ?/, "", value)
    if (key == "image") image = plain(value)
    if (value != "") print service "\t" key "\t" plain(value)
}
/^      [^ ]/ && key == "environment" {
    value = $0
    sub(/^ */, "", value)
    name = value
    sub(/:.*/, "", name)
    sub(/^[^:]*: ?/, "", value)
    print service "\tenvironment\t" name "=" plain(value)
}
/^      - / && (key == "ports" || key == "volumes") {
    item()
    read_field(substr($0, 9))
}
/^        [^ ]/ && (key == "ports" || key == "volumes") { read_field(substr($0, 9)) }
/^      - / && key == "profiles" { print service "\tprofile\t" plain(substr($0, 9)) }

END { item(); runs() }
