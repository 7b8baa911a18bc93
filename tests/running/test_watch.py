"""docker compose watch: an edit of what an image is made from makes it anew, on the oldest and the newest Compose."""

import os
from pathlib import Path

import pytest

from project import NEWEST_COMPOSE, eventually

APPLICATION = """import importlib.metadata

import toolz
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index() -> str:
    return f"toolz {importlib.metadata.version('toolz')}: {toolz.identity('imported')}"
"""


def as_user(project, plugins: Path | None = None) -> dict:
    """Return the options of a user who may not read all that is in data/, since databases make such folders."""
    options = project.as_user(plugins=plugins)
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
        assert "requirements.txt' also declared by a bind mount volume, this path won't be monitored" in log.read_text()
        project.write_sections(dev="touch /made-anew")
        eventually(lambda: project.compose("exec", "app", "ls", "/made-anew").stdout, lambda seen: seen, seconds=120)


@pytest.mark.skipif(not NEWEST_COMPOSE.exists(), reason="tests/engine/check-engine up was not run here")
def test_a_new_dependency_is_one_rebuild_away(start) -> None:
    project = start()
    newest = as_user(project, NEWEST_COMPOSE)
    assert version(project, **newest) >= (2, 40)
    with project.in_background("docker", "compose", "up", "--build", "--watch", **newest) as log:
        eventually(project.get, lambda page: "Hello" in page, seconds=60)
        (project.path / "app/main.py").write_text(APPLICATION)
        requirements = project.path / "app/requirements.txt"
        requirements.write_text(requirements.read_text() + "toolz==1.1.0\n")
        eventually(project.get, lambda page: "toolz 1.1.0: imported" in page, seconds=120)
        assert log.read_text().count("Rebuilding service") == 1

        requirements.write_text(requirements.read_text().replace("1.1.0", "1.0.0"))
        eventually(project.get, lambda page: "toolz 1.0.0: imported" in page, seconds=120)

        project.write_sections(dev="touch /made-anew")
        eventually(lambda: project.compose("exec", "app", "ls", "/made-anew").stdout, lambda seen: seen, seconds=120)
    assert not [line for line in project.leftovers() if line.startswith("volume")]
