"""Runs data.py, given as the first argument, in /data of a container of its own, and kills it before each single thing that it does.

After each death, and after one more in the midst of `finish`, `finish` must leave the old state or the new one, whole.
"""

import os
import random
import shutil
import sys
from itertools import count
from pathlib import Path

CODE = compile(Path(sys.argv[1]).read_text(), "data.py", "exec")
DATA = Path("/data")
# As `sys.addaudithook` calls what changes files
EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chown",
    "os.chmod",
    "os.utime",
    "subprocess.Popen",
}


def run(action: str, name: str = "", die_before: int = 0) -> int:
    """Run data.py as data.sh does; return its exit status, which is 9 where it died."""
    said, words = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(words[0], 0)
        os.dup2(said[1], 1)
        os.dup2(os.open("/tmp/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        for end in (*said, *words):
            os.close(end)
        events = count(1)

        def hook(event: str, arguments: tuple) -> None:
            writes = event != "open" or arguments[1] in ("w", "wb")
            if event in EVENTS and writes and next(events) == die_before:
                os._exit(9)

        sys.addaudithook(hook)
        sys.argv = ["data.py", action, f"./sh --{action}", f"call {die_before}", name, "postgres\nredis\nown/one"]
        exec(CODE, {"__name__": "__main__"})
        os._exit(0)
    os.close(said[1])
    os.close(words[0])
    with open(said[0]) as lines, open(words[1], "w") as answer:
        for line in lines:
            if line == "stop\n":
                answer.write("\n")
                answer.flush()
            elif line == "done\n":
                break
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def empty() -> None:
    for path in DATA.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def fill(word: str) -> None:
    files = {
        "postgres/18/docker/file",
        "redis/8/file",
        "own/one/file",
        "own/other/file",
        "-n\nodd",
        "up loads/file",
        "bin/python",
        "local.env",
    }
    for name in sorted(files | {"postgres/.gitkeep", "redis/.gitkeep", "up loads/.gitkeep", f"only {word}"}):
        file = DATA / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("" if file.name == ".gitkeep" else word)
        os.chown(file, 999, len(word))
    for number, folder in enumerate(("postgres", "redis/8", "up loads")):
        os.chown(DATA / folder, len(word), number)
        os.chmod(DATA / folder, 0o700 if word == "new" else 0o750)
    (DATA / "link").symlink_to(f"only {word}")
    os.mkfifo(DATA / "up loads/pipe")


def look() -> tuple[dict, list[str]]:
    """Return owner, mode and contents of all that is in /data, apart from data.py's own folder."""
    seen = {}
    for path in sorted(DATA.rglob("*")):
        name = str(path.relative_to(DATA))
        if not name.startswith(".drydock/") and not name.startswith("snapshots/"):
            status = path.lstat()
            text = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
            seen[name] = status.st_uid, status.st_gid, status.st_mode, text
    snapshots = DATA / "snapshots"
    return seen, sorted(file.name for file in snapshots.iterdir()) if snapshots.exists() else []


def start() -> None:
    """Begin with state old, and a snapshot of state new."""
    empty()
    (DATA / "snapshots").mkdir()
    shutil.copy("/tmp/new.tar.gz", DATA / "snapshots")
    (DATA / ".drydock").mkdir(0o700)
    fill("old")


def main() -> None:
    chance = random.Random(1)
    empty()
    fill("new")
    assert run("snapshot", "new") == 0, Path("/tmp/log").read_text()
    shutil.copy(DATA / "snapshots/new.tar.gz", "/tmp")
    new = look()
    for action, name in (("snapshot", "made"), ("restore", "new"), ("reset", "")):
        start()
        old = look()
        assert run(action, name) == 0, Path("/tmp/log").read_text()
        target = look()
        if action == "restore":
            kept = {"bin/python", "local.env"}
            assert {**target[0], **{file: new[0][file] for file in kept}} == new[0], set(target[0].items()) ^ set(
                new[0].items()
            )
            assert all(target[0][file] == old[0][file] for file in kept)
        if action == "reset":
            assert {file for file in target[0] if file.endswith("file") or "only" in file} == set()
            assert "up loads/.gitkeep" in target[0] and "postgres/.gitkeep" in target[0] and "bin/python" in target[0]
        ends = []
        for die_before in count(1):
            start()
            if run(action, name, die_before) == 0:
                break
            run("finish", die_before=chance.randint(1, 20))
            assert run("finish") == 0, Path("/tmp/log").read_text()
            now = look()
            assert now in (old, target), (
                f"{action}, killed before {die_before}: {set(now[0].items()) ^ set(target[0].items())}"
            )
            assert [path.name for path in (DATA / ".drydock").iterdir()] in ([], ["last"])
            ends.append(now == target)
        assert ends == sorted(ends) and ends[-1] and not ends[0]
        print(f"{action}: {len(ends)} deaths, old data after {ends.count(False)}, new data after {ends.count(True)}")


main()
