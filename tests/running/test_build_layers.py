"""Which stages an edit rebuilds, and that no other does; the same for each kind of dependency file."""

import re
import uuid
from pathlib import Path

import pytest
from kinds import KINDS, Kind
from project import Project, defaults

# What an environment of other bytes goes into
ENVIRONMENT = {"environment", "checked", "service", "localdev"}
TESTS = {"test-deps", "tests"}
EVERY = {"inputs", "system", "python", "requirements", "build", "deps", "work", "tools", "assets"} | ENVIRONMENT | TESTS


def rebuilt(project: Project) -> set[str]:
    """Build what ships and what to work in; return the stages of which a step was not in the cache."""
    stages = set()
    for target in ("service", "localdev"):
        said = project.build("--target", target, "--progress=plain")[1].stderr
        cached = re.findall(r"^#(\d+) CACHED", said, re.MULTILINE)
        steps = re.findall(r"^#(\d+) \[([\w-]+) +\d+/\d+\] (?!FROM)", said, re.MULTILINE)
        stages |= {stage for number, stage in steps if number not in cached}
    return stages


def code(project: Project) -> Path:
    """Return the folder of the project's code."""
    return project.path / defaults(project.path)["PROJECT"]


# Of this run alone, so that the cache of an earlier one has no such layer
NEW = uuid.uuid4().hex


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def make_new(project: Project) -> None:
    """Build everything once, with nothing from the cache but what `python` alone leads to: other tests have it, too."""
    project.share_no_layers()
    add(code(project) / "main.py", f"# {uuid.uuid4().hex}\n")
    assert rebuilt(project) >= EVERY - {"tools", "requirements"}


def section(project: Project, name: str) -> None:
    """Add a command to a section of build.sh."""
    script = project.path / "build.sh"
    script.write_text(re.sub(rf"^(## {name}:.*)$", r"\1\ntrue", script.read_text(), flags=re.MULTILINE))


EDITS = {
    "nothing": (lambda project: None, set()),
    "code": (lambda project: add(code(project) / "main.py", f"# {NEW}\n"), {"inputs", "tests", "checked", "service"}),
    "test": (lambda project: add(code(project) / "test_main.py", f"# {NEW}\n"), {"inputs", "tests"}),
    "comment": (
        lambda project: add(code(project) / "requirements-test.txt", f"# {NEW}\n"),
        {"inputs", "requirements", "tests"},
    ),
    "test requirement": (
        lambda project: add(code(project) / "requirements-test.txt", "pathspec\n"),
        {"inputs", "requirements", "localdev"} | TESTS,
    ),
    "requirement": (
        lambda project: add(code(project) / "requirements/base.txt", "idna\n"),
        {"inputs", "requirements", "deps", "assets"} | TESTS | ENVIRONMENT,
    ),
    "run section": (lambda project: section(project, "run"), {"inputs", "work", "assets", "tests"} | ENVIRONMENT),
    "build section": (
        lambda project: section(project, "build"),
        {"inputs", "build", "requirements", "deps", "work", "assets"} | TESTS | ENVIRONMENT,
    ),
    "dev section": (lambda project: section(project, "dev"), {"inputs", "localdev"}),
    "other image": (
        lambda project: set_default(project, IMAGE="python:3.13-slim-trixie", PYTHON_VERSION="3.13"),
        EVERY,
    ),
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
    # A subfolder differs in what the code's own files are
    names = EDITS if folder == "." else ("nothing", "code", "requirement", "run section")
    for name in names:
        edit, expected = EDITS[name]
        edit(project)
        seen = rebuilt(project)
        if seen != expected:
            wrong[name] = {"not expected": seen - expected, "missing": expected - seen}
    assert not wrong


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_build_sh_is_cut_at_its_sections_alone(start, ending: str) -> None:
    """A comment is no section, whatever it looks like; and Windows' line endings are none of the shell's."""
    project = start(starter="worker")
    lines = ["set -eu", f"echo {NEW} >/top", "## run: in every image", "## note: of the user's", "touch /run-1", "## build", "touch /run-2",
             "##\tbuild:", "touch /build-1", "#", "## assets: later", "touch /never", "## dev: and so on", "touch /dev-1", ""]  # fmt: skip
    (project.path / "build.sh").write_text(ending.join(lines), newline="")
    seen = {}
    for stage in ("build", "work", "environment", "localdev"):
        tag, _ = project.build("--target", stage)
        seen[stage] = project.run(
            "docker", "run", "--rm", "--entrypoint", "sh", tag, "-c", "cd / && ls -d top *-[0-9]*"
        ).stdout.split()
    run, build, dev = ["run-1", "run-2"], ["build-1"], ["dev-1"]
    assert seen == {
        stage: [*files, "top"]
        for stage, files in {
            "build": build,
            "work": build + run,
            "environment": run,
            "localdev": build + dev + run,
        }.items()
    }


def test_ubuntus_packages_stay_when_python_changes(start, tmp_path: Path) -> None:
    kind = KINDS["requirements"]
    project = start(kind.make(tmp_path / "code"), base_image="ubuntu", python_version="3.13", **kind.answers)
    make_new(project)
    set_default(project, PYTHON_VERSION="3.11")
    assert rebuilt(project) == EVERY - {"inputs", "system"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=name) for name, kind in KINDS.items() if name != "requirements"]
)
def test_the_rules_hold_for_each_kind(start, kind: Kind, tmp_path: Path) -> None:
    project = start(kind.make(tmp_path / "code"), **kind.answers)
    make_new(project)

    add(project.path / "main.py", f"# {NEW}\n")
    # A project is installed anew, which nothing comes of that others would notice
    reads_code = {"requirements"} if kind.dependencies == "." else set()
    assert rebuilt(project) == {"inputs", "tests", "checked", "service"} | reads_code

    kind.lay(project.path, ["six"], ["iniconfig", "pathspec"])
    # A project's metadata names its tests' requirements too, and is in its environment
    assert not rebuilt(project) & ({"deps"} if kind.dependencies == "." else {"deps", "environment"})

    kind.lay(project.path, ["six", "idna"], ["iniconfig", "pathspec"])
    seen = rebuilt(project)
    assert {"deps", "service"} < seen
    assert not seen & {"system", "python", "build", "work", "tools"}
