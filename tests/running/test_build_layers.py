"""Which stages an edit rebuilds, and that no other does; the same for each kind of dependency file."""

import re
import uuid
from pathlib import Path

import pytest

from kinds import KINDS, Kind
from project import Project, read_env

# What an environment of other bytes goes into
ENVIRONMENT = {"environment", "libraries", "imports", "service", "localdev"}
TESTS = {"test-deps", "tests"}
# Without "index", whose arguments are no edit
EVERY = {"sections", "system", "python", "requirements", "base", "build", "deps", "tools", "code"} | ENVIRONMENT | TESTS


def rebuilt(project: Project) -> set[str]:
    """Build what ships and what to work in; return the stages of which a step was not in the cache."""
    stages = set()
    for target in ("service", "localdev"):
        said = project.build("--target", target, "--progress=plain")[1].stderr
        cached = re.findall(r"^#(\d+) CACHED", said, re.MULTILINE)
        steps = re.findall(r"^#(\d+) \[([\w-]+) +\d+/\d+\] (?!FROM)", said, re.MULTILINE)
        stages |= {stage for number, stage in steps if number not in cached}
    return stages - {"index"}


def code(project: Project) -> Path:
    """Return the folder of the project's code."""
    return project.path / read_env(project.path / ".env")["PROJECT"]


# Of this run alone, so that the cache of an earlier one has no such layer
NEW = uuid.uuid4().hex


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def make_new(project: Project) -> None:
    """Build everything once, with nothing from the cache."""
    nonce = uuid.uuid4().hex
    for file in (project.path / "build.sh", project.path / ".drydock/system.sh"):
        file.write_text(file.read_text().replace("set -eu", f"# {nonce}\nset -eu"))
    assert rebuilt(project) == EVERY


def section(project: Project, name: str) -> None:
    """Add a command to a section of build.sh."""
    script = project.path / "build.sh"
    script.write_text(re.sub(rf"^(## {name}:.*)$", r"\1\ntrue", script.read_text(), flags=re.MULTILINE))


EDITS = {
    "nothing": (lambda project: None, set()),
    "code": (lambda project: add(code(project) / "main.py", f"# {NEW}\n"), {"tests", "code", "imports", "service"}),
    "test": (lambda project: add(code(project) / "test_main.py", f"# {NEW}\n"), {"tests", "code"}),
    "comment": (lambda project: add(code(project) / "requirements-test.txt", f"# {NEW}\n"), {"requirements", "tests", "code"}),
    "test requirement": (lambda project: add(code(project) / "requirements-test.txt", "pathspec\n"), {"requirements", "code", "localdev"} | TESTS),
    "requirement": (
        lambda project: add(code(project) / "requirements/base.txt", "idna\n"),
        {"requirements", "deps", "code"} | TESTS | ENVIRONMENT,
    ),
    "run section": (lambda project: section(project, "run"), EVERY - {"system", "python", "requirements", "tools"}),
    "build section": (lambda project: section(project, "build"), {"sections", "build", "deps"} | TESTS | ENVIRONMENT),
    "dev section": (lambda project: section(project, "dev"), {"sections", "localdev"}),
    "other image": (lambda project: set_default(project, IMAGE="python:3.13-slim-trixie", PYTHON_VERSION="3.13"), EVERY),
}


def set_default(project: Project, **values: str) -> None:
    """Edit defaults of the Dockerfile, which a plain `docker build` takes."""
    file = project.path / "Dockerfile"
    for name, value in values.items():
        file.write_text(re.sub(rf"^ARG {name}=.*$", f"ARG {name}={value}", file.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("folder", [".", "backend"])
def test_each_edit_rebuilds_what_it_must(start, tmp_path: Path, folder: str) -> None:
    kind = KINDS["requirements"]
    (tmp_path / "outer").mkdir()
    kind.make(tmp_path / "outer" / folder)
    project = start(tmp_path / "outer", project_dir=folder, **kind.answers)
    make_new(project)
    wrong = {}
    for name, (edit, expected) in EDITS.items():
        edit(project)
        if folder == "." and "section" in name:
            # build.sh is one of the code's files there
            expected = expected | {"tests", "code"}
        seen = rebuilt(project)
        if seen != expected:
            wrong[name] = {"not expected": seen - expected, "missing": expected - seen}
    assert not wrong


def test_ubuntus_packages_stay_when_python_changes(start, tmp_path: Path) -> None:
    kind = KINDS["requirements"]
    project = start(kind.make(tmp_path / "code"), base_image="ubuntu", python_version="3.13", **kind.answers)
    make_new(project)
    set_default(project, PYTHON_VERSION="3.11")
    assert rebuilt(project) == EVERY - {"sections", "system"}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in KINDS.items() if name != "requirements"])
def test_the_rules_hold_for_each_kind(start, kind: Kind, tmp_path: Path) -> None:
    project = start(kind.make(tmp_path / "code"), **kind.answers)
    make_new(project)

    add(project.path / "main.py", f"# {NEW}\n")
    # A project is installed anew, which nothing comes of that others would notice
    reads_code = {"requirements"} if kind.dependencies == "." else set()
    assert rebuilt(project) == {"tests", "code", "imports", "service"} | reads_code

    kind.lay(project.path, ["six"], ["iniconfig", "pathspec"])
    # A project's metadata names its tests' requirements too, and is in its environment
    assert not rebuilt(project) & ({"deps"} if kind.dependencies == "." else {"deps", "environment", "libraries"})

    kind.lay(project.path, ["six", "idna"], ["iniconfig", "pathspec"])
    seen = rebuilt(project)
    assert {"deps", "service"} < seen
    assert not seen & {"sections", "system", "python", "base", "build", "tools"}
