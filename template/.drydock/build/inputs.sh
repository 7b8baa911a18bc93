#!/bin/sh
# Sorts the files of /inputs by the stages that use them, so that an edit of a file rebuilds only these stages.
set -eu

# build.sh cut into its sections. The lines above the first are part of each; other lines with ## are comments. Of the section
# assets there may be several: those that name folders read these alone
mkdir /sections
cd /sections
sed 's/\r$//' /inputs/build.sh >build.sh
sh -n build.sh
section() {
    awk -v mine="$1" '
        /^##[ \t]+(run|build|dev|assets([ \t]+[^:]+)?):/ { name = $0; sub(/^##[ \t]+/, "", name); sub(/:.*/, "", name); sub(/[ \t].*/, " FOLDERS", name); cut = 1; on = (name == mine); next }
        !cut || on { print; some = some || on && NF && !/^#/ }
        END { exit !some }' build.sh >"$2"
}
for name in run build dev; do
    mkdir $name
    cp /inputs/network.sh $name/
    # The stage `requirements` looks for it: is something compiled?
    if section $name $name/build.sh; then touch $name/used; fi
done
mkdir folders assets
section "assets FOLDERS" folders/folders.sh || rm folders/folders.sh
section assets assets/section.sh || rm assets/section.sh
sed -nE 's/^##[ \t]+assets[ \t]+([^:]+):.*/\1/p' build.sh >folders/names
# For the container to develop in
{ echo '#!/bin/sh'; echo cd /app; cat folders/folders.sh assets/section.sh 2>/dev/null || true; } >/usr/local/bin/assets
chmod +x /usr/local/bin/assets

# build.env for the tests and the import check; import.env is its older name
mkdir /settings
cp /inputs/with_settings.sh /settings/
for file in /inputs/build.env /inputs/import.env; do [ ! -e "$file" ] || cp "$file" /settings/; done

# Settings of package indexes, if they are build arguments
mkdir /indexes
for name in UV_DEFAULT_INDEX UV_INDEX UV_PYTHON_INSTALL_MIRROR; do
    if printenv $name >/dev/null; then printenv $name >/indexes/$name; fi
done
