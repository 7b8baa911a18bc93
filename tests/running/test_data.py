"""./sh --snapshot, --restore, --reset: nothing is lost without a question, and nobody needs sudo."""

import os
import re
import tarfile

import pexpect
import pytest

from project import Project


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
    found = ((file.relative_to(folder), file.lstat()) for file in folder.rglob("*") if "pg_" not in str(file) and file.is_file())
    return {str(name): (status.st_uid, status.st_gid, status.st_mode) for name, status in found}


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
    assert not {".restoring", ".coming", ".replaced", ".removing"} & {file.name for file in (project.path / "data").iterdir()}


def test_it_asks_before_anything_is_lost(project) -> None:
    project.sh("--snapshot", "asked", "--yes")
    for command in (["--restore", "asked"], ["--reset"], ["--reset", "postgres"], ["--snapshot", "asked"]):
        refused = project.sh(*command, check=False)
        assert refused.returncode == 2 and "--yes" in refused.stderr, command
        for answer, said in (("n", "Nothing was done"), ("", "Nothing was done")):
            asked = pexpect.spawn(str(project.path / "sh"), command, cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
            asked.expect(r"\[y/N\] ")
            asked.sendline(answer)
            asked.expect(said)
            asked.expect(pexpect.EOF)
    assert services_up(project) == ["app", "postgres"]
    for command in (["--snapshot"], ["--restore"], ["--restore", "none"], ["--reset", "none"], ["--snapshot", "../x"], ["--snapshot", "a", "b"]):
        refused = project.sh(*command, check=False)
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1, command
    assert re.search(r"There are:.* asked", project.sh("--restore", "none", check=False).stderr)


def test_a_restore_that_fails_half_way_loses_nothing(project) -> None:
    sql(project, "CREATE TABLE IF NOT EXISTS now (word text); INSERT INTO now VALUES ('here')")
    project.sh("sh", "-c", "echo mine >/data/mine")
    project.sh("--snapshot", "whole", "--yes")
    snapshots = project.path / "data/snapshots"
    whole = (snapshots / "whole.tar.gz").read_bytes()
    (snapshots / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    # One that cannot take its place: data/bin is not of the data, and in the way
    (project.path / "data/bin").mkdir(exist_ok=True)
    (project.path / "data/bin/something").touch()
    with tarfile.open(snapshots / "odd.tar.gz", "w:gz") as archive:
        archive.add(project.path / ".env", "aaa")
        archive.add(project.path / ".env", "bin/file")
        archive.add(project.path / ".env", "mine")

    def as_before() -> None:
        assert sql(project, "SELECT word FROM now") == "here"
        assert (project.path / "data/mine").read_text() == "mine\n"
        assert not {"aaa", ".restoring", ".coming", ".replaced", ".removing"} & {file.name for file in (project.path / "data").iterdir()}
        assert services_up(project) == ["app", "postgres"]

    for name in ("cut", "odd"):
        failed = project.sh("--restore", name, "--yes", check=False)
        assert failed.returncode == 1 and "data/ is as it was" in failed.stderr
        as_before()

    # Cut off between one rename and the next, as by a power failure
    project.compose("stop")
    script = "cd /data && mkdir .replaced .coming && mv mine postgres .replaced/ && echo new >mine && mkdir postgres"
    project.run("docker", "run", "--rm", "-v", f"{project.path}/data:/data", "redis:8", "sh", "-c", script)
    assert "A --restore was cut off" in project.sh("--doctor", check=False).stdout
    project.compose("start", "app", "postgres", check=False)
    assert "What was there before is back" in project.sh("--snapshot", "after").stderr
    project.compose("up", "--wait")
    as_before()


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
    kept = {".gitignore", ".bash_history", "bin", "local.env", "postgres", "snapshots"}
    assert {file.name for file in (project.path / "data").iterdir()} == kept
    assert [file.name for file in (project.path / "data/postgres").iterdir()] == [".gitkeep"]
    project.up()
    project.sh("--restore", "full", "--yes")
    assert sql(project, "SELECT count(*) FROM gone") == "0"


@pytest.mark.skipif(os.getuid(), reason="only root can be other users")
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
