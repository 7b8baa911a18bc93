"""What a user sees when a build cannot succeed: a line that says which file of theirs to look at."""

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from kinds import KINDS, table

LOG_FILE = """
from logging.config import dictConfig

file = {"class": "logging.FileHandler", "filename": "app.log"}
dictConfig({"version": 1, "handlers": {"file": file}, "root": {"handlers": ["file"]}})
"""
CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no requirements file": (lambda path: (path / "requirements.txt").unlink(), r"^requirements\.txt is not there"),
    "an empty one": (
        # Never the same twice: a cached step says nothing
        lambda path: (path / "requirements.txt").write_text("\n" * (time.time_ns() % 10**5)),
        r"^requirements\.txt is empty(.|\n)*production cannot import main: ModuleNotFoundError",
    ),
    "one in UTF-16": (
        lambda path: (path / "requirements.txt").write_text("six\n", "utf-16"),
        r"^requirements\.txt is not UTF-8",
    ),
    "no included file": (lambda path: (path / "constraints.txt").unlink(), r"^constraints\.txt is not there"),
    "a package that does not exist": (
        lambda path: (path / "requirements.txt").write_text("no-such-package-as-this\n"),
        r"no-such-package-as-this was not found(.|\n)*requirements\.txt: not all of it can be installed",
    ),
    "tests that want another version": (
        lambda path: (path / "requirements-test.txt").write_text("iniconfig\nsix==1.15.0\n"),
        r"six==1\.15\.0(.|\n)*^requirements-test\.txt beside requirements\.txt: not all of it can be installed",
    ),
    "a syntax error in build.sh": (
        lambda path: (path / "build.sh").write_text("## run:\nif true\n"),
        r"build\.sh: 3: Syntax error",
    ),
    "a command that fails": (
        lambda path: (path / "build.sh").write_text("set -eu\n## run:\nno-such-command\n"),
        r"build\.sh, section run, failed",
    ),
    "an image that does not exist": (
        lambda path: edit(path / "Dockerfile", "^ARG IMAGE=.*", "ARG IMAGE=python:3.14-no-such-image"),
        # BuildKit shows the lines around; the classic builder only the name
        r"IMAGE is set in \.env(.|\n)*no-such-image|^Step .* FROM \${IMAGE} AS inputs\n",
    ),
    "a module that is not installed": (
        lambda path: (path / "main.py").write_text("import six\nimport not_there\n"),
        r"^main\.py: production cannot import main: ModuleNotFoundError: No module named 'not_there'\nAdd it to the dependencies",
    ),
    "code that raises": (
        lambda path: (path / "main.py").write_text("import os\nsix = os.environ['SOME_SETTING']\n"),
        r"^main\.py: production cannot import main: KeyError: 'SOME_SETTING'\n.*build\.env",
    ),
    "a log file beside the code": (
        lambda path: (path / "main.py").write_text(LOG_FILE),
        r"^main\.py: production cannot import main: ValueError: Unable to configure handler(.|\n)*may not write to /app",
    ),
    "a database at import": (
        lambda path: (path / "main.py").write_text("import socket\nsocket.create_connection(('127.0.0.1', 9))\n"),
        r"^main\.py: production cannot import main: ConnectionRefusedError(.|\n)*answer serve_imports with nothing",
    ),
    "its own metadata": (
        lambda path: (path / "main.py").write_text("from importlib.metadata import version\nversion('demo')\n"),
        r"^main\.py: production cannot import main: PackageNotFoundError(.|\n)*add \. to the answer dependencies",
    ),
    "a library that a package looks for": (
        lambda path: (path / "main.py").write_text("raise ImportError('failed to find libmagic')\n"),
        r"^main\.py: production cannot import main: ImportError(.|\n)*to the run section of build\.sh",
    ),
    "a helper among the tests": (
        lambda path: (path / "main.py").write_text("import test_main as six\n"),
        r"^main\.py: production cannot import main: ModuleNotFoundError(.|\n)*Production gets no tests",
    ),
    "code with a syntax error": (
        lambda path: (path / "main.py").write_text("six = (\n"),
        r"^main\.py: production cannot import main: SyntaxError",
    ),
    "a red test": (lambda path: edit(path / "test_main.py", "main.six", "not main.six"), r"FAIL: test_both"),
}


def edit(file: Path, old: str, new: str) -> None:
    file.write_text(re.sub(old, new, file.read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return KINDS["requirements"].make(tmp_path_factory.mktemp("kind") / "code")


# What the scripts say is the same under both builders; these are the builder's own doing
CLASSIC = ["no requirements file", "an image that does not exist", "a red test"]


@pytest.mark.parametrize(("case", "builder"), [*((case, "1") for case in CASES), *((case, "0") for case in CLASSIC)])
def test_an_error_names_the_file(start, code: Path, case: str, builder: str) -> None:
    spoil, said = CASES[case]
    project = start(code, **KINDS["requirements"].answers, builder="buildkit" if builder == "1" else "any")
    spoil(project.path)
    # Where the tests would be the first to see it
    gate = [] if "test" in case else ["--build-arg", "GATE=skip"]
    tag, result = project.build(*gate, env=project.env | {"DOCKER_BUILDKIT": builder}, check=False)
    assert result.returncode != 0
    # BuildKit puts the seconds before each line, and repeats the last lines without
    text = re.sub(r"^(#\d+ )?[\d.]+ ", "", result.stdout + result.stderr, flags=re.MULTILINE)
    assert re.search(said, text, re.MULTILINE), text[-3000:]
    assert project.run("docker", "image", "inspect", tag, check=False).returncode != 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("gunicorn main:six", r"serve_command starts gunicorn, and production has no such command"),
        ("./start.sh", r"serve_command starts \./start\.sh, and the folder of the code has no executable file"),
    ],
)
def test_a_command_that_production_has_not_ends_the_build(start, code: Path, command: str, said: str) -> None:
    project = start(code, **KINDS["requirements"].answers | {"serve_command": command})
    _, result = project.build("--build-arg", "GATE=skip", check=False)
    assert result.returncode and re.search(said, result.stderr), result.stderr[-3000:]


def test_a_script_is_not_run_and_what_it_imports_is_checked(start, code: Path) -> None:
    answers = KINDS["requirements"].answers | {"serve_command": "python jobs/run.py", "serve_imports": "jobs/run.py"}
    project = start(code, **answers)
    script = project.path / "jobs/run.py"
    script.parent.mkdir()
    (script.parent / "beside.py").touch()
    script.write_text("import beside, os.path\nfrom six import moves\nraise SystemExit('it ran')\n")
    project.build("--build-arg", "GATE=skip")
    script.write_text("import beside\nfrom six import nothing\n")
    _, result = project.build("--build-arg", "GATE=skip", check=False)
    assert "production cannot import what jobs/run.py imports: ModuleNotFoundError" in result.stderr


def test_a_missing_setting_is_given_by_import_env(start, code: Path) -> None:
    project = start(code, **KINDS["requirements"].answers)
    (project.path / "main.py").write_text("import os\nimport six\nassert os.environ['SOME_SETTING'] == 'a b=c'\n")
    (project.path / "test_main.py").unlink()
    (project.path / "build.env").write_text("# a comment\n\nSOME_SETTING=a b=c\n")
    tag, _ = project.build("--build-arg", "GATE=skip")
    # For the build alone: the image has no such setting
    assert (
        "KeyError: 'SOME_SETTING'"
        in project.run("docker", "run", "--rm", tag, "python", "-c", "import main", check=False).stderr
    )


@pytest.mark.parametrize("kind", ["uv.lock", "poetry.lock"])
def test_a_lock_that_does_not_match_says_how_to_mend_it(start, tmp_path: Path, kind: str) -> None:
    project = start(KINDS[kind].make(tmp_path / "code"), **KINDS[kind].answers)
    pyproject = project.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("'six'", "'six', 'idna'"))
    _, result = project.build(check=False)
    assert result.returncode != 0
    command = re.search(r"^[\d.# ]*(docker run --rm .* lock)$", result.stderr, re.MULTILINE)
    assert command and f"{kind} does not match pyproject.toml" in result.stderr, result.stderr
    project.run("sh", "-c", command[1])
    project.build()


def test_without_a_lock_yet_the_build_works_and_says_how_to_get_one(start, tmp_path: Path) -> None:
    kind = KINDS["uv.lock"]
    project = start(kind.make(tmp_path / "code"), **kind.answers)
    (project.path / "uv.lock").unlink()
    # The hint comes with the step, and a step in the cache is silent: this one must be new
    pyproject = project.path / "pyproject.toml"
    pyproject.write_text(f"{pyproject.read_text()}# {uuid.uuid4()}\n")
    tag, result = project.build()
    assert "uv.lock is not there yet" in result.stderr
    assert project.run("docker", "run", "--rm", tag).stdout.startswith("six ")
    command = re.search(r"^[\d.# ]*(docker run --rm .* lock)$", result.stderr, re.MULTILINE)
    project.run("sh", "-c", command[1])
    assert (project.path / "uv.lock").is_file()
    assert "uv.lock is not there" not in project.build()[1].stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.poetry]\nname = 'demo'\n", "pyproject.toml has no [project] table"),
        (
            table([], "dynamic = ['dependencies']").replace("dependencies = []\n", ""),
            "leaves its dependencies to its build backend",
        ),
        (table(["six"], ""), "has no extra and no dependency group test"),
        (
            table(["six"], "").replace(">=3.11", ">=3.11,<3.13"),
            "pyproject.toml allows Python >=3.11,<3.13, and PYTHON_VERSION is 3.14",
        ),
        (
            "[tool.poetry.dependencies]\npython = '~3.12 || ^4'\n",
            "pyproject.toml allows Python ~3.12 || ^4, and PYTHON_VERSION is 3.14",
        ),
    ],
    ids=["poetry", "dynamic", "extra", "Python", "Poetry's Python"],
)
def test_a_pyproject_that_does_not_say(start, tmp_path: Path, text: str, said: str) -> None:
    kind = KINDS["pyproject"]
    project = start(kind.make(tmp_path / "code"), **kind.answers)
    (project.path / "pyproject.toml").write_text(text)
    _, result = project.build(check=False)
    assert result.returncode != 0 and said in result.stderr, result.stderr
