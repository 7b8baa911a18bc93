"""Fixtures: emitted projects, rendered from the working tree as it is now, committed or not.

`copie` (pytest-copie) makes fresh copies too, but always with trust, and cannot change an answer in an update.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
import yaml
from copier import run_copy, run_update
from project import Project, engine_answers
from repository import ROOT, copy_working_tree, git, make_repository

# pytest-copie and Copier would otherwise read the developer's own defaults
os.environ["COPIER_SETTINGS_PATH"] = str(ROOT / "tests/copier-settings.yml")

Render = Callable[..., Path]
NUMBERS = count()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's files as they are now. In no repository: Copier would spend half of its time on a clone."""
    path = tmp_path_factory.mktemp("template")
    copy_working_tree(path)
    return path


@pytest.fixture
def template_repository(template: Path, tmp_path: Path) -> Path:
    """A copy of the template under git, for a test to edit and commit to."""
    path = tmp_path / "template"
    shutil.copytree(template, path)
    make_repository(path)
    return path


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """render(**answers) -> an emitted project, without trust. The same answers give the same folder: do not write to it."""
    cache: dict[str, Path] = {}

    def render(**answers: object) -> Path:
        key = yaml.safe_dump(answers)
        if key not in cache:
            path = tmp_path_factory.mktemp("demo")
            run_copy(str(template), path, data=answers, defaults=True, quiet=True, unsafe=False)
            cache[key] = path
        return cache[key]

    return render


class Updatable:
    """An emitted project under git, to be updated from a template that changes.

    `template` is a repository that a test may edit and commit to; `path` is the project.
    """

    def __init__(self, template: Path, path: Path) -> None:
        self.template = template
        self.path = path

    def copy(self, **answers: object) -> "Updatable":
        """Render with these answers, and commit."""
        run_copy(str(self.template), self.path, data=answers, defaults=True, quiet=True, unsafe=False)
        make_repository(self.path)
        return self

    def update(self, **answers: object) -> str:
        """Update to the template as it is, with these answers changed; return git's short status."""
        run_update(self.path, data=answers, defaults=True, overwrite=True, quiet=True, unsafe=False, vcs_ref="HEAD")
        return git(self.path, "status", "--porcelain")


@pytest.fixture
def updatable(template_repository: Path, tmp_path: Path) -> Updatable:
    return Updatable(template_repository, tmp_path / "demo")


def starting(template: Path) -> Iterator[Callable[..., Project]]:
    """start(code=None, folder=None, **answers) -> a Project on free ports.

    `code` is a folder laid under the project before it is rendered, `folder` the name of the project's own. Whatever the tests leave behind is removed.
    """
    projects = []
    # Not in pytest's folders, which are closed to every other user
    around = Path(mkdtemp(prefix="drydock-"))
    around.chmod(0o755)

    def start(code: Path | None = None, folder: str | None = None, **answers: object) -> Project:
        # Compose names containers by the folder, and another run of the tests may be under way
        path = around / f"demo-{os.getpid()}-{next(NUMBERS)}" / (folder or "")
        if code:
            shutil.copytree(code, path)
        run_copy(str(template), path, data=answers, defaults=True, quiet=True, unsafe=False)
        project = Project(path)
        projects.append(project)
        return project

    yield start
    for project in projects:
        project.remove()
    shutil.rmtree(around, ignore_errors=True)


@pytest.fixture
def start(template: Path) -> Iterator[Callable[..., Project]]:
    """start(...), for projects of the test's own."""
    yield from starting(template)


@pytest.fixture(scope="module")
def start_shared(template: Path) -> Iterator[Callable[..., Project]]:
    """start(...), for projects that the tests of a module share."""
    yield from starting(template)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests under running/, and skip them where no engine answers."""
    running = [item for item in items if "running" in item.path.parts]
    why = None if not running or engine_answers() else "no Docker engine with Compose answers here"
    for item in running:
        item.add_marker(pytest.mark.engine)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where REQUIRE_ENGINE is set, as in CI, a skipped engine test has failed."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if os.environ.get("REQUIRE_ENGINE") and skipped and item.get_closest_marker("engine"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though REQUIRE_ENGINE is set: {report.longrepr}"
    return report
