"""Each starter, on each base image, from `copier copy` to `docker compose down`, by the words of its README."""

import re

import pytest
from project import Project, eventually
from repository import CODE


def says(project: Project, text: str) -> str:
    """Return what the application says to the world once `text` is part of it: its page, or a worker's log."""
    worker = (project.path / "app" / CODE["worker"]).exists()
    look = (lambda: project.compose("logs", "app").stdout) if worker else project.get
    return eventually(look, lambda seen: text in seen)


@pytest.mark.parametrize("base_image", ["slim", "ubuntu"])
@pytest.mark.parametrize("starter", CODE)
def test_from_copy_to_down(start, starter: str, base_image: str) -> None:
    # Enter at every prompt gives the first of these: test_questions.py sees to that
    project = start(project_name="demo", starter=starter, base_image=base_image)
    before = set(project.path.rglob("*"))

    project.up()
    says(project, "from" if starter == "worker" else "Hello from demo")
    if starter != "worker":
        assert project.get("/health") == "Healthy"

    lock = project.path / "app/uv.lock"
    first = lock.read_bytes()
    project.sh("uv", "sync", "--locked", "--check")
    assert "All checks passed" in project.sh("ruff", "check", ".").stdout
    project.sh("ruff", "format", "--check", ".")
    assert " passed" in project.sh("pytest").stdout
    user = project.compose("exec", "app", "sh", "-c", "id -u; id -un; touch /app/mine; echo $HOME").stdout.split()
    assert user[0] == str((project.path / "app/mine").stat().st_uid) == str(lock.stat().st_uid) != "0"
    (project.path / "app/mine").unlink()

    container = project.compose("ps", "--quiet", "app").stdout
    code = project.path / "app" / CODE[starter]
    code.write_text(code.read_text().replace("Hello", "Goodbye"))
    says(project, "Goodbye")
    assert project.compose("ps", "--quiet", "app").stdout == container, "an edit made a new container"

    # The lock that the first start left makes the same image
    image = project.compose("images", "--quiet", "app").stdout
    project.up()
    assert project.compose("images", "--quiet", "app").stdout == image
    assert lock.read_bytes() == first

    project.compose("down")
    assert not project.leftovers()
    new = {str(file.relative_to(project.path)) for file in set(project.path.rglob("*")) - before}
    assert not {name for name in new if not re.search(r"^data/|__pycache__|\.(pytest|ruff)_cache|^app/uv\.lock$", name)}


def test_a_committed_lock_gives_a_colleague_the_same_versions(start) -> None:
    project = start()
    project.sh("uv", "lock", "--upgrade-package", "idna==3.18")
    lock = (project.path / "app/uv.lock").read_bytes()
    colleague = start()
    (colleague.path / "app/uv.lock").write_bytes(lock)
    version = "import importlib.metadata; print(importlib.metadata.version('idna'))"
    colleague.up()
    assert colleague.sh("python", "-c", version).stdout == "3.18\n"
    colleague.sh("uv", "sync", "--locked", "--check")
    assert (colleague.path / "app/uv.lock").read_bytes() == lock


def test_a_pyproject_that_is_not_locked_ends_the_build(start) -> None:
    project = start(starter="worker")
    project.compose("run", "--rm", "app", "true")
    pyproject = project.path / "app/pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("dependencies = []", 'dependencies = ["six"]'))
    result = project.compose("build", check=False)
    assert result.returncode != 0
    assert "uv.lock does not match pyproject.toml" in result.stdout + result.stderr
    project.sh("uv", "lock")
    project.up()
    project.sh("python", "-c", "import six")


def test_a_python_version_of_the_users_own_does_not_stop_uv(start) -> None:
    """As pyenv writes it, with the patch release that is on the host."""
    project = start(starter="worker")
    (project.path / "app/.python-version").write_text("3.14.0\n")
    project.up()
    project.sh("uv", "add", "six")
    # At once, in the container that runs, and after a rebuild
    project.sh("python", "-c", "import six")
    project.up()
    project.sh("python", "-c", "import six")


@pytest.mark.parametrize("starter", CODE)
def test_production_image(start, starter: str) -> None:
    """A plain `docker build .` makes it; it answers on $PORT; red tests make none."""
    project = start(project_name="demo", starter=starter)
    tag, _ = project.build()
    if starter == "worker":
        lines = project.run("docker", "run", "--rm", tag).stdout.splitlines()
        assert [line.rpartition(": ")[2] for line in lines] == ["Hello", "from", "demo"]
    else:
        port = project.ports["SERVICE_PORT"]
        settings = [
            "DJANGO_SECRET_KEY=secret",
            "DJANGO_ALLOWED_HOSTS=127.0.0.1",
            "DATABASE_URL=sqlite://:memory:",
            "PORT=9000",
        ]
        words = [word for setting in settings for word in ("--env", setting)]
        with project.container(*words, "--publish", f"127.0.0.1:{port}:9000", tag) as name:
            eventually(lambda: project.get(port="SERVICE_PORT"), lambda page: "Hello from demo" in page)
            assert project.get("/health", port="SERVICE_PORT") == "Healthy"
            assert project.get("/ready", port="SERVICE_PORT") == "Ready"
            assert project.run("docker", "exec", name, "id", "-u").stdout.strip() == "1000"
            project.run("docker", "stop", "--time", "10", name)
    files = project.run("docker", "run", "--rm", tag, "sh", "-c", "ls -A /app /tmp /opt/venv/bin /usr/local/bin").stdout
    assert "pyproject.toml" in files
    assert not re.search(r"test|debugpy|watchfiles|\buv$|gate|\.sh\b", files, re.MULTILINE), files

    (project.path / "app/tests/test_red.py").write_text("def test_red():\n    assert False\n")
    tag, result = project.build(check=False)
    assert result.returncode != 0
    assert "test_red" in result.stderr
    assert project.run("docker", "image", "inspect", tag, check=False).returncode != 0
    project.build("--build-arg", "GATE=skip")
