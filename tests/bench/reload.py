"""From saving a file to seeing the edit, in its container, on slim, without a rebuild: each starter, and commands that existing code comes with.

Usage: uv run python tests/bench/reload.py [ROUNDS [CASE...]]
Prints seconds (median, least, most) until the page, or the log of what has none, has the new word. Needs an engine.
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

# name -> the starter whose code it runs, the command
CASES = {starter: (starter, None) for starter in CODE} | {
    "runserver": ("django", "python manage.py runserver 0.0.0.0:8000"),
    "runserver, watched": (
        "django",
        "watchfiles --filter python 'python manage.py runserver --noreload 0.0.0.0:8000' .",
    ),
    "fastapi dev": ("fastapi", "fastapi dev --host 0.0.0.0 api/main.py"),
    "gunicorn, watched": ("flask", "watchfiles --filter python 'gunicorn --bind 0.0.0.0:8000 \"web:create_app()\"' ."),
    "celery, watched": (
        "worker",
        "watchfiles --filter python --sigint-timeout 0 'celery --app worker.main worker --pool solo --without-mingle --without-gossip' .",
    ),
}
# As an existing project may have it
CELERY = """import os

from celery import Celery
from celery.signals import worker_ready

app = Celery(broker=os.environ["REDIS_URL"])


@app.task
def greet() -> None:
    print("Hello")


@worker_ready.connect
def start(**_) -> None:
    greet.delay()
"""


def replace(file: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    file.write_text(file.read_text().replace(old, new))


def seconds(project: Project, starter: str, text: str, word: str) -> float:
    """Return how long an edit of the starter's code (`text`, with the greeting replaced by `word`) takes to show."""
    look = (lambda: project.compose("logs", "--tail", "50", "app").stdout) if starter == "worker" else project.get
    start = time.perf_counter()
    (project.path / "app" / CODE[starter]).write_text(text.replace("Hello", word))
    eventually(look, lambda seen: word in seen, pause=0.01)
    return time.perf_counter() - start


def main(rounds: int = 9, *names: str) -> None:
    for name in names or CASES:
        starter, command = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"reload-{starter}"
            answers = {"starter": starter} | ({"advanced": True, "entry_command": command} if command else {})
            if name == "celery, watched":
                answers["services"] = ["redis"]
            run_copy(str(ROOT), path, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
            code = path / "app" / CODE[starter]
            if name == "celery, watched":
                replace(path / "app/pyproject.toml", '"redis"', '"celery[redis]"')
                code.write_text(CELERY)
            elif name == "fastapi dev":
                replace(path / "app/pyproject.toml", '"fastapi', '"fastapi[standard]')
            project = Project(path)
            try:
                project.up()
                text = code.read_text()
                times = []
                for number in range(rounds):
                    time.sleep(2)  # a person's pause; the watcher has settled
                    times.append(seconds(project, starter, text, f"Word{number}."))
            finally:
                project.remove()
        print(
            f"{name:20} {statistics.median(times):5.2f} s  (least {min(times):.2f}, most {max(times):.2f})", flush=True
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 9, *sys.argv[2:])
