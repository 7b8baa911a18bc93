"""Packages that lie in the project, or have an index of their own: those are installed, and never others of the same name.

On PyPI, too, are a `helper`, a `pricing` and an `accel`.
"""

from pathlib import Path

import pytest
from packages import uv, wheel
from project import Project

MAIN = """\
import accel
import helper
import pricing
import six

print(helper.WORD, pricing.WORD, accel.WORD, "six", six.__version__)
"""
PYPROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["helper", "pricing", "accel"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
py-modules = ["main"]

[tool.uv.sources]
helper = { path = "libs/helper", editable = true }
pricing = { path = "vendor/pricing-1.4-py3-none-any.whl" }
accel = { index = "ours" }

[[tool.uv.index]]
name = "ours"
url = "vendor/index"
format = "flat"
explicit = true
"""
HELPER = '[project]\nname = "helper"\nversion = "0.3"\ndependencies = ["six>=1.17"]\n'
ANSWERS = {
    "starter": "existing",
    "test_dependencies": "",
    "python_path": ". libs/helper",
    "serve_command": "python main.py",
    "serve_imports": "main",
    "test_command": "python main.py",
}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A project with a library, a wheel and an index of its own; in the index is an older six, too."""
    code = tmp_path / "code"
    helper = code / "libs/helper"
    helper.mkdir(parents=True)
    (helper / "pyproject.toml").write_text(HELPER)
    (helper / "helper.py").write_text('WORD = "ours"\n')
    wheel(code / "vendor", "pricing", "1.4", 'WORD = "vendored"\n')
    wheel(code / "vendor/index", "accel", "2.0+cpu", 'WORD = "cpu"\n')
    wheel(code / "vendor/index", "six", "1.16.0", '__version__ = "not the right one"\n')
    (code / "main.py").write_text(MAIN)
    return code


def prints_ours(project: Project) -> None:
    tag, result = project.build()
    assert " + helper" not in result.stderr
    assert project.run("docker", "run", "--rm", tag).stdout == "ours vendored cpu six 1.17.0\n"


@pytest.mark.parametrize("dependencies", ["pyproject.toml", ".", "uv.lock"])
def test_uv_sources(start, code: Path, dependencies: str) -> None:
    (code / "pyproject.toml").write_text(PYPROJECT)
    if dependencies == "uv.lock":
        uv(code, "lock")
    prints_ours(start(code, dependencies=dependencies, **ANSWERS))


def test_requirements_files(start, code: Path) -> None:
    lines = ["-r requirements.txt", "-r requirements.txt", "-e ./libs/helper", "vendor/pricing-1.4-py3-none-any.whl", "-f ./vendor/index", "accel"]  # fmt: skip
    (code / "requirements.txt").write_text("\n".join(lines) + "\n")
    prints_ours(start(code, dependencies="requirements.txt", **ANSWERS))


def test_a_workspace_whose_members_leave_their_dependencies_to_setuptools(start, code: Path) -> None:
    (code / "libs/helper/pyproject.toml").write_text(
        HELPER.replace("dependencies = ", "dynamic = ['dependencies']\n# ")
    )
    (code / "libs/helper/setup.py").write_text("from setuptools import setup\nsetup(install_requires=['six>=1.17'])\n")
    members = PYPROJECT.replace('path = "libs/helper", editable', "workspace")
    (code / "pyproject.toml").write_text(f'{members}\n[tool.uv.workspace]\nmembers = ["libs/*"]\n')
    uv(code, "lock")
    prints_ours(start(code, dependencies="uv.lock", **ANSWERS))


CASES = {
    "extras of the same project": (
        {"pyproject.toml": '[project]\nname = "demo"\ndependencies = ["six"]\n[project.optional-dependencies]\n'
         'all = ["Demo[web]", "idna"]\nweb = ["demo[all]", "toolz"]\n'},
        "pyproject.toml[all]", ["six", "idna", "toolz"],
    ),
    "groups that include groups": (
        {"pyproject.toml": '[project]\nname = "demo"\n[dependency-groups]\n'
         'all_of_it = [{include-group = "some"}, "idna"]\nsome = [{include-group = "all-of-it"}, "toolz"]\n'},
        "pyproject.toml[All-of-it]", ["idna", "toolz"],
    ),
    "a folder by PEP 508": (
        {"pyproject.toml": '[project]\nname = "demo"\ndependencies = ["helper[fast] @ file:libs/helper", "idna"]\n',
         "libs/helper/pyproject.toml": HELPER + '[project.optional-dependencies]\nfast = ["toolz"]\n'},
        "pyproject.toml", ["six>=1.17", "toolz", "idna"],
    ),
    "a member of the workspace": (
        {"pyproject.toml": '[project]\nname = "demo"\ndependencies = ["helper"]\n[tool.uv.sources]\n'
         'helper = { workspace = true }\n[tool.uv.workspace]\nmembers = ["libs/*"]\n',
         "libs/helper/pyproject.toml": HELPER, "fixtures/pyproject.toml": ""},
        "pyproject.toml", ["six>=1.17"],
    ),
    "an index in a folder, read twice": (
        {"requirements.txt": "-e .\n-e .[dev]\n", "pyproject.toml": '[project]\nname = "demo"\ndependencies = ["six"]\n'
         '[project.optional-dependencies]\ndev = ["idna"]\n[[tool.uv.index]]\nurl = "vendor"\nformat = "flat"\n', "vendor/pyproject.toml": ""},
        "requirements.txt", ["six", "six", "idna"],
    ),
    "a folder that needs another one": (
        {"requirements.txt": "-e libs/a\n", "libs/a/pyproject.toml": '[project]\nname = "a"\ndependencies = ["b"]\n'
         '[tool.uv.sources]\nb = { path = "../b" }\n', "libs/b/pyproject.toml": '[project]\nname = "b"\n'
         'dependencies = ["a", "six"]\n[tool.uv.sources]\na = { path = "../a" }\n'},
        "requirements.txt", ["six"],
    ),
    "requirements files in a circle": (
        {"requirements.txt": "-r more/base.txt\nsix\n", "more/base.txt": "-r ../requirements.txt\n-c ../limits.txt\nidna\n",
         "limits.txt": "-c limits.txt\nsix<2\n"},
        "requirements.txt", ["idna", "six", "--constraint constraints.txt"],
    ),
    "the project's own extras": (
        {"requirements.txt": "-e .[dev]\n",
         "pyproject.toml": '[project]\nname = "demo"\ndependencies = ["six"]\n[project.optional-dependencies]\ndev = ["idna"]\n'},
        "requirements.txt", ["six", "idna"],
    ),
    "repositories": (
        {"requirements.txt": "-e git+https://git.test/one.git@v1#egg=one\n--editable=git+ssh://git@git.test/two.git#subdirectory=src&egg=two\n"
         "three @ git+https://git.test/three.git\n"},
        "requirements.txt", ["one @ git+https://git.test/one.git@v1", "two @ git+ssh://git@git.test/two.git#subdirectory=src",
                             "three @ git+https://git.test/three.git"],
    ),
}  # fmt: skip
REFUSED = {
    "an index with a password of the shell": (
        {"requirements.txt": "--extra-index-url https://${USER_NAME}:${TOKEN}@index.test/simple\nsix\n"},
        "requirements.txt", "requirements.txt: no build knows USER_NAME, TOKEN. Set UV_INDEX",
    ),
    "a file outside": (
        {"requirements.txt": "-r ../../common/requirements.txt\n"},
        "requirements.txt", "../../common/requirements.txt is outside of services/api: answer project_dir",
    ),
    "a wheel that is not there": ({"requirements.txt": "./vendor/x-1-py3-none-any.whl\n"}, "requirements.txt", "vendor/x-1-py3-none-any.whl is not there"),
    "a folder outside": (
        {"pyproject.toml": '[project]\nname = "demo"\ndependencies = ["b"]\n[tool.uv.sources]\nb = { path = "../b" }\n'},
        "pyproject.toml", "../b is outside of services/api: answer project_dir",
    ),
}  # fmt: skip


def read(project: Project, files: dict[str, str], dependencies: str, **options):
    """Let .drydock/build/requirements.py read these files, and print what it writes."""
    for name, text in files.items():
        (project.path / name).parent.mkdir(parents=True, exist_ok=True)
        (project.path / name).write_text(text)
    script = "python .drydock/build/requirements.py run $0 && cat /requirements/run/requirements.txt"
    return project.run(
        *("docker", "run", "--rm", "--env", "PROJECT=services/api", "--volume", f"{project.path}:/app", "--workdir", "/app"),
        *("python:3.14-slim-trixie", "sh", "-c", script, dependencies),
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_files_list(start, case: str) -> None:
    files, dependencies, lines = CASES[case]
    project = start(starter="existing", project_dir=".", dependencies=dependencies, test_dependencies="")
    assert read(project, files, dependencies).stdout.splitlines() == lines


@pytest.mark.parametrize("case", REFUSED)
def test_what_they_cannot_say(start, case: str) -> None:
    files, dependencies, said = REFUSED[case]
    project = start(starter="existing", project_dir=".", dependencies=dependencies, test_dependencies="")
    result = read(project, files, dependencies, check=False)
    assert result.returncode == 1
    assert said in result.stderr and "Traceback" not in result.stderr
