"""What tests of the debugger share: starting a project under it, a breakpoint in each starter, and a visitor who is stopped by it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from dap import Breakpoints, Session
from project import Project, eventually

# Where each starter greets, and the Django project of somebody else's in test_editors.py
GREETS = {
    "fastapi": ("app/api/main.py", 'return {"message"'),
    "flask": ("app/web/pages.py", 'return "Hello'),
    "django": ("app/config/views.py", "return HttpResponse"),
    "worker": ("app/worker/main.py", "return items["),
    "existing": ("shop/views.py", "return HttpResponse"),
}


def greeting(project: Project, kind: str) -> Breakpoints:
    """Return the line that greets, as a breakpoint."""
    name, text = GREETS[kind]
    lines = (project.path / name).read_text().splitlines()
    return {str(project.path / name): [next(number for number, line in enumerate(lines, 1) if text in line)]}


def attach_arguments(project: Project) -> dict:
    """Return the first entry of launch.json, with the port that the test has in place of 5678."""
    text = (project.path / ".vscode/launch.json").read_text()
    entry = json.loads(text.replace("${workspaceFolder}", str(project.path)))["configurations"][0]
    assert entry["connect"] == {"host": "127.0.0.1", "port": 5678}
    entry["connect"]["port"] = project.ports["DEBUG_PORT"]
    return entry


def attach(project: Project, breakpoints: Breakpoints) -> Session:
    return Session(attach_arguments(project)).attach(breakpoints)


@contextmanager
def visit(project: Project, path: str = "/") -> Iterator[list[str]]:
    """Ask for a page until it answers, beside the test; yield a list that will hold the page."""
    pages: list[str] = []
    # A second request would be stopped, too
    ask = partial(project.get, path, timeout=60)
    visitor = threading.Thread(target=lambda: pages.append(eventually(ask, bool)))
    visitor.start()
    yield pages
    visitor.join()


def start_debugging(project: Project, mode: str = "1", **env: str) -> Project:
    # Not every server heeds the signal that `up` sends
    project.compose("kill", check=False)
    project.compose("up", "--build", "--wait", env=project.env | env | {"DEBUG": mode})
    return project
