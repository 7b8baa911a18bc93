"""Logs: the engine keeps them, rotated; the service `logs` copies them to files, and nothing ever waits for it."""

import json
import re
import time
from itertools import chain

import pytest
import yaml
from project import Project, eventually

IMAGE = "python:3.14-slim-trixie"
ROTATED = {"driver": "json-file", "options": {"max-file": "3", "max-size": "10m"}}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
# Talks until it is stopped, and takes a second to say its last words
TALK = """
import signal, time
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
number = 0
while not ending:
    number += 1
    print("word", number, flush=True)
    time.sleep(0.002)
time.sleep(1)
print("bye", number, flush=True)
"""
BURST = """
import os, sys
for number in range(100_000):
    print("line", number, "x" * 60)
sys.stdout.flush()
os.write(2, b"the last word\\n")
os._exit(7)
"""
ODD = """
import os, time
os.write(1, b"long " + b"a" * 100_000 + b"\\n")
time.sleep(0.1)
os.write(2, b"\\xc3\\xa9 \\xff\\n")
time.sleep(0.1)
os.write(1, b"no end")
"""


def talker(code: str, **more: object) -> dict:
    """Return a service that runs this code."""
    image = {} if "build" in more else {"image": IMAGE}
    return image | {"init": True, "logging": ROTATED, "command": ["python", "-c", code.replace("$", "$$")], **more}


def talks(project: Project, **services: dict) -> Project:
    """Put services beside the project's own."""
    (project.path / "compose.override.yaml").write_text(yaml.safe_dump({"services": services}))
    return project


def said(project: Project, service: str) -> list[str]:
    """Return the lines of a service's files, oldest first, without their times."""
    files = sorted(
        (project.path / "data/logs").glob(f"{service}.log*"),
        key=lambda file: -int("0" + file.suffix[1:].removeprefix("log")),
    )
    text = b"".join(file.read_bytes() for file in files).decode(errors="replace")
    # What is read while it is being written may end in half a time; what a program ends with may lack its line feed
    whole, _, rest = text.rpartition("\n")
    return without_times(text if TIME.match(rest) else whole)


def without_times(text: str) -> list[str]:
    """Return the lines of a text without the times before them, which all must have."""
    lines = text.splitlines()
    assert all(TIME.match(line) for line in lines)
    return [line.split(" ", 1)[1] for line in lines]


def all_of_it(lines: list[str]) -> bool:
    """Tell whether the lines are a whole burst, each line once and in order."""
    numbers = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    return numbers == list(range(100_000)) and lines.count("the last word") == 1


def inspect(project: Project, *services: str) -> list[dict]:
    """Return what the engine says of a project's containers."""
    names = project.compose("ps", "--all", "--quiet", *services).stdout.split()
    return json.loads(project.run("docker", "inspect", *names).stdout)


def ended(project: Project, *services: str) -> bool:
    return all(container["State"]["Status"] == "exited" for container in inspect(project, *services))


def test_the_engine_keeps_and_rotates_them(start) -> None:
    project = start(services=["redis"])
    # One service alone builds nothing, and starts nothing beside it
    project.compose("up", "--wait", "redis")
    assert project.compose("ps", "--all", "--services").stdout == "redis\n"
    assert not project.run("docker", "images", "--quiet", "--filter", f"reference={project.path.name}*").stdout

    project.up()
    project.get("/health")
    assert '"GET /health' in project.compose("logs", "app").stdout
    containers = inspect(project)
    assert len(containers) == 2
    assert all(
        container["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": ROTATED["options"]}
        for container in containers
    )
    assert set(chain(*(container["NetworkSettings"]["Ports"] for container in containers))) == {
        "8000/tcp",
        "5678/tcp",
        "6379/tcp",
    }


def test_all_that_is_said_is_in_files(start) -> None:
    project = start(services=["logs", "redis"])
    project.up()
    project.get("/health")
    eventually(lambda: said(project, "app"), lambda lines: any('"GET /health' in line for line in lines))
    eventually(lambda: said(project, "redis"), lambda lines: "Ready to accept connections" in " ".join(lines))
    # A command's words are its caller's, and its own would have no end
    project.sh("echo", "only here")
    project.compose("run", "--rm", "-T", "--no-deps", "app", "echo", "only here")

    project.sh("--snapshot", "one")
    assert "logs" not in project.run("tar", "--list", "--file", "data/snapshots/one.tar.gz").stdout
    assert "logs: running" in project.sh("--info").stdout
    assert project.sh("--doctor", check=False).stdout.count("! ") == 0

    project.compose("down")
    assert any("Application shutdown complete" in line for line in said(project, "app")[-4:])
    assert "bye bye" in said(project, "redis")[-1]
    assert "only here" not in said(project, "app")
    files = [file for file in (project.path / "data/logs").iterdir() if file.name != ".gitkeep"]
    assert {file.name for file in files} == {".positions.json", "app.log", "redis.log"}
    assert {file.stat().st_uid for file in files} == {project.path.stat().st_uid}


def test_odd_lines_and_several_containers(start) -> None:
    project = talks(
        start(services=["logs"]),
        odd=talker(ODD),
        terminal=talker(ODD, tty=True),
        three=talker(TALK, scale=3),
        silent=talker(TALK, logging={"driver": "none"}),
    )
    project.compose("up", "--detach", "logs", "odd", "terminal", "three", "silent")
    lines = ["long " + "a" * 100_000, "é \ufffd", "no end"]
    eventually(lambda: said(project, "odd"), lambda found: found == lines)
    eventually(lambda: said(project, "terminal"), lambda found: found == lines)
    # A container that starts again goes on in its file
    project.compose("start", "odd", "terminal")
    eventually(lambda: said(project, "odd"), lambda found: found == lines * 2)
    eventually(lambda: said(project, "terminal"), lambda found: found == lines * 2)
    eventually(lambda: [line for line in said(project, "three") if line == "word 100"], lambda found: len(found) == 3)
    assert not (project.path / "data/logs/silent.log").exists() or not said(project, "silent")


def test_a_burst_is_kept_whatever_happens_to_the_collector(start) -> None:
    project = talks(start(services=["logs"]), burst=talker(BURST), paused=talker(BURST), away=talker(BURST))
    project.compose("up", "--detach", "logs", "burst")
    # Killed again and again while it writes
    for _ in range(6):
        project.compose("kill", "logs")
        time.sleep(0.3)
        project.compose("start", "logs")
        time.sleep(0.7)
    eventually(lambda: said(project, "burst"), all_of_it, seconds=60)

    project.compose("pause", "logs")
    project.compose("up", "--detach", "paused")
    eventually(lambda: ended(project, "paused"), bool, seconds=60)
    project.compose("unpause", "logs")
    eventually(lambda: said(project, "paused"), all_of_it, seconds=60)

    project.compose("stop", "logs")
    project.compose("up", "--detach", "away")
    eventually(lambda: ended(project, "away"), bool, seconds=60)
    project.compose("start", "logs")
    eventually(lambda: said(project, "away"), all_of_it, seconds=60)
    sizes = {file.name: file.stat().st_size for file in (project.path / "data/logs").glob("away.log*")}
    assert sorted(sizes) == ["away.log", "away.log.1"] and max(sizes.values()) < 10_001_000


def test_a_full_disk_is_waited_for(start) -> None:
    project = talks(
        start(services=["logs"]),
        burst=talker(BURST),
        three=talker(TALK),
        logs={"tmpfs": "/data/logs:size=16m,mode=1777"},
    )
    project.compose("up", "--detach", "logs")

    def inside(command: str) -> str:
        return project.compose("exec", "-T", "logs", "sh", "-c", command).stdout

    inside("head -c 12000000 /dev/zero >/data/logs/ballast")
    project.compose("up", "--detach", "burst", "three")
    eventually(lambda: project.compose("logs", "logs").stdout, lambda text: "No space left" in text, seconds=60)
    eventually(lambda: ended(project, "burst"), bool, seconds=60)
    project.compose("stop", "three")
    time.sleep(5)
    assert len(project.compose("logs", "logs").stdout.splitlines()) == 1
    inside("rm /data/logs/ballast")
    eventually(lambda: without_times(inside("cat /data/logs/burst.log.1 /data/logs/burst.log")), all_of_it, seconds=60)
    words = eventually(
        lambda: without_times(inside("cat /data/logs/three.log")), lambda lines: lines[-1].startswith("bye")
    )
    assert words[:-1] == [f"word {number + 1}" for number in range(len(words) - 1)]


@pytest.mark.parametrize("how", ["paused", "stopped"])
def test_nobody_waits_for_it(start, how: str) -> None:
    """The collector's container is paused, or its process stopped, with much to read before it; neither ever goes on."""
    project = talks(start(services=["logs"]), talk=talker(TALK), burst=talker(BURST))
    # Its image is deleted, for which the engine asks all containers
    build = {"dockerfile_inline": f"FROM {IMAGE}\nENV NEW={how}"}
    other = talks(start(services=["logs"]), talk=talker(TALK, build=build))
    plain = talks(start(), talk=talker(TALK))
    for each in (project, other):
        each.compose("up", "--detach", "logs", "talk")
    plain.compose("up", "--detach", "talk")
    eventually(lambda: len(said(project, "talk")), bool)
    if how == "paused":
        project.compose("pause", "logs")
    else:
        project.compose("kill", "--signal", "STOP", "logs")
    (collector,) = inspect(project, "logs")

    def stands_still() -> bool:
        processes = project.run("docker", "top", collector["Id"], "-o", "pid,stat").stdout.splitlines()[1:]
        (now,) = inspect(project, "logs")
        return bool(processes) and (now["State"]["Paused"] or all("T" in process.split()[1] for process in processes))

    project.compose("up", "--detach", "burst")
    eventually(lambda: ended(project, "burst"), bool, seconds=60)
    project.compose("stop", "talk")
    project.compose("rm", "--force", "burst", "talk")
    project.compose("up", "--detach", "talk")
    other.compose("down", "--rmi", "local")
    assert "bye" in said(other, "talk")[-1]
    assert stands_still(), "someone may have waited for it"

    begin = time.monotonic()
    plain.compose("down", "--rmi", "local")
    middle = time.monotonic()
    project.compose("down", "--rmi", "local")
    # It stops as any container does: on a signal, or else after the ten seconds of grace
    assert time.monotonic() - middle < middle - begin + 10 + 10


def test_three_projects_keep_apart(start) -> None:
    projects = [
        talks(start(services=["logs"]), talk=talker(TALK.replace("word", f"number {number}"))) for number in range(3)
    ]
    for project in projects:
        project.compose("up", "--detach", "logs", "talk")
    for project in projects:
        eventually(lambda: len(said(project, "talk")), lambda count: count > 500)
    for number, project in enumerate(projects):
        project.compose("down")
        lines = said(project, "talk")
        # To the last word, though the containers are gone
        assert lines == [*(f"number {number} {count}" for count in range(1, len(lines))), f"bye {len(lines) - 1}"]
        assert sorted(file.name for file in (project.path / "data/logs").glob("*.log")) == ["talk.log"]
