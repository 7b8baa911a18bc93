#!/bin/sh
# Compiles the code, and imports production's modules as production's user: imports.sh MODULE... Run in a stage that is
# thrown away: it makes the standard library writable, since images lack its bytecode. Copies the bytecode of all that
# was imported to /shipped. -B writes no bytecode of the tools.
set -eu

library() { find /usr/local/lib /opt/python -name site-packages -prune -o "$@"; }

# Let the loader find libraries that were compiled into /opt/venv/lib
ldconfig
# Files in another Python's syntax are not compiled, and need not be
python -B -m compileall -qq . || true
touch /tmp/start
library -type d -exec chmod a+w {} +
if [ $# -gt 0 ]; then setpriv --reuid=1000 --regid=1000 --clear-groups sh /tmp/with_settings.sh python -P /tmp/imports.py "$@"; fi
library -type d -exec chmod go-w {} +
mkdir /shipped
cp --parents /etc/ld.so.cache /shipped
library -name '*.pyc' -newer /tmp/start -exec cp --parents --target-directory=/shipped {} +
