#!/bin/sh
# Sorts the files of /inputs by the stages that use them, so that an edit of a file rebuilds only these stages.
set -eu

# build.sh cut into its sections. The lines above the first are part of each; other lines with ## are comments
mkdir /sections
cd /sections
sed 's/\r$//' /inputs/build.sh >build.sh
sh -n build.sh
for section in run build dev; do
    mkdir $section
    cp /inputs/network.sh $section/
    awk -v mine="$section:" '/^##[ \t]+(run|build|dev):/ { cut = 1; on = ($2 == mine) } !cut || on' build.sh >$section/build.sh
done

# build.env for the tests and the import check; import.env is its older name
mkdir /settings
cp /inputs/with_settings.sh /settings/
for file in /inputs/build.env /inputs/import.env; do [ ! -e "$file" ] || cp "$file" /settings/; done

# Settings of package indexes, if they are build arguments
mkdir /indexes
for name in UV_DEFAULT_INDEX UV_INDEX UV_PYTHON_INSTALL_MIRROR; do
    if printenv $name >/dev/null; then printenv $name >/indexes/$name; fi
done
