# The container as a virtual environment, in fish: `source .drydock/host/activate.fish`. `deactivate` ends it. See activate.

if functions -q deactivate
    deactivate
end

sh (dirname (status filename))/activate.sh | read -l --line ids folder
test -n "$folder"; or return

set -g DRYDOCK_PROJECT $folder
if not contains $folder/data/bin $PATH
    set -gx PATH $folder/data/bin $PATH
end
set -q HOST_UID; and set -g _drydock_old_uid $HOST_UID
set -q HOST_GID; and set -g _drydock_old_gid $HOST_GID
set -gx HOST_UID (string split ' ' $ids)[1]
set -gx HOST_GID (string split ' ' $ids)[2]

functions -c fish_prompt _drydock_old_prompt
function fish_prompt
    # The prompt may show the status of the last command
    set -l last $status
    printf '(%s) ' (basename $DRYDOCK_PROJECT)
    sh -c "exit $last"
    _drydock_old_prompt
end

function deactivate
    set -gx PATH (string match -v -- $DRYDOCK_PROJECT/data/bin $PATH)
    set -e HOST_UID HOST_GID
    set -q _drydock_old_uid; and set -gx HOST_UID $_drydock_old_uid
    set -q _drydock_old_gid; and set -gx HOST_GID $_drydock_old_gid
    functions -e fish_prompt
    functions -c _drydock_old_prompt fish_prompt
    functions -e _drydock_old_prompt deactivate
    set -e DRYDOCK_PROJECT _drydock_old_uid _drydock_old_gid
end
