"""Several projects, and several checkouts of one, at the same time on one machine."""

import os
import shutil

import pytest
import yaml
from project import FIRST_USER, NEWER_COMPOSES, Project, eventually
from repository import git, make_repository


def fetch(url: str) -> list[str]:
    """Return the command that prints what `url` answers inside of a container."""
    return ["python", "-c", f"from urllib.request import urlopen; print(urlopen('{url}', timeout=5).read().decode())"]


def override(project: Project, text: str) -> None:
    (project.path / "compose.override.yaml").write_text(text)


def by_every_compose(project: Project) -> list[dict]:
    """Return what each Compose that is tested understands the project's files to be."""
    homes = [project.env, *(project.as_user(compose=version)["env"] for version in NEWER_COMPOSES)]
    return [yaml.safe_load(project.compose("config", env=env).stdout) for env in homes]


@pytest.fixture
def checkouts(start):
    """A project, a git worktree of it, and a clone whose folder has the project's own name."""
    project = start(services=["redis"])
    project.give_to(os.getuid())  # git trusts nobody else's
    make_repository(project.path)
    beside = project.path.parent
    worktree = beside / f"{project.path.name}-worktree"
    git(project.path, "worktree", "add", "--quiet", str(worktree))
    clone = beside / "elsewhere" / project.path.name
    git(beside, "clone", "--quiet", str(project.path), str(clone))
    if not os.getuid():
        project.give_to(FIRST_USER)
    projects = [project, Project(worktree), Project(clone)]
    # One of the three goes by what a shell says, the second by its folder's name, the third by .env
    projects[1].env |= dict.fromkeys(projects[1].ports, "0")
    with (clone / ".env").open("a") as file:
        file.write(f"COMPOSE_PROJECT_NAME={project.path.name}-clone\n")
    yield projects
    for other in projects[1:]:
        other.compose("down", "--volumes", "--rmi", "local", "--timeout", "3", check=False)


def test_checkouts_run_side_by_side(checkouts) -> None:
    for number, project in enumerate(checkouts):
        project.up()
        project.sh("-s", "redis", "redis-cli", "set", "word", f"checkout {number}")
        (project.path / "app/api/main.py").write_text(
            (project.path / "app/api/main.py").read_text().replace("Hello", f"Checkout {number}")
        )
    for number, project in enumerate(checkouts):
        assert project.sh("-s", "redis", "redis-cli", "get", "word").stdout == f"checkout {number}\n"
        eventually(lambda: project.sh(*fetch("http://app:8000")).stdout, lambda page: f"Checkout {number}" in page)
        assert (
            len(project.sh("python", "-c", "import socket; print(*socket.gethostbyname_ex('app')[2])").stdout.split())
            == 1
        )
    # Port 0 is any free one
    checkouts[1].ports["PORT"] = int(checkouts[1].compose("port", "app", "8000").stdout.rsplit(":")[-1])
    for number, project in enumerate(checkouts):
        assert f"Checkout {number}" in project.get()
    checkouts[1].compose("down")
    assert "Checkout 0" in checkouts[0].get() and "Checkout 2" in checkouts[2].get()


@pytest.fixture
def neighbours(start):
    """Two projects that have the same services."""
    return [start(project_name=name, services=["redis"]) for name in ("shop", "billing")]


NETWORK = """
services:
  app:
    networks:
      neighbours: {{aliases: [{name}]}}
networks:
  neighbours: {{external: true, name: {network}}}
"""


def test_projects_find_each_other_by_name(neighbours) -> None:
    network = f"neighbours-{os.getpid()}"
    names = ("shop", "billing")
    neighbours[0].run("docker", "network", "create", network)
    try:
        for name, project in zip(names, neighbours, strict=True):
            override(project, NETWORK.format(name=name, network=network))
            project.up()
            project.sh("-s", "redis", "redis-cli", "set", "word", name)
        for name, other, project in zip(names, reversed(names), neighbours, strict=True):
            assert f"Hello from {other}" in project.sh(*fetch(f"http://{other}:8000")).stdout
            assert f"Hello from {name}" in project.sh(*fetch(f"http://{name}:8000")).stdout
            # Each still finds its own database, whose name both use
            ask = "import os, redis; print(redis.from_url(os.environ['REDIS_URL']).get('word').decode())"
            assert {project.sh("python", "-c", ask).stdout for _ in range(5)} == {f"{name}\n"}
        for project in neighbours:
            assert all(
                set(model["services"]["app"]["networks"]) == {"default", "neighbours"}
                for model in by_every_compose(project)
            )
    finally:
        for project in neighbours:
            project.compose("down", "--timeout", "3", check=False)
        neighbours[0].run("docker", "network", "rm", network)


NEIGHBOUR = """
include: [../store/compose.yaml]
services:
  billing:
    build: ../billing
    environment: {REDIS_URL: redis://redis:6379/0}
"""


def test_a_neighbour_runs_from_its_checkout(neighbours) -> None:
    """One of this template as it ships, and another team's of plain Compose."""
    shop, billing = neighbours
    beside = shop.path.parent
    shutil.copytree(billing.path, beside / "billing")
    (beside / "store").mkdir()
    (beside / "store/.env").write_text("LEVEL=warning\n")
    (beside / "store/compose.yaml").write_text(
        "services:\n  store:\n    image: redis:8\n    command: [redis-server, --loglevel, '${LEVEL}']\n"
    )
    override(shop, NEIGHBOUR)
    shop.up()
    page = eventually(lambda: shop.sh(*fetch("http://billing:8080")).stdout, lambda page: "Hello" in page)
    assert "Hello from billing" in page
    assert (
        shop.sh("python", "-c", "import redis; print(redis.Redis('store').config_get('loglevel'))").stdout
        == "{'loglevel': 'warning'}\n"
    )
    for model in by_every_compose(shop):
        assert model["services"]["billing"]["build"]["context"] == str(beside / "billing")
        assert model["services"]["store"]["command"][-1] == "warning"
