"""From saving a file to seeing the edit: each starter in its container, on slim, without a rebuild.

Usage: uv run python tests/bench/reload.py [ROUNDS]
Prints seconds (median, least, most) until the page, or a worker's log, has the new word. Needs an engine.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy  # noqa: E402

from project import Project, eventually  # noqa: E402
from repository import CODE, ROOT  # noqa: E402


def seconds(project: Project, starter: str, text: str, word: str) -> float:
    """Return how long an edit of the starter's code (`text`, with the greeting replaced by `word`) takes to show."""
    look = (lambda: project.compose("logs", "--tail", "5", "app").stdout) if starter == "worker" else project.get
    start = time.perf_counter()
    (project.path / "app" / CODE[starter]).write_text(text.replace("Hello", word))
    eventually(look, lambda seen: word in seen, pause=0.01)
    return time.perf_counter() - start


def main(rounds: int = 9) -> None:
    for starter, file in CODE.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"reload-{starter}"
            run_copy(str(ROOT), path, data={"starter": starter}, defaults=True, quiet=True, vcs_ref="HEAD")
            project = Project(path)
            try:
                project.up()
                text = (path / "app" / file).read_text()
                times = []
                for number in range(rounds):
                    time.sleep(2)  # a person's pause; the watcher has settled
                    times.append(seconds(project, starter, text, f"Word{number}."))
            finally:
                project.remove()
        print(f"{starter:8} {statistics.median(times):5.2f} s  (least {min(times):.2f}, most {max(times):.2f})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
