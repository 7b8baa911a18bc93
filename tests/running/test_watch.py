"""docker compose watch: an edit of what an image is made from makes it anew, on the oldest and on newer Composes."""

import os

import pytest
from project import NEWER_COMPOSES, Project, eventually
from repository import CODE

APPLICATION = """import importlib.metadata

import toolz
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index() -> str:
    return f"toolz {importlib.metadata.version('toolz')}: {toolz.identity('imported')}"
"""


def as_user(project, compose: str | None = None) -> dict:
    """Return the options of a user who may not read all that is in data/, since databases make such folders."""
    options = project.as_user(compose=compose)
    locked = project.path / "data/locked"
    locked.mkdir(mode=0o700)
    if not os.getuid():
        os.chown(locked, 999, 999)
    return options


def version(project, **options) -> tuple[int, ...]:
    return tuple(int(part) for part in project.compose("version", "--short", **options).stdout.split("-")[0].split("."))


def test_the_oldest_compose_says_what_it_cannot_watch(start) -> None:
    project = start()
    if version(project) >= (2, 32, 2):
        pytest.skip("the Compose in PATH is not an old one")
    project.up()
    with project.in_background("docker", "compose", "watch", **as_user(project)) as log:
        eventually(log.read_text, lambda said: "Watch enabled" in said)
        assert "app/uv.lock' also declared by a bind mount volume, this path won't be monitored" in log.read_text()
        project.write_sections(dev="touch /made-anew")
        eventually(lambda: project.compose("exec", "app", "ls", "/made-anew").stdout, lambda seen: seen, seconds=120)


def add(project: Project, toolz: str) -> None:
    """Add a version of toolz, and see it in the application, in a new container."""
    container = project.compose("ps", "--quiet", "app").stdout
    project.sh("uv", "add", f"toolz=={toolz}")
    eventually(
        lambda: project.compose("ps", "--quiet", "app").stdout, lambda now: now not in ("", container), seconds=120
    )
    eventually(project.get, lambda page: f"toolz {toolz}: imported" in page, seconds=120)
    project.sh("uv", "sync", "--locked", "--check")


@pytest.mark.parametrize("compose", ["2.40", "5"])
def test_a_new_dependency_is_one_rebuild_away(start, compose: str) -> None:
    if compose not in NEWER_COMPOSES:
        pytest.skip("this Compose is not here: run tests/engine/check-engine up")
    project = start()
    # The first start writes uv.lock, which Compose would see
    project.up()
    project.compose("down")
    newer = as_user(project, compose)
    assert version(project, **newer) >= tuple(map(int, compose.split(".")))
    try:
        with project.in_background("docker", "compose", "up", "--build", "--watch", **newer):
            eventually(project.get, lambda page: "Hello" in page, seconds=60)
            (project.path / "app" / CODE["fastapi"]).write_text(APPLICATION)
            add(project, "1.1.0")
            add(project, "1.0.0")

            project.write_sections(dev="touch /made-anew")
            eventually(
                lambda: project.compose("exec", "app", "ls", "/made-anew").stdout, lambda seen: seen, seconds=120
            )
    except AssertionError as error:
        if "compose.(*monitor).Start(" not in str(error):
            raise
        pytest.xfail("Compose itself crashed, as some do when a container is removed: docker/compose issue 13559")
    assert not [line for line in project.leftovers() if line.startswith("volume")]
