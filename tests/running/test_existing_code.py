"""Existing code: projects that others made, dockerized by answers alone."""

import json
from pathlib import Path

import packages
import pytest
from project import eventually


@pytest.fixture
def django_project(tmp_path: Path) -> Path:
    code = tmp_path / "django"
    (code / "shop").mkdir(parents=True)
    packages.run(code, "django==5.2.19", "django-admin", "startproject", "site1", "shop")
    (code / "shop/requirements.txt").write_text("Django==5.2.19\n")
    return code


@pytest.fixture
def httpbin(tmp_path: Path) -> Path:
    """The source of httpbin as its maintainers released it, in a folder of that name."""
    code = tmp_path / "code"
    code.mkdir()
    packages.release("httpbin==0.10.4", tmp_path).rename(code / "bin")
    return code


def test_django_project_in_a_subfolder(start, django_project: Path) -> None:
    project = start(
        django_project,
        starter="existing",
        project_dir="shop",
        entry_command="python manage.py runserver 0.0.0.0:8000",
        serve_command="gunicorn --bind 0.0.0.0:$PORT site1.wsgi",
        test_command="python manage.py test",
    )
    project.up()
    assert "The install worked successfully!" in project.get()
    (project.path / "shop/site1/urls.py").write_text(
        "from django.http import HttpResponse\nfrom django.urls import path\nurlpatterns = [path('', lambda request: HttpResponse('mine'))]\n"
    )
    eventually(project.get, lambda page: page == "mine")
    assert (
        "No changes" in project.sh("python", "manage.py", "makemigrations", "--check", cwd=project.path / "shop").stdout
    )
    project.sh("python", "manage.py", "migrate", cwd=project.path / "shop")
    assert (project.path / "shop/db.sqlite3").stat().st_uid == project.path.stat().st_uid


HTTPBIN = {
    "starter": "existing",
    "dependencies": "pyproject.toml[mainapp]",
    "test_dependencies": "pyproject.toml[test]",
    "entry_command": "flask --app httpbin run --debug --host 0.0.0.0 --port 8000",
    "serve_command": "gunicorn --bind 0.0.0.0:$PORT httpbin:app",
    "test_command": "pytest -q tests",
}


def test_somebody_elses_application(start, httpbin: Path) -> None:
    project = start(httpbin, project_dir="bin", **HTTPBIN)
    project.up()
    assert json.loads(project.get("/get?word=kept"))["args"] == {"word": "kept"}
    assert " passed" in project.sh("pytest", "-q", "tests", cwd=project.path / "bin").stdout

    tag, result = project.build("--no-cache-filter", "tests")
    assert " passed" in result.stderr
    port = project.ports["SERVICE_PORT"]
    with project.container("--publish", f"127.0.0.1:{port}:8080", tag):
        eventually(lambda: project.get("/status/418", port="SERVICE_PORT"), lambda page: "teapot" in page)


def test_the_skeleton_laid_over_somebody_elses_application(start, httpbin: Path) -> None:
    files = {
        file.relative_to(httpbin / "bin"): file.read_bytes() for file in (httpbin / "bin").rglob("*") if file.is_file()
    }
    project = start(httpbin / "bin", **HTTPBIN)
    assert {name: (project.path / name).read_bytes() for name in files} == files
    project.up()
    assert json.loads(project.get("/get?word=kept"))["args"] == {"word": "kept"}


def test_a_project_with_a_lock(start, tmp_path: Path) -> None:
    """uv.lock: its dev group is there for the tests, and not in production; a lock that does not match ends the build."""
    code = tmp_path / "locked"
    code.mkdir()
    pyproject = '[project]\nname = "locked"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six"]\n'
    (code / "pyproject.toml").write_text(pyproject + '[dependency-groups]\ndev = ["pytest"]\n')
    (code / "main.py").write_text("import six\n\nprint('six', six.__version__)\n")
    (code / "test_main.py").write_text("import main\n\n\ndef test_six():\n    assert main.six\n")
    packages.uv(code, "lock", "--quiet")

    project = start(
        code, starter="existing", dependencies="uv.lock", serve_command="python main.py", python_version="3.13"
    )
    tag, result = project.build("--no-cache-filter", "tests")
    assert "1 passed" in result.stderr
    assert project.run("docker", "run", "--rm", tag).stdout.startswith("six ")
    assert project.run("docker", "run", "--rm", tag, "python", "-c", "import pytest", check=False).returncode == 1

    (project.path / "pyproject.toml").write_text(pyproject.replace("six", "idna"))
    _, result = project.build(check=False)
    assert result.returncode != 0
    assert "uv.lock" in result.stderr and "needs to be updated" in result.stderr
