"""Prompts: their defaults work, odd answers get a message that says what to type."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
import yaml
from copier import run_copy
from project import eventually
from repository import ROOT, SERVICES

REFUSED = [
    ("project_name", "", "Type a-z"),
    ("project_name", "My Project", "Type a-z"),
    ("project_name", "../x", "Type a-z"),
    ("project_name", "a" * 64, "Type a-z"),
    ("project_dir", "../x", "Type . or a subfolder"),
    ("project_dir", "a/../../x", "Type . or a subfolder"),
    ("project_dir", "/abs", "Type . or a subfolder"),
    ("project_dir", "", "Type . or a subfolder"),
    ("project_dir", "with space", "Type . or a subfolder"),
    ("python_version", "2.7", "Type 3.11"),
    ("python_version", "3.9", "Type 3.11"),
    ("python_version", "3.14; rm", "Type 3.11"),
    ("python_version", "", "Type 3.11"),
    ("dependencies", "", "Type file names"),
    ("dependencies", "../requirements.txt", "Type file names"),
    ("dependencies", "a/../../b.txt", "Type file names"),
    ("dependencies", "setup.exe", "Type file names"),
    ("test_dependencies", "pytest", "Type file names, or nothing"),
    ("python_path", "../lib", "Type folders"),
    ("python_path", "", "Type folders"),
    ("serve_imports", "main:app", "Type modules"),
    ("serve_imports", "os; print(1)", "Type modules"),
    ("dependencies", "..", "Type file names"),
    ("entry_command", "", "Type a command"),
    ("entry_command", "  ", "Type a command"),
    ("entry_command", "a\nb", "Type a command"),
    ("serve_command", "", "Type a command"),
    ("test_command", "", "Type a command"),
    ("serve_command", "uv run uvicorn main:app", "Type what follows uv run"),
    ("serve_command", "python migrate.py && poetry run gunicorn main:app", "Type what follows poetry run"),
    ("test_command", "uv run pytest -q", "Type what follows uv run"),
    ("dependencies", "Pipfile.lock", "First: pipenv requirements"),
    ("dependencies", "pdm.lock", "First: pdm export"),
    ("dependencies", "environment.yml", "First list pip packages"),
    ("dependencies", "setup.py", "Type . to install"),
    ("dependencies", "a/../uv.lock", "Type file names"),
    ("serve_imports", "a/../main.py", "Type modules"),
    ("dependencies", "./libs/../../x", "Type file names"),
    ("dependencies", "libs/common", "Type file names"),
    ("environment", "DJANGO_SETTINGS_MODULE", "Type NAME=value"),
    ("environment", "GREETING=$HOME", "Type NAME=value"),
    ("environment", "A='b'", "Type NAME=value"),
]


@pytest.mark.parametrize(("question", "answer", "message"), REFUSED)
def test_a_wrong_answer_is_refused_with_what_to_type(
    template: Path, tmp_path: Path, question: str, answer: str, message: str
) -> None:
    data = {"starter": "existing", question: answer}
    with pytest.raises(ValueError, match=f"(?s){question}.*{message}"):
        run_copy(str(template), tmp_path / "demo", data=data, defaults=True, quiet=True)
    assert not (tmp_path / "demo").exists()


def test_a_starter_has_a_folder_of_its_own(template: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="A starter needs a subfolder"):
        run_copy(str(template), tmp_path, data={"advanced": True, "project_dir": "."}, defaults=True, quiet=True)


def test_the_code_has_a_folder_that_is_not_the_skeletons(template: Path, render, tmp_path: Path) -> None:
    emitted = [render(services=SERVICES), render(starter="existing")]
    names = {path.name for folder in emitted for path in folder.iterdir()} - {"app"} | {"certificates", "build.env"}
    for name in sorted(names):
        for answer in (name, f"{name.title()}/backend"):
            with pytest.raises(ValueError, match="project_dir.*(skeleton's own: type another|Type . or a subfolder)"):
                run_copy(
                    str(template),
                    tmp_path,
                    data={"starter": "existing", "project_dir": answer},
                    defaults=True,
                    quiet=True,
                )


@pytest.mark.parametrize("starter", ["existing", "fastapi"])
@pytest.mark.parametrize("answer", ["notes", "notes/backend", "src/main.py"])
def test_a_file_is_no_folder_for_the_code(template: Path, tmp_path: Path, starter: str, answer: str) -> None:
    path = tmp_path / "a [b]"
    (path / "src").mkdir(parents=True)
    (path / "src/main.py").touch()
    (path / "notes").touch()
    data = {"starter": starter, "advanced": True, "project_dir": answer}
    with pytest.raises(ValueError, match=f"{'main.py' if 'main' in answer else 'notes'} is a file: type a folder"):
        run_copy(str(template), path, data=data, defaults=True, quiet=True)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("項目", "demo"),
        ("--", "demo"),
        ("проект 2", "demo"),
        ("2024-shop", "shop"),
        ("My Shop", "my-shop"),
        ("trail ", "trail"),
        ("new\nline", "new-line"),
        ("a: {{ b }} # 'c' \"d\"", "a-b-c-d"),
        ("a" * 64, "a" * 63),
        ("ab-" * 80, "ab-" * 20 + "ab"),
        ("null", "null"),
    ],
)
def test_the_folders_name_gives_the_projects(template: Path, tmp_path: Path, folder: str, name: str) -> None:
    run_copy(str(template), tmp_path / folder, defaults=True, quiet=True)
    assert yaml.safe_load((tmp_path / folder / ".copier-answers.yml").read_text())["project_name"] == name
    app = yaml.safe_load((tmp_path / folder / "compose.yaml").read_text())["services"]["app"]
    assert app["networks"]["default"]["aliases"] == [name]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("project_name", "a"),
        ("project_dir", "src/back_end.v2"),
        ("python_version", "3.11.10"),
        ("dependencies", "requirements/prod.txt pyproject.toml[web,db]"),
        ("dependencies", "uv.lock"),
        ("dependencies", "poetry.lock[web]"),
        ("dependencies", ".[web,db]"),
        ("dependencies", "uv.lock ."),
        ("dependencies", "uv.lock . ./libs/common"),
        ("environment", "DJANGO_SETTINGS_MODULE=site.settings URL=https://example.com/?a=b EMPTY="),
        ("dependencies", "services/api/uv.lock[web]"),
        ("serve_imports", "main.py src/run.py shop"),
        ("serve_imports", "shop.wsgi gunicorn.app.wsgiapp"),
        ("serve_imports", ""),
        ("test_dependencies", ""),
        ("python_path", ". src libs/common/src"),
        ("entry_command", "python 'x y.py'"),
    ],
)
def test_a_right_answer_is_taken(render, question: str, answer: str) -> None:
    path = render(starter="existing", **{question: answer})
    assert yaml.safe_load((path / ".copier-answers.yml").read_text())[question] == answer


def copier_copy(template: Path, path: Path) -> pexpect.spawn:
    """Start `copier copy` on a terminal (which answers no question about its cursor)."""
    arguments = ["-m", "copier", "copy", str(template), str(path)]
    return pexpect.spawn(
        sys.executable, arguments, encoding="utf-8", timeout=60, env=os.environ | {"PROMPT_TOOLKIT_NO_CPR": "1"}
    )


def test_enter_at_every_prompt_renders_the_defaults(template: Path, render, tmp_path: Path) -> None:
    demo = tmp_path / "demo0"
    child = copier_copy(template, demo)
    for prompt in (
        "Project name",
        "start from",
        "Customize",
        "Python version",
        "Base image",
        "Cloud Run",
        "Services",
        "Editors",
        "Files for CI",
    ):
        child.expect(prompt)
        child.send("\r")
    child.expect("docker compose up --build --wait")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    defaults = render(project_name="demo0")
    for file in (file.relative_to(demo) for file in demo.rglob("*") if file.is_file()):
        assert (demo / file).read_text() == (defaults / file).read_text(), file


def test_a_wrong_answer_at_the_prompt_can_be_corrected(template: Path, tmp_path: Path) -> None:
    child = copier_copy(template, tmp_path / "demo")
    child.expect("Project name")
    child.send("\x15No Name\r")
    child.expect("Type a-z")
    child.sendcontrol("c")
    child.expect(pexpect.EOF)
    child.close()
    assert not (tmp_path / "demo").exists()


def test_it_needs_no_trust(template: Path, tmp_path: Path) -> None:
    """Copier refuses tasks, migrations and extensions without it; that of an update is tested with every update."""
    subprocess.run(
        [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", template, tmp_path / "demo"], check=True
    )
    settings = yaml.safe_load((ROOT / "copier.yml").read_text())
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(settings)


def test_rendering_depends_on_the_answers_alone(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = []
    for place, variables in (("one", {}), ("two", {"HOST_UID": "12", "USER": "x", "TZ": "Asia/Tokyo", "PORT": "1"})):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        path = tmp_path / place / "demo"
        run_copy(str(template), path, data={"services": ["postgres"]}, defaults=True, quiet=True)
        trees.append({file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()})
    assert trees[0] == trees[1]
    assert not any(
        str(tmp_path).encode() in text for name, text in trees[0].items() if name.name != ".copier-answers.yml"
    )


# What a command names, and the program that the build looks for
COMMANDS = [
    ("uvicorn shop.main:app --host 0.0.0.0 --port $PORT", "shop.main", "uvicorn"),
    ("gunicorn -k uvicorn.workers.UvicornWorker -b 0.0.0.0:$PORT shop.wsgi:application", "shop.wsgi", "gunicorn"),
    ("gunicorn shop.wsgi", "shop.wsgi", "gunicorn"),
    ("gunicorn --bind 0.0.0.0:$PORT -w 4 --preload shop.wsgi", "shop.wsgi", "gunicorn"),
    ("gunicorn --log-file - --bind=unix:/run/x.sock shop.wsgi -k gevent", "shop.wsgi", "gunicorn"),
    ("gunicorn -c gunicorn.conf.py", "", "gunicorn"),
    ("gunicorn -c python:conf shop.wsgi", "shop.wsgi", "gunicorn"),
    ("gunicorn 'shop:create_app()'", "shop", "gunicorn"),
    ("exec gunicorn \"shop.web:create_app('x')\"", "shop.web", "gunicorn"),
    ("hypercorn shop:create_app()", "shop", "hypercorn"),
    ("daphne -b 0.0.0.0 -p $PORT shop.asgi:application", "shop.asgi", "daphne"),
    ("granian --interface asgi shop:app", "shop", "granian"),
    ("waitress-serve --port=$PORT --call shop:create_app", "shop", "waitress-serve"),
    ("uwsgi --http :$PORT --module shop.wsgi", "shop.wsgi", "uwsgi"),
    ("celery -A shop worker", "shop", "celery"),
    ("flask --app=shop.web run", "shop.web", "flask"),
    ("flask --app 'shop:create_app()' run", "shop", "flask"),
    ("flask run", "wsgi.py", "flask"),
    ("FLASK_APP=shop flask run", "", "flask"),
    ("fastapi run", "main.py", "fastapi"),
    ("fastapi run src/run.py --port $PORT", "src/run.py", "fastapi"),
    ("functions-framework --target=hello", "main.py", "functions-framework"),
    ("python main.py", "main.py", "python"),
    ("MODE=prod python -u src/run.py", "src/run.py", "python"),
    ("python elsewhere.py", "", "python"),
    ("python -m shop", "shop", "python"),
    ("python manage.py migrate && gunicorn shop.wsgi", "shop.wsgi manage.py", "python"),
    ("ddtrace-run gunicorn shop:app", "shop", "ddtrace-run"),
    ("cd src && gunicorn main:app", "", "cd"),
    ("./start.sh", "", "./start.sh"),
    ('"$SERVER" main:app', "main", '""'),
]


@pytest.mark.parametrize(("command", "modules", "program"), COMMANDS)
def test_what_production_imports_is_read_off_its_command(
    template: Path, tmp_path: Path, command: str, modules: str, program: str
) -> None:
    for name in ("main.py", "wsgi.py", "manage.py", "gunicorn.conf.py", "src/run.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    data = {"starter": "existing", "serve_command": command}
    run_copy(str(template), tmp_path, data=data, defaults=True, quiet=True)
    answers = yaml.safe_load((tmp_path / ".copier-answers.yml").read_text())
    assert answers["serve_imports"] == modules
    assert f"RUN sh /tmp/imports.sh {program} {modules}".rstrip() + "\n" in (tmp_path / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("command", "shell"),
    [
        ("gunicorn --bind 0.0.0.0:$PORT main:app", "sh"),
        ("MODE=prod python main.py", "bash"),
        ("exec gunicorn main:app", "bash"),
        ("python migrate.py && gunicorn main:app", "bash"),
        ("python migrate.py; gunicorn main:app", "bash"),
    ],
)
def test_signals_reach_what_serves(render, command: str, shell: str) -> None:
    """Only the process that a container starts gets them, so that no shell may stay before the server."""
    command = re.sub(r"gunicorn.*|python main.py", "sleep 9", command)
    dockerfile = (render(starter="existing", serve_command=command) / "Dockerfile").read_text()
    words = json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)[-1])
    assert words[0] == shell
    process = subprocess.Popen([word.replace("python migrate.py", "true") for word in words])
    try:
        eventually(lambda: Path(f"/proc/{process.pid}/comm").read_text().strip(), lambda name: name == "sleep")
    finally:
        process.kill()
        process.wait()
