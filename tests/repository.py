"""The template's own repository, and git."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

ROOT = Path(__file__).parent.parent
# The x-template block of each service, in the order of the prompt
ABOUT: dict[str, dict] = dict(
    sorted(
        ((path.stem, yaml.safe_load(path.read_text())["x-template"]) for path in ROOT.glob("include/services/*.yaml")),
        key=lambda item: item[1]["help"].lower(),
    )
)
SERVICES = list(ABOUT)
# The uv that emitted Dockerfiles name
UV_IMAGE = re.search(r"^ARG UV_IMAGE=(.+)$", (ROOT / "template/{{ dockerfile }}.jinja").read_text(), re.MULTILINE)[1]
# What tests/engine has a stand-in for, where no image can be pulled
STANDINS = re.search(r"^all=\((.*)\)$", (ROOT / "tests/engine/standins").read_text(), re.MULTILINE)[1].split()
# Those that the tests run: what the variable SERVICES names, else those with a stand-in
RUN = os.environ.get("SERVICES", "").split() or [service for service in SERVICES if service in STANDINS]
STARTERS: dict = vars(
    Environment(loader=FileSystemLoader(ROOT), extensions=[AnsibleCoreFiltersExtension])
    .get_template("include/starters.jinja")
    .module
)["starters"]
# The file of each starter that greets
CODE = {"fastapi": "api/main.py", "django": "config/views.py", "flask": "web/pages.py", "worker": "worker/main.py"}


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` under a name of the tests' own, and return what it prints."""
    identity = ["-c", "user.name=Tests", "-c", "user.email=tests@localhost"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def copy_working_tree(path: Path) -> None:
    """Copy the template's files as they are now, committed or not, to `path`."""
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)


def make_repository(path: Path) -> None:
    """Put `path` under git, and commit all that is in it."""
    git(path, "init", "-q", "-b", "main")
    commit(path)


def commit(folder: Path) -> None:
    """Commit all that is in `folder`."""
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--allow-empty", "-m", "as it is")
