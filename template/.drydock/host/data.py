"""The part of data.sh in a container: data.py ACTION COMMAND CALL NAME FOLDERS. It runs as root, with data/ at /data.

It prints `stop` when services must stop, waits for a line on standard input, and prints `done`. Standard input ends
when data.sh ends, for whatever reason. If the change is not committed by then, it is undone.

A change is a list of renames in a journal. Renaming the journal commits it. A process that is killed before changed
nothing; the next run completes one that is killed after. Exit status 3: nothing was changed, the reason was printed.
"""

import fcntl
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress

WORK = ".drydock"
NEW, OLD, PREPARED, COMMITTED, LAST = (
    f"{WORK}/{name}" for name in ("new", "old", "prepared", "committed", "last")
)
PART = "snapshots/.part"
# In /data and each service's folder: nothing starts beside BUSY while its process lives, and never beside HALF
BUSY, HALF = ".drydock-busy", ".drydock-half"
KEPT = {".gitkeep", BUSY, HALF}
NO_DATA = {
    *KEPT,
    WORK,
    ".bash_history",
    ".gitignore",
    "bin",
    "local.env",
    "logs",
    "site-packages",
    "snapshots",
}


class Undone(Exception):
    """The reason why nothing was changed. Without a reason, data.sh has hung up."""


def hung_up(seconds: float = 0) -> bool:
    return bool(select.select([0], [], [], seconds)[0]) and not os.read(0, 1)


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def copy_status(source: str, target: str) -> None:
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)


def give_to_owner(path: str) -> None:
    owner = os.stat(".")
    os.chown(path, owner.st_uid, owner.st_gid)


def make_folder(path: str) -> None:
    """Make a folder that is missing: the engine would create it as root."""
    if not os.path.lexists(path):
        os.mkdir(path)
        give_to_owner(path)
    if os.path.islink(path) or not os.path.isdir(path):
        raise Undone(
            f"data/{path} must be a folder, and no link: the target of a link cannot be reached from data/"
        )


def with_parents(folders: list[str]) -> list[str]:
    parts = [folder.split("/") for folder in folders]
    return sorted(
        {"/".join(names[: depth + 1]) for names in parts for depth in range(len(names))}
    )


def contents(tree: str, folders: list[str], below: str = "") -> Iterator[str]:
    """Yield the paths of the data. A service's folder is mounted and may be in git, so yield its contents."""
    for name in os.listdir(os.path.join(tree, below)):
        path = os.path.join(below, name)
        if path in NO_DATA or (below in folders and name in KEPT):
            continue
        if any(f"{folder}/".startswith(f"{path}/") for folder in folders):
            if os.path.islink(os.path.join(tree, path)) or not os.path.isdir(
                os.path.join(tree, path)
            ):
                raise Undone(f"In the snapshot {path} is no folder")
            yield from contents(tree, folders, path)
        else:
            yield path


def check_mounts(paths: list[str]) -> None:
    with open("/proc/self/mountinfo", "rb") as lines:
        points = [
            re.sub(
                rb"\\(\d{3})", lambda octal: bytes([int(octal[1], 8)]), line.split()[4]
            )
            for line in lines
        ]
    for point in (os.fsdecode(point).removeprefix("/data/") for point in points):
        if any(
            f"{point}/".startswith(f"{path}/") or f"{path}/".startswith(f"{point}/")
            for path in paths
        ):
            raise Undone(
                f"data/{point} is a disk or a mount of its own, which cannot be replaced together with the rest of data/"
            )


def tar(*arguments: str) -> None:
    with subprocess.Popen(
        ["tar", "--gzip", "--numeric-owner", *arguments], stdin=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            if hung_up(0.1):
                process.kill()
                raise Undone
    if process.returncode:
        raise Undone("tar failed, see above")


def pack() -> None:
    with open(f"{WORK}/names", "wb") as file:
        file.write(
            b"\0".join(
                os.fsencode(name) for name in os.listdir() if name not in NO_DATA
            )
        )
    tar(
        "--create",
        f"--file={PART}",
        f"--exclude={BUSY}",
        "--null",
        "--verbatim-files-from",
        f"--files-from={WORK}/names",
    )
    give_to_owner(PART)


def unpack(name: str) -> None:
    tar(
        "--extract",
        f"--file=snapshots/{name}.tar.gz",
        "--same-owner",
        "--preserve-permissions",
        f"--directory={NEW}",
    )


def copy_to_new(path: str) -> None:
    """Copy a file or an empty folder, and the folders above it."""
    if path and not os.path.lexists(f"{NEW}/{path}"):
        copy_to_new(os.path.dirname(path))
        if os.path.isdir(path):
            os.mkdir(f"{NEW}/{path}")
        else:
            shutil.copyfile(path, f"{NEW}/{path}")
        copy_status(path, f"{NEW}/{path}")


def keep_folders(paths: list[str]) -> None:
    """Keep the folders that have a .gitkeep, without their data."""
    for path in paths:
        for folder, _, files in os.walk(path):
            if ".gitkeep" in files and not os.path.islink(path):
                copy_to_new(f"{folder}/.gitkeep")


def prepare(action: str, name: str, folders: list[str]) -> dict:
    """Return the change: what leaves, what arrives, and the folders that stay and become like their namesakes."""
    if action == "snapshot":
        pack()
        return {
            "leaves": [],
            "arrives": [(PART, f"snapshots/{name}.tar.gz")],
            "stays": [],
        }
    leaves = list(contents(".", folders))
    if action == "reset":
        if name:
            leaves = [
                path
                for path in leaves
                if any(path.startswith(f"{folder}/") for folder in folders)
            ]
        keep_folders(leaves)
    check_mounts(leaves)
    return {
        "leaves": [(path, f"{OLD}/{number}") for number, path in enumerate(leaves)],
        "arrives": [(f"{NEW}/{path}", path) for path in contents(NEW, folders)],
        "stays": [
            (f"{NEW}/{folder}", folder)
            for folder in with_parents(folders)
            if os.path.isdir(f"{NEW}/{folder}")
        ],
    }


def commit(change: dict) -> None:
    write(PREPARED, json.dumps(change))
    # What arrives must be on the disk before what leaves is deleted
    if subprocess.run(["sync", "--file-system", ".", "snapshots"]).returncode:
        raise Undone("The disk fails")
    if hung_up():
        raise Undone
    if change["leaves"] or change["stays"]:
        for folder in (*change["folders"], "."):
            os.rename(f"{folder}/{BUSY}", f"{folder}/{HALF}")
    os.rename(PREPARED, COMMITTED)


def complete() -> None:
    """Make the committed change, or the rest of it."""
    with open(COMMITTED) as file:
        change = json.load(file)
    for source, target in change["leaves"]:
        if os.path.lexists(source) and not os.path.lexists(target):
            os.rename(source, target)
    for source, target in change["arrives"]:
        if os.path.lexists(source):
            if os.path.isdir(target):
                os.rename(target, tempfile.mkdtemp(dir=OLD) + "/stray")
            os.replace(source, target)
    for source, target in change["stays"]:
        copy_status(source, target)
    let_start(change["folders"])
    os.rename(COMMITTED, LAST)


def let_start(folders: list[str]) -> None:
    for folder in (*folders, "."):
        for name in (BUSY, HALF):
            with suppress(FileNotFoundError, NotADirectoryError):
                os.remove(f"{folder}/{name}")


def clean(folders: list[str]) -> None:
    """Remove all temporary files, those of a change that was undone and of one that was made."""
    for path in (PREPARED, PART, f"{WORK}/names"):
        with suppress(FileNotFoundError):
            os.remove(path)
    for tree in (NEW, OLD):
        shutil.rmtree(tree, ignore_errors=True)
    let_start(folders)


def recover(folders: list[str]) -> str:
    """Complete or undo a change that was cut off, and return which."""
    did = ""
    for mark in (BUSY, HALF):
        with suppress(FileNotFoundError), open(mark) as file:
            did = f"{file.read()} was cut off before it changed anything."
    with suppress(FileNotFoundError), open(COMMITTED) as file:
        did = f"{json.load(file)['command']} was cut off half-way. It is complete now."
        complete()
    clean(folders)
    return did


def lock(folder: str, how: int = fcntl.LOCK_EX) -> int:
    """Lock a folder for as long as this process lives."""
    file = os.open(folder, os.O_RDONLY)
    fcntl.flock(file, how)
    return file


def main(action: str, command: str, call: str, name: str, folders: list[str]) -> None:
    if action == "finish":
        lock(".")
        print(recover(folders) or "Nothing was cut off.", file=sys.stderr)
        with suppress(FileNotFoundError), open(LAST) as file:
            print(json.load(file)["call"])
        return

    try:
        lock(".", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Undone(
            "Another ./sh --snapshot, --restore or --reset is under way: try again when it has ended"
        ) from None
    if did := recover(folders):
        print(did, file=sys.stderr)
    try:
        for folder in (WORK, NEW, OLD, "snapshots", *with_parents(folders)):
            make_folder(folder)
        os.chmod(WORK, 0o700)
        if action == "restore":
            unpack(name)
        for folder in folders:
            lock(folder)
        for folder in (".", *folders):
            write(f"{folder}/{BUSY}", command)
        print("stop", flush=True)
        if not os.read(0, 1):
            raise Undone
        commit(
            prepare(action, name, folders)
            | {"command": command, "call": call, "folders": folders}
        )
    except (Undone, OSError) as error:
        clean(folders)
        why = str(error)
        if isinstance(error, OSError):
            why = f"{error.strerror}: data/{error.filename}"
        raise Undone(f"{why}. Nothing was changed" if why else "") from None
    complete()
    print("done", flush=True)
    clean(folders)
    # Hold the lock until data.sh has started the services again
    os.read(0, 1)


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/data")
    try:
        action, command, call, name, folders = sys.argv[1:]
        main(action, command, call, name, folders.splitlines())
    except Undone as error:
        if str(error):
            print(error, file=sys.stderr)
        sys.exit(3)
    except OSError as error:
        sys.exit(f"{error.strerror}: data/{error.filename}")
