"""The emitted Dockerfile beside others' ways of writing one: seconds to build, to rebuild and to answer, and the image's size.

Usage: uv run python tests/bench/building.py [--runs N] [PEER...]

One application (app/) in one set of versions, built by each peer (peers/NAME/Dockerfile, and drydock rendered from the
working tree, with its tests and with GATE=skip). Each round takes every peer once, the next round starts with another, so
that what else the machine does hits all alike. Prints medians with the least and the most, then ratios beside their targets.
Needs an engine, the peers' base images and PyPI; empties all cache mounts of the engine before every cold build.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from copier import run_copy  # noqa: E402
from project import eventually, free_port  # noqa: E402
from repository import ROOT, UV_IMAGE  # noqa: E402

PEERS = ["tutorial", "docker-first", "docker-init", "uv-example", "drydock", "drydock-skip"]
# Those that run the tests in a stage of that name, and those that know what only the tests need
TESTED = ["docker-first", "drydock"]
TEST_REQUIREMENTS = [*TESTED, "uv-example"]
ANSWERS = {
    "starter": "existing",
    "project_dir": ".",
    "dependencies": "requirements.txt",
    "test_dependencies": "requirements-test.txt",
    "entry_command": "uvicorn main:app --host 0.0.0.0 --port 8000 --reload",
    "serve_command": "uvicorn main:app --host 0.0.0.0 --port $PORT",
    "test_command": "pytest",
}
# Where uv.lock is made: on the builds' own Python, uv and index
LOCKER = "drydock-bench-locker"
UV = f"FROM python:3.14-slim\nCOPY --from={UV_IMAGE} /uv /usr/local/bin/\n"
PYPROJECT = """\
[project]
name = "app"
version = "0"
requires-python = ">=3.14"
dependencies = [
{}]
[dependency-groups]
dev = [
{}]
[tool.uv]
package = false
"""
STARTS = 3  # in each round, of which the median counts

COLD, CODE, TESTS, BEYOND = "cold build, s", "code edit, s", "tests alone, s", "code edit less tests, s"
TEST_REQUIREMENT, REQUIREMENT = "test requirement edit, s", "requirement edit, s"
START, SIZE = "run to first 200, s", "image, MB"
MEASURES = [COLD, CODE, TESTS, BEYOND, TEST_REQUIREMENT, REQUIREMENT, START, SIZE]
# What is compared: peer and measure, its peer, and the most that the ratio should be
TARGETS = [
    ("drydock", COLD, "docker-first", 0.5),
    ("drydock", COLD, "tutorial", 0.75),
    ("drydock-skip", COLD, "tutorial", 0.4),
    ("drydock-skip", COLD, "uv-example", 1.15),
    ("drydock", REQUIREMENT, "docker-first", 0.5),
    *(("drydock", START, peer, 0.8) for peer in PEERS[:4]),
]
MOST_BEYOND = 1.5  # seconds
MOST_SIZE = 1.01  # of the smallest peer's


def run(*command: str | Path, **options) -> str:
    """Run a command and return what it prints; where it fails, show what it said."""
    result = subprocess.run(command, text=True, capture_output=True, **options)
    if result.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}\n{result.stderr}"[-8000:]
        )
    return result.stdout.strip()


def seconds(*command: str) -> float:
    """Return how long a command takes, with nothing before it left to write to the disk."""
    os.sync()
    start = time.perf_counter()
    run(*command)
    return time.perf_counter() - start


class Peer:
    """The application in `folder`, with one peer's Dockerfile."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.images: list[str] = []
        self.arguments = ["--build-arg", "GATE=skip"] if name == "drydock-skip" else []
        shutil.copytree(HERE / "app", folder)
        if name.startswith("drydock"):
            run_copy(str(ROOT), folder, data=ANSWERS, defaults=True, quiet=True, vcs_ref="HEAD")
        else:
            shutil.copytree(HERE / "peers" / name, folder, dirs_exist_ok=True)

    def write(self, **lines: str) -> None:
        """Write the application anew, with `lines` at the end of its files; lock it for uv's example."""
        files = {"main.py": "code", "requirements.txt": "requirement", "requirements-test.txt": "test_requirement"}
        for file, key in files.items():
            (self.folder / file).write_text((HERE / "app" / file).read_text() + lines.get(key, ""))
        if self.name == "uv-example":
            listed = [
                re.sub(r"^(.+)$", r'"\1",', (self.folder / file).read_text(), flags=re.MULTILINE)
                for file in ("requirements.txt", "requirements-test.txt")
            ]
            (self.folder / "pyproject.toml").write_text(PYPROJECT.format(*listed))
            run("docker", "build", "--tag", LOCKER, "-", input=UV)
            mine = [f"--user={os.getuid()}:{os.getgid()}", f"--volume={self.folder}:/app", "--workdir=/app"]
            run("docker", "run", "--rm", *mine, "--env=UV_NO_CACHE=1", LOCKER, "uv", "lock")

    def build(self, *arguments: str) -> float:
        """Build an image under a new tag; return how long it took."""
        self.images.append(f"drydock-bench-{self.name}:{len(self.images)}")
        return seconds("docker", "build", *self.arguments, *arguments, "--tag", self.images[-1], str(self.folder))

    def first_answer(self) -> float:
        """Return how long the last image takes from `docker run` to its first 200."""
        port = free_port()
        os.sync()
        start = time.perf_counter()
        published = f"--publish=127.0.0.1:{port}:8000"
        container = run("docker", "run", "--rm", "--detach", published, "--env=PORT=8000", self.images[-1])
        try:
            eventually(lambda: status(port), lambda seen: seen == 200, pause=0.005)
            return time.perf_counter() - start
        finally:
            run("docker", "rm", "--force", container)

    def measure(self, number: int) -> dict[str, float]:
        """Take the peer's turn in round `number`. No edit was ever built before, in this run or in an earlier one."""
        unique = time.time_ns()
        edits = {"code": f"EDIT = {unique}\n"}
        taken: dict[str, float] = {}
        self.write()
        run("docker", "builder", "prune", "--force", "--filter", "type=exec.cachemount")
        taken[COLD] = self.build("--no-cache")
        taken[SIZE] = int(run("docker", "image", "inspect", "--format", "{{.Size}}", self.images[-1])) / 1e6
        taken[START] = statistics.median(self.first_answer() for _ in range(STARTS))
        self.write(**edits)
        taken[CODE] = self.build()
        if self.name in TESTED:
            self.build("--target", "tests")
            taken[TESTS] = seconds("docker", "run", "--rm", self.images[-1], *ANSWERS["test_command"].split())
            taken[BEYOND] = taken[CODE] - taken[TESTS]
        if self.name in TEST_REQUIREMENTS:
            edits["test_requirement"] = f"more-itertools==10.{number % 9}.0,!=0.{unique}\n"
            self.write(**edits)
            taken[TEST_REQUIREMENT] = self.build()
        edits["requirement"] = f"six==1.{10 + number % 7}.0,!=0.{unique}\n"
        self.write(**edits)
        taken[REQUIREMENT] = self.build()
        return taken


def status(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as response:
        return response.status


def report(results: dict[str, list[dict[str, float]]]) -> None:
    """Print each measure's median (least - most) for every peer, then the ratios."""
    medians: dict[tuple[str, str], float] = {}
    for measure in MEASURES:
        print(f"\n{measure}")
        for name, rounds in results.items():
            if values := [taken[measure] for taken in rounds if measure in taken]:
                medians[name, measure] = statistics.median(values)
                print(f"  {name:14}{medians[name, measure]:8.2f}  ({min(values):.2f} - {max(values):.2f})")
    print("\nratio, and what it should not exceed")
    for name, measure, peer, most in TARGETS:
        if name in results and peer in results:
            ratio = medians[name, measure] / medians[peer, measure]
            print(f"  {measure.partition(',')[0]:18} {name:12} / {peer:13}{ratio:6.2f}  {most:.2f}")
    if "drydock" in results:
        size = medians["drydock", SIZE] / min(medians[name, SIZE] for name in results)
        print(f"  {'image':18} {'drydock':12} / {'smallest':13}{size:6.3f} {MOST_SIZE:.2f}")
        print(
            f"  {'code edit':18} {'drydock':12} - {'tests alone':13}{medians['drydock', BEYOND]:6.2f}  {MOST_BEYOND:.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)} (default: all)")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"no such peer: {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as folder:
        peers = [Peer(name, Path(folder) / name) for name in PEERS if name in (options.peers or PEERS)]
        results: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
        try:
            for number in range(options.runs):
                first = number % len(peers)
                for peer in peers[first:] + peers[:first]:
                    results[peer.name].append(peer.measure(number))
                    print(f"round {number + 1}, {peer.name}: load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        finally:
            images = [LOCKER, *(image for peer in peers for image in peer.images)]
            subprocess.run(["docker", "rmi", "--force", *images], capture_output=True)
    report(results)


if __name__ == "__main__":
    main()
