"""Services: healthy before the application starts, reached by their URLs, with data that outlive containers, crashes and versions.

Each service's own file says how to write and read a word. Those without a stand-in run only where SERVICES names them.
"""

import json
import os
import subprocess
import threading
import time

import pytest
from project import FIRST_USER, Project, eventually
from repository import ABOUT, RUN

KEPT = [service for service in RUN if "data" in ABOUT[service]]
# Their servers refuse to be root, and so do their files
NEVER_ROOT = {"postgres", "mariadb", "mysql"}
# Where a password of the past is kept in the data
REMEMBERS = [service for service in ("postgres", "mariadb", "mysql", "rabbitmq") if service in RUN]


def write(project: Project, service: str) -> None:
    project.sh("python", "-c", ABOUT[service]["write"])


def assert_kept(project: Project, *services: str) -> None:
    for service in services:
        # What is read from a queue is gone, and the rest is written again to no harm
        assert "kept" in project.sh("python", "-c", ABOUT[service]["read"]).stdout, service
        write(project, service)


def process(project: Project, service: str) -> int:
    """Return the id, on the host, of a service's first process."""
    container = project.compose("ps", "--quiet", service).stdout.strip()
    return int(project.run("docker", "inspect", "--format", "{{.State.Pid}}", container).stdout)


def health(project: Project, service: str) -> str:
    return project.compose("ps", "--format", "{{.Health}}", service).stdout.strip()


def test_all_together(start) -> None:
    project = start(services=RUN)
    project.up()
    states = project.compose("ps", "--format", "{{.Service}} {{.Health}}").stdout.splitlines()
    assert sorted(states) == sorted(f"{service} healthy" for service in ["app", *RUN])
    for service in RUN:
        write(project, service)
    assert_kept(project, *RUN)

    ports = project.run(
        "docker",
        "inspect",
        "--format",
        "{{json .NetworkSettings.Ports}}",
        *project.compose("ps", "--quiet").stdout.split(),
    )
    published = [
        binding
        for line in ports.stdout.splitlines()
        for bindings in json.loads(line).values()
        for binding in bindings or []
    ]
    assert len(published) == len(project.ports) - 1
    assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}

    for service in RUN:
        client = project.compose(
            "exec", "-T", service, "timeout", "3", "sh", "-c", ABOUT[service]["client"], check=False
        )
        assert client.returncode in (0, 124), f"{service}: {client.stdout}{client.stderr}"

    project.compose("down")
    project.up()
    assert_kept(project, *KEPT)

    project.sh("uv", "add", "six")
    project.up()
    assert_kept(project, *KEPT)
    project.compose("run", "--rm", "--build", "tests")


def test_data_survive_a_crash_in_the_middle_of_writing(start) -> None:
    project = start(services=KEPT)
    project.up()
    for service in KEPT:
        write(project, service)
        loop = f"import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end:\n    exec({ABOUT[service]['write']!r}, {{'__name__': 'loop'}})\n"
        writer = threading.Thread(target=project.sh, args=("python", "-c", loop), kwargs={"check": False})
        writer.start()
        time.sleep(2)
        killed = process(project, service)
        subprocess.run(["kill", "-9", str(killed)], check=True)
        # The engine starts it again, by itself
        eventually(lambda: process(project, service), lambda seen: seen not in (0, killed))
        eventually(lambda: health(project, service), lambda seen: seen == "healthy", seconds=120)
        writer.join()
        assert_kept(project, service)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be all these users")
@pytest.mark.parametrize("user", [FIRST_USER, 1001, 12345, 0])
def test_files_belong_to_the_user(start, user: int) -> None:
    project = start(services=KEPT)
    project.give_to(user)
    project.env |= {"HOST_UID": str(user), "HOST_GID": str(user)}
    project.compose("up", "--wait", *KEPT)
    for service in KEPT:
        files = [file for file in (project.path / "data" / service).rglob("*") if file.name != ".gitkeep"]
        owners = {file.lstat().st_uid for file in files}
        assert len(files) > 1 or owners, service
        if user == 0 and service in NEVER_ROOT:
            assert owners <= {0, 999}, service
        else:
            assert owners == {user}, service
    # Whosever they are, they can be deleted without sudo
    project.compose("down")
    project.compose("build", "app")
    project.compose("run", "--rm", "--no-deps", "--user", "0:0", "app", "rm", "-r", "/data/postgres")
    assert not (project.path / "data/postgres").exists()


def test_another_password_than_the_data_know(start) -> None:
    project = start(services=REMEMBERS)
    project.compose("up", "--wait", *REMEMBERS)
    project.compose("down")
    project.set_env(**{f"{service.upper()}_PASSWORD": "changed" for service in REMEMBERS})
    # `--wait` would wait for minutes, until each has failed often enough
    project.compose("up", "--detach", *REMEMBERS)
    for service in REMEMBERS:
        said = eventually(lambda: project.compose("logs", service).stdout, lambda text: ".env is not the one" in text)
        (line,) = [line for line in said.splitlines() if ".env is not the one" in line]
        assert (
            f"{service.upper()}_PASSWORD (or {service.upper()}_USER) in .env is not the one that data/{service}/"
            in line
        )
        # The advice helps
        advice = line[line.index(f"./sh -s {service} ") :].replace("OLD", "development").replace("NEW", "changed")
        project.run("sh", "-c", advice)
        eventually(lambda: health(project, service), lambda seen: seen == "healthy")


@pytest.mark.parametrize(("service", "older"), [("postgres", "17"), ("mariadb", "11")])
def test_a_version_has_data_of_its_own_and_a_dump_carries_them_over(start, service: str, older: str) -> None:
    about = ABOUT[service]
    project = start(services=[service])
    project.up()
    write(project, service)
    dump = project.run("sh", "-c", f"./sh -s {service} {about['dump']}").stdout
    assert "kept" in dump

    newer = about["env"][f"{service.upper()}_VERSION"]
    project.set_env(**{f"{service.upper()}_VERSION": older})
    project.up()
    assert project.sh("python", "-c", about["read"], check=False).returncode != 0
    assert {folder.name for folder in (project.path / "data" / service).iterdir()} == {".gitkeep", older, newer}
    project.run("sh", "-c", f"./sh -s {service} {about['restore']}", input=dump)
    assert_kept(project, service)

    project.set_env(**{f"{service.upper()}_VERSION": newer})
    project.up()
    assert_kept(project, service)


def test_postgis_is_another_image_of_postgres(start) -> None:
    project = start(services=["postgres"])
    project.set_env(POSTGRES_IMAGE=ABOUT["postgres"]["variants"]["PostGIS (amd64 only)"])
    project.compose("up", "--wait", "postgres")
    said = project.sh(
        "-s",
        "postgres",
        "psql",
        "-Atc",
        "create extension if not exists postgis",
        "-Atc",
        "select st_astext('POINT(1 2)')",
    )
    assert "POINT(1 2)" in said.stdout


def test_the_user_may_make_databases_for_tests(start) -> None:
    project = start(services=["mariadb", "mysql", "postgres"])
    project.compose("up", "--wait", "mariadb", "mysql", "postgres")
    for service in ("mariadb", "mysql"):
        client = ABOUT[service]["client"].removeprefix("sh -c '").removesuffix("'")
        project.sh("-s", service, "sh", "-c", f"{client} -e 'create database test_app'")
    project.sh("-s", "postgres", "psql", "-c", "create database test_app")


def assert_logged(project: Project, words: str) -> None:
    """Start redis in vain; it must say why, in one line."""
    assert project.compose("up", "--wait", "redis", check=False).returncode != 0
    eventually(lambda: project.compose("logs", "redis").stdout, lambda text: words in text)
    project.compose("down")


def test_faults_of_the_disk_are_named(start) -> None:
    project = start(services=["redis"])
    folder = project.path / "data/redis"
    if os.getuid() == 0:
        os.chown(folder, 999, 999)
        assert_logged(
            project, f"User {FIRST_USER} may not write this service's folder in data/, which is owned by user 999"
        )
        os.chown(folder, FIRST_USER, FIRST_USER)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=5m,uid={FIRST_USER}", "full", folder], check=True)
        try:
            assert_logged(project, "The disk of data/ is full")
        finally:
            subprocess.run(["umount", folder], check=True)
    project.compose("up", "--wait", "redis")


def test_a_port_in_use_is_named(start) -> None:
    project = start(services=["redis"])
    port = project.ports["REDIS_PORT"]
    with project.container("--publish", f"127.0.0.1:{port}:1", "redis:8"):
        result = project.compose("up", "--wait", "redis", check=False)
        assert result.returncode != 0
        assert str(port) in result.stderr and "redis" in result.stderr


def test_an_image_that_is_not_there_is_named(start) -> None:
    project = start(services=["redis"])
    project.set_env(REDIS_VERSION="0.0")
    result = project.compose("up", "--wait", "redis", check=False)
    assert result.returncode != 0
    assert "redis Error" in result.stderr
