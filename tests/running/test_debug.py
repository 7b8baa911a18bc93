"""Debugging as the emitted .env, README and launch.json say: a breakpoint set by its path on the host stops."""

import json
import re
import threading

import pytest
from dap import Debugger
from project import Project, eventually
from repository import CODE

BREAK = {"fastapi": 'return {"message"', "flask": 'return "Hello', "django": "return HttpResponse"}


def switch_to_debugger(project: Project) -> None:
    """Write the line of the README's section on debugging into .env."""
    (line,) = re.findall(r"^CMD=(.*debugpy.*)$", (project.path / "README.md").read_text(), re.M)
    project.set_env(CMD=line)


def attach_arguments(project: Project) -> dict:
    """Return the emitted entry of launch.json, with the port that the test has in place of 5678."""
    text = (project.path / ".vscode/launch.json").read_text()
    (entry,) = json.loads(text.replace("${workspaceFolder}", str(project.path)))["configurations"]
    assert entry["connect"] == {"host": "127.0.0.1", "port": 5678}
    entry["connect"]["port"] = project.ports["DEBUG_PORT"]
    return entry


@pytest.mark.parametrize("starter", BREAK)
def test_a_breakpoint_stops_with_reload_on(start, starter: str) -> None:
    project = start(starter=starter)
    switch_to_debugger(project)
    project.up()
    path = project.path / "app" / CODE[starter]
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if BREAK[starter] in text)

    pages: list[str] = []
    enough = threading.Event()

    def visit() -> None:
        while not enough.wait(0.2):
            pages.append(project.get())

    debugger = Debugger(attach_arguments(project), {str(path): [line]})
    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        session, thread = debugger.stopped()
        frame = session.request("stackTrace", threadId=thread)["stackFrames"][0]
        assert (frame["source"]["path"], frame["line"]) == (str(path), line)
        before = len(pages)
        session.request("setBreakpoints", source={"path": str(path)}, breakpoints=[])
        session.request("continue", threadId=thread)
        eventually(lambda: pages[before:], bool)
        assert "Hello" in pages[before]
    finally:
        enough.set()
        visitor.join()
        debugger.close()
