"""Each starter, on each base image, from `copier copy` to `docker compose down`, by the words of its README."""

import json
import re

import pytest

from project import eventually
from repository import CODE


def says(project, text: str) -> str:
    """Return what the application says to the world once `text` is part of it: its page, or a worker's log."""
    worker = (project.path / "app/worker.py").exists()
    look = (lambda: project.compose("logs", "app").stdout) if worker else project.get
    return eventually(look, lambda seen: text in seen)


@pytest.mark.parametrize("base_image", ["slim", "ubuntu"])
@pytest.mark.parametrize("starter", CODE)
def test_from_copy_to_down(start, starter: str, base_image: str) -> None:
    # Enter at every prompt gives the first of these: test_questions.py sees to that
    project = start(project_name="demo", starter=starter, base_image=base_image)
    before = {file for file in project.path.rglob("*")}

    project.up()
    says(project, "from" if starter == "worker" else "Hello from demo")

    assert " passed" in project.sh("pytest").stdout
    user = project.compose("exec", "app", "sh", "-c", "id -u; id -un; touch /app/mine; echo $HOME").stdout.split()
    assert user[0] == str((project.path / "app/mine").stat().st_uid) != "0"
    (project.path / "app/mine").unlink()

    container = project.compose("ps", "--quiet", "app").stdout
    code = project.path / "app" / CODE[starter]
    code.write_text(code.read_text().replace("Hello", "Goodbye"))
    says(project, "Goodbye")
    assert project.compose("ps", "--quiet", "app").stdout == container, "an edit made a new container"

    project.compose("down")
    assert not project.leftovers()
    new = {str(file.relative_to(project.path)) for file in set(project.path.rglob("*")) - before}
    assert not {name for name in new if not re.search(r"^data/|__pycache__|\.pytest_cache", name)}


@pytest.mark.parametrize("starter", CODE)
def test_production_image(start, starter: str) -> None:
    """A plain `docker build .` makes it; it answers on $PORT; red tests make none."""
    project = start(project_name="demo", starter=starter)
    tag, _ = project.build()
    if starter == "worker":
        assert project.run("docker", "run", "--rm", tag).stdout.split() == ["Hello", "from", "demo"]
    else:
        port = project.ports["SERVICE_PORT"]
        with project.container("--env", "PORT=9000", "--publish", f"127.0.0.1:{port}:9000", tag) as name:
            eventually(lambda: project.get(port="SERVICE_PORT"), lambda page: "Hello from demo" in page)
            assert json.loads(project.get("/health", port="SERVICE_PORT")) == {"status": "ok"}
            assert project.run("docker", "exec", name, "id", "-u").stdout.strip() == "1000"
            project.run("docker", "stop", "--time", "10", name)
    files = project.run("docker", "run", "--rm", tag, "sh", "-c", "ls -A /app /tmp /opt/venv/bin /usr/local/bin").stdout
    assert "requirements.txt" in files
    assert not re.search(r"test|debugpy|watchfiles|\buv\b|gate|\.sh\b", files), files

    (test,) = project.path.glob("app/test_*.py")
    test.write_text("def test_red():\n    assert False\n")
    tag, result = project.build(check=False)
    assert result.returncode != 0
    assert "test_red" in result.stderr
    assert project.run("docker", "image", "inspect", tag, check=False).returncode != 0
    project.build("--build-arg", "GATE=skip")
