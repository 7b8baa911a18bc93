#!/bin/sh
# Compiles the code, and imports production's modules as production's user: imports.sh PROGRAM MODULE|SCRIPT... PROGRAM is the
# first word of serve_command, or empty. Run in a stage that is thrown away: it makes the standard library writable, since
# images lack its bytecode. Copies the bytecode of all that was imported to /shipped. -B writes no bytecode of the tools.
set -eu

program=$1
shift
if [ -n "$program" ] && ! command -v "$program" >/dev/null; then
    case $program in
        uv | poetry | pipenv | pdm | hatch) echo "Production has no $program, and needs none: leave \`$program run\` out of the answer serve_command" ;;
        */*) echo "serve_command starts $program, and the folder of the code has no executable file of this name (chmod +x)" ;;
        *) echo "serve_command starts $program, and production has no such command. Add the package that brings it to the answer dependencies; or, if it is this project's own, add . to it (such as \`uv.lock .\`)" ;;
    esac >&2
    exit 1
fi

library() { find /usr/local/lib /opt/python -name site-packages -prune -o "$@"; }

# Let the loader find libraries that were compiled into /opt/venv/lib
ldconfig
# Files in another Python's syntax are not compiled, and need not be
python -B -m compileall -qq . || true
touch /tmp/start
library -type d -exec chmod a+w {} +
if [ $# -gt 0 ]; then
    # A server is a script, too
    if [ -e "/opt/venv/bin/$program" ]; then set -- "/opt/venv/bin/$program" "$@"; fi
    setpriv --reuid=1000 --regid=1000 --clear-groups sh /tmp/with_settings.sh python -P /tmp/imports.py "$@"
fi
library -type d -exec chmod go-w {} +
mkdir /shipped
cp --parents /etc/ld.so.cache /shipped
library -name '*.pyc' -newer /tmp/start -exec cp --parents --target-directory=/shipped {} +
