"""Any entry command under the debugger, as README and the emitted launch.json say, by a debug client with a single session."""

from contextlib import nullcontext

import pytest
from dap import Session
from debugged import attach, attach_arguments, start_debugging, visit
from project import Project, eventually

# --- Any entry command ---

GREET = 'def greet():\n    word = "Hello"\n    return word\n'
SHOP = {
    "shop.py": GREET,
    "main.py": """
from http.server import BaseHTTPRequestHandler, HTTPServer
from shop import greet
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(greet().encode())
if __name__ == "__main__":
    HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
""",
    "web.py": "from flask import Flask\nfrom shop import greet\napp = Flask(__name__)\napp.add_url_rule('/', view_func=greet)\n",
    "api.py": "from fastapi import FastAPI\nfrom shop import greet\napp = FastAPI()\napp.get('/')(greet)\n",
    "manage.py": """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path
from shop import greet
settings.configured or settings.configure(DEBUG=True, ROOT_URLCONF="manage", ALLOWED_HOSTS=["*"])
urlpatterns = [path("", lambda request: HttpResponse(greet()))]
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
""",
    "tasks.py": """
from celery import Celery
from celery.signals import worker_ready
from shop import greet
app = Celery(broker="memory://")
app.task(name="greet")(greet)
worker_ready.connect(lambda **_: app.send_task("greet"), weak=False)
""",
    "test_shop.py": "from shop import greet\n\n\ndef test_greet():\n    assert greet() == 'Hello'\n",
    "pool.py": "from concurrent.futures import ProcessPoolExecutor\nfrom shop import greet\nif __name__ == '__main__':\n    print(ProcessPoolExecutor().submit(greet).result())\n",
    "boot.sh": "cd /app\nexec python main.py\n",
    "serve": "#!/usr/bin/env python\nimport runpy\nrunpy.run_path('/app/main.py', run_name='__main__')\n",
    "requirements.txt": "celery\ndjango\nfastapi[standard]\nflask\ngunicorn\npytest\n",
}
SERVERS = [
    "python main.py",
    "python3 -u -X dev -m main",
    "MODE=dev exec python main.py",
    "cd /tmp && python /app/main.py",
    "sh boot.sh",
    "./serve",
    "uv run --no-project python main.py",
    "python -c 'import shop' && python main.py",
    "python -c 'import shop'; watchfiles --filter python 'python main.py' .",
    "python manage.py check && python manage.py runserver 0.0.0.0:8000",
    "flask --app web run --debug --host 0.0.0.0 --port 8000",
    "uvicorn api:app --host 0.0.0.0 --port 8000 --reload",
    "uvicorn api:app --host 0.0.0.0 --port 8000 --workers 2",
    "fastapi dev --host 0.0.0.0 --port 8000 api.py",
    "gunicorn --bind 0.0.0.0:8000 --workers 2 --reload web:app",
]
JOBS = [
    "celery --app tasks worker --concurrency 1 --without-mingle --without-gossip",
    "pytest -q",
    "python pool.py",
]


@pytest.fixture(scope="module")
def shop(start_shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    code = tmp_path_factory.mktemp("shop")
    for name, text in SHOP.items():
        (code / name).write_text(text)
    (code / "serve").chmod(0o755)
    project = start_shared(code=code, starter="existing", test_command="true", serve_imports="")
    project.sh("true")
    return project


@pytest.mark.parametrize("command", SERVERS + JOBS)
def test_any_command_is_debugged(shop: Project, command: str) -> None:
    shop.compose("kill", check=False)
    shop.sh("--debug", env=shop.env | {"CMD": command})
    file = str(shop.path / "shop.py")
    with attach(shop, {file: [3]}) as editor, visit(shop) if command in SERVERS else nullcontext():
        thread = editor.stopped()
        frame = editor.frames(thread)[0]
        assert (frame["source"]["path"], frame["line"]) == (file, 3)
        assert editor.variables(frame)["word"] == "'Hello'"
        editor.request("continue", threadId=thread)


# --- Beside the application ---


def test_a_command_beside_the_application_is_debugged(shop: Project) -> None:
    shop.compose("down", "--timeout", "1")
    command = ["./sh", "--debug", "pytest", "-q", "test_shop.py"]
    file = str(shop.path / "shop.py")

    def stops(editor: Session) -> None:
        thread = editor.stopped()
        assert editor.frames(thread)[1]["name"] == "test_greet"
        editor.request("continue", threadId=thread)

    # With no application, with one that is not debugged, and with one that another editor debugs
    for mode in (None, "", "1"):
        if mode is not None:
            start_debugging(shop, mode, CMD="python main.py")
        with attach(shop, {file: [3]}) if mode else nullcontext() as other:
            with shop.in_background("sh", "-c", f"{' '.join(command)}; echo status $?; exec sleep 60") as log:
                eventually(log.read_text, lambda said: "waits for an editor" in said)
                with attach(shop, {file: [3]}) as editor:
                    stops(editor)
                    # The session ends with the command
                    editor.reader.join(30)
                    assert not editor.reader.is_alive()
                assert "status 0" in eventually(log.read_text, lambda said: "status" in said)
            if other:
                # The first editor still has the application. Without a second, it gets the command too
                with visit(shop):
                    other.request("continue", threadId=other.stopped())
                with shop.in_background("sh", "-c", f"{' '.join(command)}; echo status $?; exec sleep 60") as log:
                    stops(other)
                    assert "status 0" in eventually(log.read_text, lambda said: "status" in said)
                with visit(shop):
                    other.request("continue", threadId=other.stopped())


# --- Nothing goes wrong ---


def test_without_the_switch_nothing_of_the_debugger_runs(shop: Project) -> None:
    for mode in ("", "0", "yes"):
        start_debugging(shop, mode, CMD="python main.py")
        look = "import sys; print('debugpy' in sys.modules)"
        assert shop.sh("python", "-c", look).stdout == "False\n"
        assert "debug" not in shop.compose("top").stdout.replace(shop.path.name, "")
        assert ":162E" not in shop.sh("cat", "/proc/net/tcp").stdout
    assert "DEBUG=yes does not start it" in shop.compose("logs", "app").stdout
    # A command of the user's own in a container that is debugged is not
    start_debugging(shop, "1", CMD="python main.py")
    assert shop.sh("python", "-c", look).stdout == "False\n"
    assert ":162E" in shop.sh("cat", "/proc/net/tcp").stdout


def logs(project: Project) -> str:
    return project.compose("logs", "--no-log-prefix", "app").stdout


def test_the_server_serves_on_whatever_happens_to_the_debugger(shop: Project) -> None:
    file = str(shop.path / "shop.py")
    start_debugging(shop, "1", CMD="python main.py")
    # An editor that dies in the middle of a stop
    editor = attach(shop, {file: [3]})
    with visit(shop) as pages:
        editor.stopped()
        # A second one
        with pytest.raises(AssertionError, match="no answer to attach"), Session(attach_arguments(shop)) as second:
            second.attach({})
        assert not pages
        editor.close()
    assert pages == ["Hello"]
    assert "another editor is attached" in logs(shop)
    # The next one may come, and its breakpoints are not the old ones
    with attach(shop, {}):
        eventually(shop.get, lambda page: page == "Hello")

    # A port that is taken; the application's own debugger; an interpreter without debugpy, and one that never comes here
    taken = "python -c 'import socket, time; server = socket.create_server((\"\", 5678)); time.sleep(99)' & sleep 1; debug 1 python main.py"
    own = 'python -c \'import debugpy, runpy; debugpy.listen(5678); runpy.run_path("main.py", run_name="__main__")\''
    without = "PYTHONPATH=/tmp/broken:/app python main.py"
    for mode, command, line in (
        ("", taken, "port 5678 of the container is in use by another program"),
        ("1", own, "ignores debugpy.listen() of the application"),
        (
            "1",
            f"mkdir -p /tmp/broken/debugpy; echo 1/0 >/tmp/broken/debugpy/__init__.py; {without}",
            "ZeroDivisionError",
        ),
        ("1", "python -S main.py", "no Python of /opt/venv runs yet"),
    ):
        start_debugging(shop, mode, CMD=command)
        eventually(shop.get, lambda page: page == "Hello")
        eventually(lambda: logs(shop), lambda said: line in said)
        assert "Traceback" not in logs(shop)
