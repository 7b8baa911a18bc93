"""The emitted scripts, where no engine is needed: a `docker` that says what we want it to."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import ABOUT, SERVICES, make_repository

SAID = {
    "version": "28.0.1",
    "version components": "Engine containerd",
    "info": "Debian [name=seccomp]",
    "compose version": "2.40.3",
    "buildx version": "github.com/docker/buildx v0.20.0",
}
DOCKER = """#!/bin/sh
case "$1 $*" in
    *Components*) echo '{version components}' ;;
    "version "*) echo '{version}' ;;
    "info "*) echo '{info}' ;;
    "compose "*version*) echo '{compose version}' ;;
    "buildx "*) [ -z '{buildx version}' ] || echo '{buildx version}' ;;
    *) echo 'no more than that' >&2; exit 1 ;;
esac
"""


def run(path: Path, script: str, folder: Path, shell: dict[str, str] | None = None, **said: str) -> str:
    """Return what a script of .drydock/host says where docker says this."""
    docker = folder / "docker"
    text = DOCKER
    for what, words in (SAID | {key.replace("_", " "): value for key, value in said.items()}).items():
        text = text.replace(f"{{{what}}}", words)
    docker.write_text(text)
    docker.chmod(0o755)
    env = (
        {key: value for key, value in os.environ.items() if not key.startswith("HOST_")}
        | {"PATH": f"{folder}:{os.environ['PATH']}"}
        | (shell or {})
    )
    return subprocess.run(["sh", path / ".drydock/host" / script], env=env, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"version": "24.0.9"}, "! Docker Engine 24.0.9 is too old: install 25 or newer"),
        ({"version": "25.0.0"}, "  Docker Engine 25.0.0, Compose 2.40.3, buildx v0.20.0"),
        ({"compose_version": "2.23.3"}, "! Compose 2.23.3 is too old: install 2.24 or newer"),
        ({"compose_version": "v2.24.0-desktop.1"}, "  docker compose watch needs Compose 2.32.2"),
        ({"compose_version": ""}, "! docker compose is missing"),
        ({"buildx_version": ""}, "! buildx is missing"),
        ({"version": "5.4.2", "version_components": "Podman Engine Conmon"}, "  Podman 5.4.2, Compose"),
        ({"info": "Docker Desktop [name=seccomp]"}, "  Docker Desktop, engine 28.0.1"),
        ({"info": "Debian [name=seccomp name=rootless]"}, "  Rootless Docker Engine 28.0.1"),
        ({}, "! Compose refuses its files: no more than that"),
    ],
)
def test_the_doctor_knows_versions(render, tmp_path, said: dict, words: str) -> None:
    lines = run(render(), "doctor.sh", tmp_path, **said).splitlines()
    assert any(line.startswith(words) for line in lines), lines
    assert not any("watch" in line for line in run(render(), "doctor.sh", tmp_path).splitlines())
    assert not any(
        "watch" in line for line in run(render(), "doctor.sh", tmp_path, compose_version="5.5.0").splitlines()
    )


def test_in_a_rootless_engine_its_root_is_the_user(render, tmp_path) -> None:
    path = render(starter="flask")  # gets links, so not one that other tests look at
    uid, gid = path.stat().st_uid, path.stat().st_gid
    assert run(path, "activate.sh", tmp_path) == f"{uid} {gid}\n{path}\n"
    assert run(path, "activate.sh", tmp_path, info="Debian [name=seccomp name=rootless]") == f"0 0\n{path}\n"
    assert os.readlink(path / "data/bin/python") == "../../sh"


@pytest.mark.parametrize("name", ["co:lon", "line\nbreak"])
def test_a_folder_that_docker_or_path_cannot_cope_with_is_refused(render, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    shutil.copytree(render(), path)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    for command in (
        "./sh true",
        "set -e; . ./activate; echo activated",
        "fish -c 'source .drydock/host/activate.fish; and echo activated'",
    ):
        if command.startswith("fish") and not shutil.which("fish"):
            continue
        result = subprocess.run(["sh", "-c", command], cwd=path, env=env, capture_output=True, text=True)
        assert "activated" not in result.stdout
        assert result.stderr.splitlines()[-1].startswith("Rename the project's folder"), result


def test_services_are_read_as_compose_prints_them(render) -> None:
    text = """name: demo
services:
  one:
    command:
      - sh
    environment:
      A: "it's \\"x\\" \\\\ $$y"
      B: 'a: ''b'''
      C: ""
      D: plain # with=all
    image: a:1
    ports:
      - mode: ingress
        target: 80
        published: "8080"
        protocol: tcp
      - mode: ingress
        host_ip: 127.0.0.1
        target: 81
        published: "8081"
    profiles:
      - some
    volumes:
      - type: volume
        source: named
        target: /x
      - type: bind
        source: /a b/c
        target: /y
        bind:
          create_host_path: true
    x-client: "run --it"
  "2":
    image: b
  app:
    build:
      context: /demo
      dockerfile: Dockerfile
  tests:
    build:
      context: /demo
    image: c:2
networks:
  default:
    name: demo_default
"""
    script = render() / ".drydock/host/services.awk"
    said = subprocess.run(["awk", "-f", script], input=text, capture_output=True, text=True, check=True).stdout
    assert [line.split("\t") for line in said.splitlines()] == [
        ["one", "service", ""],
        ["one", "environment", 'A=it\'s "x" \\ $y'],
        ["one", "environment", "B=a: 'b'"],
        ["one", "environment", "C="],
        ["one", "environment", "D=plain # with=all"],
        ["one", "image", "a:1"],
        ["one", "port", "127.0.0.1 8080 80"],
        ["one", "port", "127.0.0.1 8081 81"],
        ["one", "profile", "some"],
        ["one", "bind", "/a b/c", "/y"],
        ["one", "x-client", "run --it"],
        ["one", "runs", "a:1"],
        ["2", "service", ""],
        ["2", "image", "b"],
        ["2", "runs", "b"],
        ["app", "service", ""],
        ["app", "runs", "demo-app"],
        ["tests", "service", ""],
        ["tests", "image", "c:2"],
        ["tests", "runs", "c:2"],
    ]


@pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")
def test_clients_of_services_arrive(render) -> None:
    path = render(services=SERVICES)
    config = subprocess.run(
        ["docker", "compose", "config"], cwd=path, capture_output=True, text=True, check=True
    ).stdout
    said = subprocess.run(
        ["awk", "-f", path / ".drydock/host/services.awk"], input=config, capture_output=True, text=True, check=True
    ).stdout
    facts = [line.split("\t", 2) for line in said.splitlines()]
    assert {service: value for service, what, value in facts if what == "x-client"} == {
        service: about["client"] for service, about in ABOUT.items() if "client" in about
    }


@pytest.fixture
def demo(render, tmp_path: Path) -> Path:
    """A project with postgres, for a test to write to."""
    path = tmp_path / "demo"
    shutil.copytree(render(services=["postgres"]), path)
    return path


@pytest.mark.parametrize(
    ("env", "shell", "line"),
    [
        ("PYTHON_VERSION=3.13", {}, "  PYTHON_VERSION is 3.13 in .env, in place of 3.14"),
        ("export PORT = '8001' # mine", {}, "  PORT is 8001 in .env, in place of 8000"),
        ("PORT=8001", {"PORT": "8002"}, "  PORT is 8002 in your shell, in place of 8000"),
        ("PORT=8001\r\nPORT=8003\r", {}, "  PORT is 8003 in .env, in place of 8000"),
        ('POSTGRES_VERSION="17"', {}, "  POSTGRES_VERSION is 17 in .env, in place of 18"),
        ("POSTGRES_PASSWORD=secret", {}, "  POSTGRES_PASSWORD is another one in .env, in place of the default"),
        ("CMD=sleep infinity", {}, "  CMD is sleep infinity in .env, in place of the answer"),
        (
            "",
            {"CMD": "ls"},
            "! CMD is ls in your shell, in place of the answer: unset CMD, or write it into .env if this project needs it",
        ),
        ("", {"IMAGE": "a/b:1"}, "! IMAGE is a/b:1 in your shell, in place of python:3.14-slim-trixie: unset IMAGE, "),
        (
            "",
            {"PROJECT": "my-gcp-project"},
            "! PROJECT is my-gcp-project in your shell, and there is no such folder here: unset PROJECT",
        ),
        ("PROJECT=src", {}, "! PROJECT is src in .env, and there is no such folder here: correct it"),
        # What is set to its default, and an empty variable, which hides what .env says
        ("PORT=8000\nPYTHON_VERSION=3.14", {}, None),
        ("PORT=8001", {"PORT": ""}, None),
        ("SECRET=x\nSHOP_NAME=y", {}, None),
    ],
)
def test_the_doctor_says_what_takes_the_place_of_a_default(
    demo: Path, tmp_path: Path, env: str, shell: dict, line: str | None
) -> None:
    (demo / ".env").write_text(env + "\n")
    lines = run(demo, "doctor.sh", tmp_path, shell).splitlines()
    found = [text for text in lines if " in place of " in text or "PROJECT" in text]
    assert any(text.startswith(line) for text in found) if line else not found, lines
    assert not (demo / "my-gcp-project").exists()


def test_the_doctor_needs_no_env_and_knows_where_the_code_is_not(demo: Path, tmp_path: Path) -> None:
    (demo / ".env").unlink()
    assert "Compose refuses its files: no more than that" in run(demo, "doctor.sh", tmp_path)
    (demo / "app").rename(demo / "src")
    assert "! There is no folder app, the answer project_dir: move the code there, or copier update" in run(
        demo, "doctor.sh", tmp_path
    )
    result = subprocess.run([demo / "sh", "true"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "") and "There is no folder app" in result.stderr


def test_the_doctor_says_what_to_add_to_git(demo: Path, tmp_path: Path) -> None:
    (demo / ".gitignore").write_text("include/\n.env\nbuild/\n*.sh\n")
    make_repository(demo)
    said = run(demo, "doctor.sh", tmp_path)
    (command,) = re.findall(
        r"^! git ignores files of the skeleton, .*: (git add --force .*) && git commit$", said, re.M
    )
    assert command == "git add --force build.sh include/postgres.yaml"
    subprocess.run(command.split(), cwd=demo, check=True)
    assert "git ignores" not in run(demo, "doctor.sh", tmp_path)


def test_the_doctor_knows_the_places_of_older_skeletons(demo: Path, tmp_path: Path) -> None:
    (demo / ".drydock/certificates").mkdir()
    (demo / ".drydock/certificates/company.crt").write_text("BEGIN CERTIFICATE")
    (demo / ".drydock/import.env").write_text("A=1\n")
    for command in re.findall(r"^! \.drydock/\S+ has another place now: (.*)$", run(demo, "doctor.sh", tmp_path), re.M):
        subprocess.run(["sh", "-c", command], cwd=demo, check=True)
    assert (demo / "build.env").read_text() == "A=1\n" and (demo / "certificates/company.crt").exists()


def test_the_doctor_tells_a_dollar_that_is_no_variable(demo: Path, tmp_path: Path) -> None:
    (demo / "data/local.env").write_text("# $no\nA=ab$k2(x)#q\nB='a$b'\nC=$$c\nD=${PORT}$A\nE=\"x${e:-1}${root}\"\n")
    (demo / ".env").write_text("PORT=1\nPOSTGRES_PASSWORD=pa$word\n")
    said = run(demo, "doctor.sh", tmp_path)
    found = re.findall(
        r"^! (\$\w+ in \S+) is a variable that is not set: for a literal \$, put the value into single quotes$",
        said,
        re.M,
    )
    assert found == ["$word in .env", "$k2 in data/local.env", "$root in data/local.env"]
