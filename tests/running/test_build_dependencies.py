"""Each kind of dependency file: in a project of ours, and in one that others released on PyPI, whose own tests run in the build."""

import re
import shutil
from pathlib import Path

import pytest
from kinds import KINDS
from packages import release


@pytest.mark.parametrize("name", KINDS)
def test_a_project_of_each_kind(start, tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    project = start(kind.make(tmp_path / "code"), **kind.answers)
    tag, _ = project.build()
    assert project.run("docker", "run", "--rm", tag).stdout.startswith("six 1.")
    # iniconfig is for the tests alone
    assert (
        "No module named 'iniconfig'"
        in project.run("docker", "run", "--rm", tag, "python", "-c", "import iniconfig", check=False).stderr
    )
    project.sh("python", "-c", "import iniconfig, six, debugpy")


REAL = {
    "tuf==7.0.1": {
        "dependencies": "requirements/pinned.txt",
        "test_dependencies": "requirements/test.txt",
        "serve_imports": "tuf.ngclient",
        "test_command": "python -m unittest discover -s tests -t .",
    },
    "mozilla-version==4.1.0": {
        "dependencies": "requirements/base.txt",
        "test_dependencies": "requirements/test.txt",
        "serve_imports": "mozilla_version.gecko",
        "test_command": "pytest -q --ignore=mozilla_version/test/integration",
        "python_version": "3.13",
    },
    "flask==3.1.3": {
        "dependencies": "uv.lock .",
        "test_dependencies": "uv.lock[tests]",
        "python_path": "src",
        "serve_imports": "flask",
        # It reads an .env, which no build may see
        "test_command": "pytest -q --deselect tests/test_cli.py::test_load_dotenv",
    },
    "pyhpke==0.6.3": {
        "dependencies": "poetry.lock",
        "test_dependencies": "poetry.lock",
        "serve_imports": "pyhpke",
        "test_command": "pytest -q",
    },
    "humanize==4.17.0": {
        "dependencies": "pyproject.toml",
        "test_dependencies": "pyproject.toml[tests]",
        "python_path": "src",
        "serve_imports": "humanize",
        "test_command": "pytest -q --benchmark-disable",
    },
    "python-dotenv==1.1.1": {
        "dependencies": ".[cli]",
        "test_dependencies": "requirements-test.txt",
        "python_path": "src",
        "serve_imports": "dotenv",
        "test_command": "pytest -q",
    },
}


@pytest.mark.parametrize("requirement", REAL)
def test_a_release_from_pypi(start, tmp_path: Path, requirement: str) -> None:
    code = release(requirement, tmp_path)
    # Metadata that setuptools leaves in a release, and a checkout has none of
    for metadata in code.rglob("*.egg-info"):
        shutil.rmtree(metadata)
    if requirement.startswith("python-dotenv"):
        (code / "requirements-test.txt").write_text("pytest\nsh\n")
    project = start(code, starter="existing", serve_command="python", **REAL[requirement])
    tag, result = project.build("--no-cache-filter", "tests")
    assert re.search(r" (\d\d+ passed|OK)\b", result.stderr), result.stderr[-3000:]
    if requirement.startswith("flask"):
        # As a project it has a version and a command, as at home
        assert "Flask 3.1.3" in project.run("docker", "run", "--rm", tag, "flask", "--version").stdout
        assert "Flask 3.1.3" in project.sh("flask", "--version").stdout
