"""What ./sh costs over a plain `docker exec` of the same command, and a command found through ./activate.

Usage: uv run python tests/bench/sh.py [ROUNDS]
Runs them by turns; prints milliseconds (median) and the median of the differences in each round. Needs an engine.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy  # noqa: E402
from project import Project  # noqa: E402
from repository import ROOT  # noqa: E402


def milliseconds(*command: str | Path, **options: Any) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    return 1000 * (time.perf_counter() - start)


def main(rounds: int = 31) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench-sh"
        run_copy(str(ROOT), path, defaults=True, quiet=True, vcs_ref="HEAD")
        project = Project(path)
        try:
            project.up()
            container = project.compose("ps", "--quiet", "app").stdout.strip()
            ways: dict[str, list[str | Path]] = {
                "docker exec": ["docker", "exec", "--interactive", "--workdir", "/app", container, "python", "-c", ""],
                "./sh": [path / "sh", "python", "-c", ""],
                "data/bin/python": [path / "data/bin/python", "-c", ""],
                "docker compose exec": ["docker", "compose", "exec", "-T", "app", "python", "-c", ""],
            }
            options: dict[str, Any] = {"cwd": path, "env": project.env}
            times: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(rounds + 1):
                for name, command in ways.items():
                    took = milliseconds(*command, **options)
                    if number:  # the first fills caches
                        times[name].append(took)
        finally:
            project.remove()
    for name, own in times.items():
        differences = [one - other for one, other in zip(own, times["docker exec"], strict=True)]
        print(
            f"{name:20} {statistics.median(own):6.1f} ms  {statistics.median(differences):+6.1f} ms  x {statistics.median(own) / statistics.median(times['docker exec']):.2f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
