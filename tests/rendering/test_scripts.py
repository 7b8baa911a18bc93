"""The emitted scripts, where no engine is needed: a `docker` that says what we want it to."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from repository import ABOUT, SERVICES

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


def run(path: Path, script: str, folder: Path, **said: str) -> str:
    """Return what a script of .drydock says where docker says this."""
    docker = folder / "docker"
    text = DOCKER
    for what, words in (SAID | {key.replace("_", " "): value for key, value in said.items()}).items():
        text = text.replace(f"{{{what}}}", words)
    docker.write_text(text)
    docker.chmod(0o755)
    env = {key: value for key, value in os.environ.items() if not key.startswith("HOST_")} | {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(["sh", path / ".drydock" / script], env=env, capture_output=True, text=True).stdout


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
    assert not any("watch" in line for line in run(render(), "doctor.sh", tmp_path, compose_version="5.5.0").splitlines())


def test_in_a_rootless_engine_its_root_is_the_user(render, tmp_path) -> None:
    path = render(starter="flask")  # gets links, so not one that other tests look at
    uid, gid = path.stat().st_uid, path.stat().st_gid
    assert run(path, "activate.sh", tmp_path) == f"{uid} {gid} {path}\n"
    assert run(path, "activate.sh", tmp_path, info="Debian [name=seccomp name=rootless]") == f"0 0 {path}\n"
    assert os.readlink(path / "data/bin/python") == "../../sh"


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
networks:
  default:
    name: demo_default
"""
    script = render() / ".drydock/services.awk"
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
        ["one", "bind", "/a b/c"],
        ["one", "x-client", "run --it"],
        ["2", "service", ""],
        ["2", "image", "b"],
    ]


@pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")
def test_clients_of_services_arrive(render) -> None:
    path = render(services=SERVICES)
    config = subprocess.run(["docker", "compose", "config"], cwd=path, capture_output=True, text=True, check=True).stdout
    said = subprocess.run(["awk", "-f", path / ".drydock/services.awk"], input=config, capture_output=True, text=True, check=True).stdout
    facts = [line.split("\t", 2) for line in said.splitlines()]
    assert {service: value for service, what, value in facts if what == "x-client"} == {service: about["client"] for service, about in ABOUT.items()}
