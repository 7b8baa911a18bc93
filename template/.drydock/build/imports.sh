#!/bin/sh
# Compiles the code and imports what production runs, as its user would: imports.sh MODULE... In a stage that is thrown away,
# since the standard library's folders are opened for its bytecode, which images lack. That of all that was imported is left
# in /shipped; -B keeps out that of the tools.
set -eu

library() { find /usr/local/lib /opt/python -name site-packages -prune -o "$@"; }

# What was compiled into /opt/venv/lib is found from here on
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
