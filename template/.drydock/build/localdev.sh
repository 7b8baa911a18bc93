#!/bin/sh
# Prepares the development container for any user of the host.
set -eu

# The entrypoint adds the user
chmod a+w /etc/passwd
# All shells share one history
cat >>/home/app/.bashrc <<'END'
HISTFILE=/data/.bash_history HISTFILESIZE=-1 HISTSIZE=10000
PROMPT_COMMAND="shopt -s histappend; trap 'history -a' DEBUG; history -a; history -c; history -r"
END
chmod -R a+rwX /home/app
# Any user may add packages, to try them; debugger, watchers and pip come from /opt/tools
find /opt/venv -type d -exec chmod a+w {} +
packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo /opt/tools >"$packages/tools.pth"
# The debugger, in every Python process of a command that `debug` runs
mv /usr/local/bin/debug.py /opt/tools/drydock_debug.py
# shellcheck disable=SC2016 # for the shell that runs it
printf '%s\n' '#!/bin/sh' 'exec /opt/venv/bin/python -IS /opt/tools/drydock_debug.py "$@"' >/usr/local/bin/debug
chmod +x /usr/local/bin/debug
ln -s "$packages" /opt/venv/site-packages
echo 'import os; "DRYDOCK_DEBUG" in os.environ and __import__("drydock_debug").start()' >>"$packages/tools.pth"
[ -e /opt/venv/bin/pip ] || ln -s /opt/tools/bin/pip /opt/venv/bin/
# git accepts any owner of /app
printf '[safe]\n\tdirectory = *\n' >/etc/gitconfig
