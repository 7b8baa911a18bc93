"""Debugging as the emitted .env, README and launch.json say: a breakpoint set by its path on the host stops."""

import json
import re
import threading

import pytest

from dap import Session
from project import eventually

BREAK = {"fastapi": ("main.py", "return {\"message\""), "flask": ("main.py", "return \"Hello"), "django": ("config/views.py", "return HttpResponse")}


def switch_to_debugger(project) -> None:
    """Put the second CMD line of .env in place of the first."""
    env = project.path / ".env"
    text = re.sub(r"^CMD=.*\n", "", env.read_text(), flags=re.M)
    env.write_text(text.replace("# CMD=", "CMD="))


@pytest.mark.parametrize("starter", BREAK)
def test_a_breakpoint_stops_with_reload_on(start, starter: str) -> None:
    project = start(starter=starter)
    switch_to_debugger(project)
    project.up()

    text = (project.path / ".vscode/launch.json").read_text()
    attach = json.loads(text.replace("${workspaceFolder}", str(project.path)))["configurations"][0]
    assert attach["connect"]["port"] == 5678
    attach["connect"]["port"] = project.ports["DEBUG_PORT"]  # as one does who edits DEBUG_PORT
    file, words = BREAK[starter]
    path = str(project.path / "app" / file)
    line = next(number for number, line in enumerate(open(path), 1) if words in line)

    parent = Session(attach).attach({path: [line]})
    # Uvicorn starts a helper process beside the server
    children = [parent.child({path: [line]})]
    if starter == "fastapi":
        children.append(parent.child({path: [line]}))
    pages: list[str] = []
    visitor = threading.Thread(target=lambda: pages.append(project.get()))
    visitor.start()
    stopped, server = eventually(lambda: next(((stop, child) for child in children if (stop := child.stopped())), None), bool)
    frame = server.frame(stopped["threadId"])
    assert (frame["source"]["path"], frame["line"]) == (path, line)
    server.request("continue", threadId=stopped["threadId"])
    visitor.join(10)
    assert "Hello" in pages[0]
    for session in (*children, parent):
        session.close()
