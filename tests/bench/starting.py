"""`docker compose up --wait` for application, postgres and redis, against the slowest of the three started alone.

Usage: uv run python tests/bench/starting.py [ROUNDS]
Alone, each is the same container by `docker run`, asked by its own client until it answers. In turn, on data that are there and on
none. Prints seconds (medians) and the ratio. Needs an engine.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy  # noqa: E402
from project import Project, eventually  # noqa: E402
from repository import ROOT  # noqa: E402

ASK = {
    "postgres": "until psql --host 127.0.0.1 --command 'select 1'; do sleep 0.02; done",
    "redis": "until redis-cli ping | grep PONG; do sleep 0.02; done",
}


def empty(project: Project) -> None:
    """Remove what services keep."""
    for service in ASK:
        shutil.rmtree(project.path / "data" / service, ignore_errors=True)
        (project.path / "data" / service).mkdir()
    project.give_to(1000)


def together(project: Project) -> float:
    start = time.perf_counter()
    project.compose("up", "--wait")
    taken = time.perf_counter() - start
    project.compose("down", "--timeout", "3")
    return taken


def alone(project: Project, service: str) -> float:
    """Return how long a service's container takes by `docker run` until it answers."""
    model = json.loads(project.compose("config", "--format", "json").stdout)["services"][service]
    image = model.get("image", f"{project.path.name}-{service}")
    words = ["--user", model["user"]]
    words += [
        word
        for key, value in model.get("environment", {}).items()
        if value is not None
        for word in ("--env", f"{key}={value}")
    ]
    for volume in model["volumes"]:
        words += (
            ["--volume", f"{volume['source']}:{volume['target']}"]
            if volume["type"] == "bind"
            else ["--tmpfs", f"{volume['target']}:mode=1777"]
        )
    words += [f"--publish={port['host_ip']}:{port['published']}:{port['target']}" for port in model["ports"]]
    if model.get("entrypoint"):
        words += ["--entrypoint", model["entrypoint"][0]]
    command = [*(model.get("entrypoint") or [""])[1:], *model["command"]]
    start = time.perf_counter()
    with project.container(*words, image, *command) as name:
        if service in ASK:
            subprocess.run(["docker", "exec", name, "sh", "-c", ASK[service]], check=True, capture_output=True)
        else:
            eventually(project.get, lambda page: "Hello" in page, pause=0.02)
        return time.perf_counter() - start


def main(rounds: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "starting"
        run_copy(str(ROOT), path, data={"services": ["postgres", "redis"]}, defaults=True, quiet=True, vcs_ref="HEAD")
        project = Project(path)
        try:
            project.compose("build")
            for state in ("data are there", "no data yet"):
                times: dict[str, list[float]] = {name: [] for name in ("together", "app", *ASK)}
                empty(project)
                together(project)
                for _ in range(rounds):
                    for name, taken in times.items():
                        if state == "no data yet":
                            empty(project)
                        taken.append(together(project) if name == "together" else alone(project, name))
                medians = {name: statistics.median(taken) for name, taken in times.items()}
                print(f"{state}: " + ", ".join(f"{name} {median:.2f} s" for name, median in medians.items()))
                print(
                    f"  together / slowest alone: {medians['together'] / max(medians[name] for name in ('app', *ASK)):.2f}"
                )
        finally:
            project.remove()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
