"""./sh --snapshot, --restore, --reset: nothing is lost without a question, and nobody needs sudo."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pexpect
import pytest
from interruptions import interrupt
from project import Project, eventually
from repository import ROOT

# data.py, which ends before the second rename of those that are committed
HALF_WAY = """
import os, sys
renames = []
def hook(event, arguments):
    if event == "os.rename" and os.path.exists(".drydock/committed"):
        renames.append(arguments)
        if len(renames) == 2:
            os._exit(9)
sys.addaudithook(hook)
exec(open("/data.py").read())
"""


@pytest.fixture(scope="module")
def project(start_shared) -> Project:
    project = start_shared(services=["postgres"])
    project.up()
    return project


def sql(project: Project, command: str) -> str:
    return project.sh("-s", "postgres", "psql", "-qtc", command, check=False).stdout.strip()


def services_up(project: Project) -> list[str]:
    up = project.compose("ps", "--services", "--status", "running").stdout.split()
    return sorted(service for service in up if service in ("app", "postgres"))


def owners(project: Project) -> dict[str, tuple[int, int, int]]:
    """Return owner, group and mode of all that is in the database's folder."""
    folder = project.path / "data/postgres"
    found = (
        (file.relative_to(folder), file.lstat())
        for file in folder.rglob("*")
        if "pg_" not in str(file) and file.is_file()
    )
    return {str(name): (status.st_uid, status.st_gid, status.st_mode) for name, status in found}


def nothing_is_left(project: Project) -> bool:
    """Tell whether no data command left anything but the note which the last was."""
    data = project.path / "data"
    return not list(data.rglob(".drydock-*")) and [file.name for file in (data / ".drydock").iterdir()] == ["last"]


def inside(project: Project, script: str, *arguments: str) -> list[str]:
    """Return the command that runs data.py as data.sh does, by a script of Python that comes to it in the end."""
    mounts = [
        "--volume",
        f"{project.path}/data:/data",
        "--volume",
        f"{project.path}/.drydock/host/data.py:/data.py:ro",
        "--workdir",
        "/data",
    ]
    words = [
        "docker",
        "run",
        "--rm",
        "--interactive",
        *mounts,
        "--user",
        "0:0",
        "--entrypoint",
        "python",
        f"{project.path.name}-app",
    ]
    return [*words, "-c", script, *arguments]


def test_a_snapshot_is_brought_back_as_it_was(project) -> None:
    sql(project, "CREATE TABLE words (word text); INSERT INTO words VALUES ('kept')")
    project.sh("sh", "-c", "mkdir '/data/up loads' && echo one >'/data/up loads/file'")
    before = owners(project)
    made = project.sh("--snapshot", "first")
    assert made.stdout.startswith("data/snapshots/first.tar.gz: ")
    assert (project.path / "data/snapshots/first.tar.gz").stat().st_uid == project.path.stat().st_uid
    assert services_up(project) == ["app", "postgres"]

    sql(project, "UPDATE words SET word = 'changed'")
    project.sh("sh", "-c", "echo two >'/data/up loads/file'; echo more >/data/more; echo SECRET=1 >/data/local.env")
    project.sh("--restore", "first", "--yes")
    assert services_up(project) == ["app", "postgres"]
    assert sql(project, "SELECT word FROM words") == "kept"
    assert (project.path / "data/up loads/file").read_text() == "one\n"
    assert not (project.path / "data/more").exists()
    assert (project.path / "data/local.env").exists(), "settings are no data"
    assert owners(project) == before
    assert nothing_is_left(project)


def test_it_asks_before_anything_is_lost(project) -> None:
    project.sh("--snapshot", "asked", "--yes")
    for command in (["--restore", "asked"], ["--reset"], ["--reset", "postgres"], ["--snapshot", "asked"]):
        refused = project.sh(*command, check=False)
        assert refused.returncode == 2 and "--yes" in refused.stderr, command
        for answer, said in (("n", "Nothing was done"), ("", "Nothing was done")):
            asked = pexpect.spawn(
                str(project.path / "sh"), command, cwd=project.path, env=project.env, encoding="utf-8", timeout=60
            )
            asked.expect(r"\[y/N\] ")
            asked.sendline(answer)
            asked.expect(said)
            asked.expect(pexpect.EOF)
    assert services_up(project) == ["app", "postgres"]
    for command in (
        ["--snapshot"],
        ["--restore"],
        ["--restore", "none"],
        ["--reset", "none"],
        ["--snapshot", "../x"],
        ["--snapshot", "a", "b"],
    ):
        refused = project.sh(*command, check=False)
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1, command
    assert re.search(r"There are:.* asked", project.sh("--restore", "none", check=False).stderr)


def test_a_snapshot_that_cannot_be_restored_changes_nothing(project) -> None:
    sql(project, "CREATE TABLE IF NOT EXISTS now (word text); INSERT INTO now VALUES ('here')")
    project.sh("sh", "-c", "echo mine >/data/mine")
    project.sh("--snapshot", "whole", "--yes")
    snapshots = project.path / "data/snapshots"
    whole = (snapshots / "whole.tar.gz").read_bytes()
    (snapshots / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with tarfile.open(snapshots / "odd.tar.gz", "w:gz") as archive:
        archive.add(project.path / "compose.yaml", "aaa")
        archive.add(project.path / "compose.yaml", "postgres")
    for name, why in (("cut", "tar failed"), ("odd", "In the snapshot postgres is no folder")):
        failed = project.sh("--restore", name, "--yes", check=False)
        assert failed.returncode == 1 and f"{why}" in failed.stderr and "Nothing was changed\n" in failed.stderr
        assert sql(project, "SELECT word FROM now") == "here"
        assert (project.path / "data/mine").read_text() == "mine\n" and not (project.path / "data/aaa").exists()
        assert services_up(project) == ["app", "postgres"] and not (project.path / "data/.drydock/new").exists()
    # What is no data is not touched, whatever a snapshot has
    with tarfile.open(snapshots / "bin.tar.gz", "w:gz") as archive:
        archive.add(project.path / "compose.yaml", "bin/file")
    project.sh("--restore", "bin", "--yes")
    assert (project.path / "data/bin/python").is_symlink() and not (project.path / "data/bin/file").exists()
    project.sh("--restore", "whole", "--yes")


def test_nothing_starts_while_data_are_exchanged_or_half(project) -> None:
    sql(project, "CREATE TABLE IF NOT EXISTS half (word text)")
    project.sh("sh", "-c", "echo mine >/data/mine")
    project.sh("--snapshot", "before", "--yes")
    sql(project, "INSERT INTO half VALUES ('later')")
    project.compose("stop")
    words = ("restore", "./sh --restore before", "a call", "before", "postgres")

    with subprocess.Popen(
        inside(project, "exec(open('/data.py').read())", *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as command:
        assert command.stdout.readline() == b"stop\n"
        refused = project.sh("--snapshot", "beside", check=False)
        assert refused.returncode == 1 and "Another ./sh" in refused.stderr
        assert project.compose("up", "--wait", "postgres", check=False).returncode
        assert "./sh --restore before is under way" in project.compose("logs", "postgres").stdout
        assert (
            "./sh --restore before is under way"
            in project.run(*"docker compose run --rm --no-deps app true".split(), check=False).stderr
        )
        command.stdin.close()
        assert command.wait(60) == 3
    eventually(lambda: sql(project, "SELECT word FROM half"), "later".__eq__, seconds=60)
    assert "No problem found" in project.sh("--doctor", check=False).stdout

    # Killed, with its author, before it changed anything: data/ is whole, and postgres knows it
    project.compose("stop")
    (project.path / "data/postgres/.drydock-busy").write_text("./sh --restore before")
    (project.path / "data/.drydock-busy").write_text("./sh --restore before")
    project.compose("up", "--wait")
    assert sql(project, "SELECT word FROM half") == "later"
    assert "cut off before it changed anything" in project.sh("--finish").stderr
    assert not list((project.path / "data").rglob(".drydock-*"))

    # Killed, with its author, between one rename and the next
    project.compose("stop")
    with subprocess.Popen(inside(project, HALF_WAY, *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as command:
        assert command.stdout.readline() == b"stop\n"
        command.stdin.write(b"\n")
        command.stdin.flush()
        assert command.wait(60) == 9
    assert project.compose("up", "--wait", check=False).returncode
    told = "./sh --restore before was cut off half-way. Type ./sh --finish"
    assert told in project.compose("logs", "postgres").stdout
    assert told in project.run(*"docker compose run --rm --no-deps app true".split(), check=False).stderr
    assert "./sh --finish" in project.sh("--doctor", check=False).stdout
    assert "It is complete now" in project.sh("--finish").stderr
    assert project.sh("--finish").stderr == "Nothing was cut off.\n"
    # Compose takes a server for sick whose last start, a moment ago, was refused
    eventually(lambda: project.compose("up", "--wait", check=False).returncode, (0).__eq__, seconds=60)
    assert sql(project, "SELECT count(*) FROM half") == "0"
    assert (project.path / "data/mine").read_text() == "mine\n" and nothing_is_left(project)


def test_whenever_the_work_dies_data_are_old_or_new(project) -> None:
    """It dies before each thing that it does to a file, which is some 200 times."""
    words = ["docker", "run", "--rm", "--interactive", "--tmpfs", "/data", "--user", "0:0", "--entrypoint", "python"]
    mount = ["--volume", f"{project.path}/.drydock/host/data.py:/data.py:ro"]
    result = project.run(
        *words, *mount, f"{project.path.name}-app", "-", "/data.py", input=(ROOT / "tests/crashes.py").read_text()
    )
    deaths = [int(number) for number in re.findall(r"(\d+) deaths", result.stdout)]
    assert len(deaths) == 3 and min(deaths) > 20, result.stdout


@pytest.fixture(scope="module")
def written(start_shared) -> Project:
    """A project whose postgres and redis run, without the application."""
    project = start_shared(services=["postgres", "redis"])
    project.compose("build", "app")
    project.compose("up", "--wait", "postgres", "redis")
    return project


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_interruptions_lose_and_mix_nothing(written, rounds: int) -> None:
    seed = int.from_bytes(os.urandom(4)) if rounds < 100 else 1
    print(interrupt(written, rounds, seed))


def test_reset_empties(project) -> None:
    sql(project, "CREATE TABLE IF NOT EXISTS gone (word text)")
    project.sh("--snapshot", "full", "--yes")
    project.sh("sh", "-c", "echo mine >/data/mine; echo SECRET=1 >/data/local.env")
    project.sh("--reset", "postgres", "--yes")
    assert services_up(project) == ["app", "postgres"]
    assert sql(project, "SELECT count(*) FROM gone") == ""
    assert sql(project, "SELECT 1") == "1"
    assert (project.path / "data/mine").exists()
    assert (project.path / "data/postgres/.gitkeep").exists()

    # What does not run stays so
    project.compose("stop")
    project.sh("--reset", "--yes")
    assert services_up(project) == []
    kept = {".drydock", ".gitignore", ".bash_history", "bin", "local.env", "postgres", "site-packages", "snapshots"}
    assert {file.name for file in (project.path / "data").iterdir()} == kept
    assert [file.name for file in (project.path / "data/postgres").iterdir()] == [".gitkeep"]
    project.up()
    project.sh("--restore", "full", "--yes")
    assert sql(project, "SELECT count(*) FROM gone") == "0"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
@pytest.mark.parametrize("user", [1001, 0])
def test_any_user_may(start, user: int) -> None:
    project = start(services=["redis"])
    project.give_to(user)
    options = project.as_user(user)
    ids = {"HOST_UID": str(user), "HOST_GID": str(user)}
    project.compose("up", "--build", "--wait", **options | {"env": options["env"] | ids})
    redis = ("-s", "redis", "redis-cli")
    project.sh(*redis, "set", "word", "kept", **options)
    project.sh("--snapshot", "one", **options)
    project.sh("--reset", "redis", "--yes", **options)
    assert project.sh(*redis, "get", "word", **options).stdout == "\n"
    project.sh("--restore", "one", "--yes", **options)
    assert project.sh(*redis, "get", "word", **options).stdout == "kept\n"
    assert (project.path / "data/snapshots/one.tar.gz").stat().st_uid == user
    assert "No problem found" in project.sh("--doctor", **options).stdout
    assert f":{project.ports['REDIS_PORT']}/0" in project.sh("--info", **options).stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_disk_of_its_own_that_is_full_keeps_its_data(start) -> None:
    project = start(services=["redis"])
    data = project.path / "data"
    keep = {file: file.read_text() for file in (data / ".gitignore", data / "redis/.gitkeep")}
    mounted: list[Path] = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(exist_ok=True)
        project.run("mount", "-t", "tmpfs", "-o", f"size={size},uid={project.path.stat().st_uid}", "tmpfs", str(folder))
        mounted.append(folder)

    redis = ("-s", "redis", "redis-cli")
    try:
        mount(data, "150M")
        for file, text in keep.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        project.give_to(project.path.stat().st_uid)
        project.compose("up", "--build", "--wait")
        project.sh(*redis, "set", "word", "kept")
        (data / "blob").write_bytes(os.urandom(14 << 20))
        project.sh("--snapshot", "one")
        project.sh(*redis, "set", "word", "newer")
        (data / "filler").write_bytes(bytes(shutil.disk_usage(data).free - (13 << 20)))
        assert "MB are free for data:" in project.sh("--doctor", check=False).stdout
        failed = project.sh("--restore", "one", "--yes", check=False)
        assert (
            failed.returncode == 1
            and "No space left on device" in failed.stderr
            and "Nothing was changed" in failed.stderr
        )
        assert (
            project.sh("--snapshot", "two", check=False).returncode == 1
            and not (data / "snapshots/two.tar.gz").exists()
        )
        assert project.sh(*redis, "get", "word").stdout == "newer\n"
        assert (
            (data / "filler").exists()
            and not (data / ".drydock/new").exists()
            and not (data / "snapshots/.part").exists()
        )
        (data / "filler").unlink()

        # What cannot be renamed is refused; a link would leave its data out
        mount(data / "other", "1M")
        refused = project.sh("--restore", "one", "--yes", check=False)
        assert refused.returncode == 1 and "data/other is a disk or a mount of its own" in refused.stderr
        project.run("umount", str(mounted.pop()))
        project.compose("stop")
        (data / "redis").rename(data / "elsewhere")
        (data / "redis").symlink_to(data / "elsewhere")
        refused = project.sh("--snapshot", "link", check=False)
        assert refused.returncode == 1 and "data/redis must be a folder, and no link" in refused.stderr
        (data / "redis").unlink()
        (data / "elsewhere").rename(data / "redis")
        project.compose("start")

        # A server under another project's name would go on writing
        project.compose(
            "--project-name",
            f"{project.path.name}-b",
            "up",
            "--wait",
            "--no-deps",
            "redis",
            env=project.env | {"REDIS_PORT": "0"},
        )
        refused = project.sh("--restore", "one", "--yes", check=False)
        assert refused.returncode == 1 and f"Stop {project.path.name}-b-redis-1 first" in refused.stderr
        project.compose("--project-name", f"{project.path.name}-b", "down")
        project.sh("--restore", "one", "--yes")
        assert project.sh(*redis, "get", "word").stdout == "kept\n" and nothing_is_left(project)
    finally:
        project.compose("--profile", "*", "down", "--timeout", "3", check=False)
        for folder in reversed(mounted):
            project.run("umount", "--lazy", str(folder))
