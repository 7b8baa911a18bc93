"""A small project of each kind of dependency file: `six` in production, `iniconfig` for its tests, or what a test says instead."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packages import uv

MAIN = """\
from importlib import import_module

six = import_module("six")

if __name__ == "__main__":
    print("six", six.__version__)
"""
TEST = """\
import unittest


class Test(unittest.TestCase):
    def test_both(self):
        import iniconfig
        import main

        self.assertTrue(main.six and iniconfig)
"""
SETUP = """\
from setuptools import setup

setup(name="demo", version="1.2.3", py_modules=["main"], install_requires={run}, extras_require={{"test": {tests}}})
"""


def table(run: list[str], more: str) -> str:
    return f'[project]\nname = "demo"\nversion = "1.2.3"\nrequires-python = ">=3.11"\ndependencies = {run}\n{more}\n'


def requirements(folder: Path, run: list[str], tests: list[str]) -> None:
    (folder / "requirements").mkdir(exist_ok=True)
    (folder / "requirements/base.txt").write_text("\n".join(run) + "\n")
    (folder / "constraints.txt").write_text("six<2\n")
    (folder / "requirements.txt").write_text("-r requirements/base.txt  # more than one file\n-c constraints.txt\n")
    (folder / "requirements-test.txt").write_text("-r requirements.txt\n" + "\n".join(tests) + "\n")


def hashes(folder: Path, run: list[str], tests: list[str]) -> None:
    for name, packages in (("requirements.txt", run), ("requirements-test.txt", tests)):
        (folder / "wanted.in").write_text("\n".join(packages) + "\n")
        uv(folder, "pip", "compile", "--quiet", "--generate-hashes", "--output-file", name, "wanted.in")


def pyproject(folder: Path, run: list[str], tests: list[str]) -> None:
    (folder / "pyproject.toml").write_text(table(run, f"[project.optional-dependencies]\ntest = {tests}"))


def uv_lock(folder: Path, run: list[str], tests: list[str]) -> None:
    (folder / "pyproject.toml").write_text(table(run, f"[dependency-groups]\ndev = {tests}"))
    uv(folder, "lock", "--quiet")


def poetry_lock(folder: Path, run: list[str], tests: list[str]) -> None:
    group = "".join(f'{name} = "*"\n' for name in tests)
    # The index as any mirror has it: Poetry would rather read an interface that only pypi.org has
    source = '[[tool.poetry.source]]\nname = "simple"\nurl = "https://pypi.org/simple/"\n'
    settings = f"[tool.poetry]\npackage-mode = false\n[tool.poetry.group.dev.dependencies]\n{group}{source}"
    (folder / "pyproject.toml").write_text(table(run, settings))
    uv(folder, "tool", "run", "poetry", "lock", "--quiet")


def project(folder: Path, run: list[str], tests: list[str]) -> None:
    (folder / "setup.py").write_text(SETUP.format(run=run, tests=tests))


@dataclass
class Kind:
    """`lay` writes what names the packages into a folder; `answers` say so to the template."""

    lay: Callable[[Path, list[str], list[str]], None]
    dependencies: str
    test_dependencies: str

    def make(self, folder: Path) -> Path:
        """Make a project in `folder`."""
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(MAIN)
        (folder / "test_main.py").write_text(TEST)
        self.lay(folder, ["six"], ["iniconfig"])
        return folder

    @property
    def answers(self) -> dict[str, str]:
        return {
            "starter": "existing",
            "dependencies": self.dependencies,
            "test_dependencies": self.test_dependencies,
            "serve_command": "python main.py",
            "serve_imports": "main",
            "test_command": "python -m unittest",
        }


KINDS = {
    "requirements": Kind(requirements, "requirements.txt", "requirements-test.txt"),
    "hashes": Kind(hashes, "requirements.txt", "requirements-test.txt"),
    "pyproject": Kind(pyproject, "pyproject.toml", "pyproject.toml[test]"),
    "uv.lock": Kind(uv_lock, "uv.lock", "uv.lock"),
    "poetry.lock": Kind(poetry_lock, "poetry.lock", "poetry.lock"),
    "project": Kind(project, ".", ".[test]"),
}
