"""Logs: what every container said is in data/logs/, to the last word, and stays there."""

import re
from pathlib import Path

import pytest

from project import eventually

CRASH = """python -c '
import os, sys
for number in range(20000): print("line", number)
print("the last \\u00e9 word", file=sys.stderr, flush=True)
sys.stdout.flush()
os._exit(7)'
"""


def said(path: Path, service: str) -> list[str]:
    """Return the lines of a service's files, oldest first, without their times."""
    files = sorted((path / "data/logs").glob(f"{service}.log*"), key=lambda file: int(file.suffix[1:] if file.suffix != ".log" else 0), reverse=True)
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 ", line) for line in lines)
    return [line.split(" ", 1)[1] for line in lines]


@pytest.fixture
def project(start):
    return start(services=["redis"])


def test_everything_said_is_kept(project) -> None:
    project.up()
    project.get("/health")
    # Docker's own way works as ever
    assert '"GET /health' in project.compose("logs", "app").stdout
    # The driver sends every five seconds
    eventually(lambda: said(project.path, "app"), lambda lines: any('"GET /health' in line for line in lines))

    # A container that dies in the middle of its work has said all it had to
    run = project.compose("run", "--rm", "-T", "--no-deps", "app", "bash", "-c", CRASH, check=False)
    assert run.returncode == 7
    lines = eventually(lambda: said(project.path, "app"), lambda lines: "the last é word" in lines)
    assert [line for line in lines if line.startswith("line ")] == [f"line {number}" for number in range(20000)]

    # Without the collector all else works, and it gets later what was said meanwhile
    project.compose("stop", "logs")
    project.compose("restart", "--no-deps", "redis")
    before = said(project.path, "redis")
    project.compose("start", "logs")
    eventually(lambda: said(project.path, "redis"), lambda lines: "Ready to accept connections" in " ".join(lines[len(before) :]))

    project.compose("down")
    assert any("Application shutdown complete" in line for line in said(project.path, "app")[-4:])
    assert "bye bye" in said(project.path, "redis")[-1]
    assert {file.stat().st_uid for file in (project.path / "data/logs").iterdir()} == {project.path.stat().st_uid}


def test_files_are_rotated(project) -> None:
    project.compose("up", "--build", "--wait", "logs")
    long = "x" * 1000
    project.compose("run", "--rm", "-T", "app", "python", "-c", f"for number in range(25000): print(number, '{long}')")
    lines = eventually(lambda: said(project.path, "app"), lambda lines: lines[-1].startswith("24999 "))
    assert [int(line.split()[0]) for line in lines] == list(range(25000))
    sizes = {file.name: file.stat().st_size for file in (project.path / "data/logs").glob("app.log*")}
    assert sorted(sizes) == ["app.log", "app.log.1", "app.log.2"] and max(sizes.values()) <= 10_000_000
