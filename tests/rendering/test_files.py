"""Every emitted file is what the tool that owns it takes; the template's own files are fit for every system."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from project import defaults
from repository import CODE, ROOT, SERVICES, STARTERS, git, make_repository

ENGINE_SCRIPTS = [f"tests/engine/{name}" for name in ("engine", "standins", "podman", "check-engine")]

ANSWERS = [
    *({"starter": starter} for starter in STARTERS),
    {"starter": "django", "services": SERVICES, "base_image": "ubuntu"},
    {"starter": "existing", "services": SERVICES, "dependencies": "uv.lock", "project_dir": "src/backend"},
    {"starter": "existing", "dependencies": "requirements/prod.txt pyproject.toml[web]", "python_path": ". libs"},
    {"advanced": True, "project_dir": "src/backend", "entry_command": "fastapi dev"},
    {"starter": "worker", "services": ["redis"], "python_version": "3.11.10"},
    {"starter": "django", "services": ["postgres"], "cloud_run": "service", "ci": "github"},
    {"starter": "worker", "cloud_run": "job", "ci": "gitlab"},
]

every_answer = pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: "-".join(map(str, answers.values())))
needs_docker = pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")


def files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


@every_answer
def test_text_is_tidy(render, answers: dict) -> None:
    for file in files(render(**answers)):
        text = file.read_text()
        assert not text or text.endswith("\n") and not text.endswith("\n\n"), f"{file}: ends in one newline"
        assert not re.search(r"[ \t]$", text, re.M), f"{file}: trailing blanks"
        assert not re.search(r"\n\n\n\n", text), f"{file}: empty lines"
        assert "\r" not in text, f"{file}: LF endings"
        assert not re.search(r"\{%|%\}|\{#|(?<!\$)\{\{(?!\.|[$]|(if|range|index) \.|end\}\})", text), (
            f"{file}: Jinja left over"
        )


@every_answer
def test_yaml_and_json_parse(render, answers: dict) -> None:
    path = render(**answers)
    for file in files(path):
        if file.suffix in (".yaml", ".yml"):
            assert yaml.safe_load(file.read_text()), file
        elif file.suffix == ".json":
            assert json.loads(file.read_text()), file
    folder = answers.get("project_dir", "." if answers.get("starter") == "existing" else "app")
    for attach in json.loads((path / ".vscode/launch.json").read_text())["configurations"]:
        roots = [mapping["localRoot"].replace("${workspaceFolder}", str(path)) for mapping in attach["pathMappings"]]
        assert [Path(root).resolve() for root in roots] == [path / "data/site-packages", (path / folder).resolve()]


def test_each_editor_gets_its_own_files(render) -> None:
    own = {
        "vscode": {".vscode/launch.json", ".vscode/settings.json", ".vscode/tasks.json"},
        "pycharm": {".run/Start under the debugger.run.xml"},
        "emacs": {".dir-locals.el"},
        "neovim": {".nvim.lua"},
        "devcontainer": {".devcontainer/devcontainer.json"},
    }

    def names(path: Path) -> set[str]:
        return {str(file.relative_to(path)) for file in files(path)}

    without = names(render(starter="existing", editors=[]))
    for editor, expected in own.items():
        assert names(render(starter="existing", editors=[editor])) - without == expected
    assert names(render(starter="existing")) - without == own["vscode"]


def test_editors_look_for_modules_where_python_does(render) -> None:
    path = render(starter="existing", project_dir="src/backend", python_path=". libs/a", editors=["vscode", "emacs"])
    folders = ["data/site-packages", "src/backend", "src/backend/libs/a"]
    assert json.loads((path / ".vscode/settings.json").read_text())["python.analysis.extraPaths"] == folders
    assert "[" + " ".join(f'"{folder}"' for folder in folders) + "]" in (path / ".dir-locals.el").read_text()
    flat = json.loads((render(starter="existing") / ".vscode/settings.json").read_text())
    assert flat["python.analysis.extraPaths"] == ["data/site-packages", "."]


def test_scripts_keep_lf_endings_on_windows(render, tmp_path: Path) -> None:
    path = tmp_path / "demo"
    shutil.copytree(render(), path)
    make_repository(path)
    git(path, "config", "core.autocrlf", "true")
    names = [
        "sh",
        "activate",
        "build.sh",
        "Dockerfile",
        ".env",
        *(str(file.relative_to(path)) for file in path.glob(".drydock/**/*.sh")),
    ]
    for name in names:
        (path / name).unlink()
    git(path, "checkout", "--", ".")
    assert not [name for name in names if b"\r" in (path / name).read_bytes()]
    # What needs none of this is as the user's git has it
    (path / "README.md").unlink()
    git(path, "checkout", "--", "README.md")
    assert b"\r\n" in (path / "README.md").read_bytes()


@needs_docker
@every_answer
def test_compose_takes_its_files(render, answers: dict) -> None:
    command = ["docker", "compose", "--profile", "*", "config", "--format", "json"]
    result = subprocess.run(command, cwd=render(**answers), check=True, capture_output=True, text=True)
    assert not result.stderr
    model = json.loads(result.stdout)
    assert set(model["services"]) == {"app", "tests", "service", *answers.get("services", [])}
    watched = [Path(rule["path"]) for rule in model["services"]["app"]["develop"]["watch"]]
    assert len(watched) > 2 and len(watched) == len(set(watched))
    if answers.get("starter") != "existing":
        # The first start leaves the lock
        assert {path.name for path in watched if not path.is_file()} == {"uv.lock"}
    for name, service in model["services"].items():
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}, (
            f"{name}: its log grows for ever"
        )
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", f"{name}: {port} listens beyond this machine"


def test_what_everybody_reads_first_is_short(render) -> None:
    path = render()
    for name, most in {"Dockerfile": 170, "README.md": 80}.items():
        assert len((path / name).read_text().splitlines()) <= most, name


@every_answer
def test_hadolint_finds_nothing(render, answers: dict) -> None:
    result = subprocess.run(["hadolint", render(**answers) / "Dockerfile"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_shellcheck_finds_nothing(render) -> None:
    path = render(cloud_run="service")
    called = [path / "sh", path / "build.sh"]
    result = subprocess.run(
        ["shellcheck", "--shell=sh", *called, path / "activate", *path.rglob(".drydock/**/*.sh")],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    assert all(script.stat().st_mode & 0o111 for script in called)


def test_the_tests_own_scripts_pass_shellcheck() -> None:
    scripts = [ROOT / ".ci/run", *(ROOT / script for script in ENGINE_SCRIPTS)]
    result = subprocess.run(["shellcheck", "--severity=warning", *scripts], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@every_answer
def test_env_has_the_agreed_keys_and_no_dead_ones(render, answers: dict) -> None:
    path = render(**answers)
    settings = dict(re.findall(r"^# ([A-Z0-9_]+)=(.*)$", (path / ".env").read_text(), re.M))
    assert {"IMAGE", "PYTHON_VERSION", "PROJECT", "CMD", "PORT", "DEBUG_PORT", "DEBUG", "BIND"} <= set(settings)
    assert not re.search(r"^[^#\n]", (path / ".env").read_text(), re.M), "all of it is optional"
    read = defaults(path)
    assert not set(settings) - set(read) - ({"PORT"} if answers.get("starter") == "worker" else set())
    assert set(read) - set(settings) <= {
        "COMPOSE_PROJECT_NAME",
        "HOST_UID",
        "HOST_GID",
        "SERVICE_PORT",
        *(f"{service.upper()}_IMAGE" for service in SERVICES),
    }
    assert {
        key: settings[key] for key in set(settings) & set(read) - {"CMD"} if not key.endswith("_IMAGE")
    }.items() <= read.items()


@every_answer
def test_the_dockerfile_has_the_defaults_of_compose(render, answers: dict) -> None:
    path = render(**answers)
    dockerfile = (path / "Dockerfile").read_text()
    for key in ("IMAGE", "PYTHON_VERSION", "PROJECT"):
        assert set(re.findall(rf"^ARG {key}=(.*)$", dockerfile, re.M)) == {defaults(path)[key]}


def test_names_are_legal_on_windows_and_hold_one_variable() -> None:
    for name in git(
        ROOT, "-c", "core.quotePath=false", "ls-files", "--cached", "--others", "--exclude-standard"
    ).splitlines():
        assert not re.search(r'["|:*?<>\\]', name), name
        assert all(len(re.findall(r"\{\{", part)) <= 1 for part in name.split("/")), name


def test_scripts_are_executable_in_the_index() -> None:
    modes = {name: mode for mode, name in (line.split("\t") for line in git(ROOT, "ls-files", "--stage").splitlines())}
    for script in ("template/sh", "template/build.sh.jinja", ".ci/run", *ENGINE_SCRIPTS):
        assert modes[script].startswith("100755"), script


def test_every_starter_has_a_file_that_greets() -> None:
    """The tests on the engine take their starters from CODE."""
    assert set(STARTERS) == {*CODE, "existing"}
    assert all("Hello" in (ROOT / "include/starters" / starter / file).read_text() for starter, file in CODE.items())


def test_a_fresh_copy_by_copie(copie) -> None:
    result = copie.copy(extra_answers={"services": SERVICES})
    assert result.exception is None
    assert result.exit_code == 0
    assert sorted(file.stem for file in (result.project_dir / "include").iterdir()) == sorted(SERVICES)
