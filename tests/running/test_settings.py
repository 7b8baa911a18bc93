"""Settings and missing pieces: .env is optional, a clone starts, and what a shell says for other reasons does no harm."""

import os
import re
import shutil
from pathlib import Path

import pytest
from project import FIRST_USER, Project, eventually
from repository import git, make_repository

SHOW = "echo \"it's } {$HOME}\" '$X' >/data/said; exec sleep infinity"


@pytest.fixture(scope="module")
def project(start_shared) -> Project:
    """A project whose default command holds what is special to shells and to Compose."""
    project = start_shared(starter="worker", advanced=True, entry_command=SHOW)
    (project.path / ".env").unlink()
    project.up()
    return project


def said(project: Project) -> str:
    return eventually(lambda: (project.path / "data/said").read_text(), bool)


def test_without_env_the_answers_command_runs_as_it_was_typed(project) -> None:
    assert said(project) == "it's } {/home/app} $X\n"
    assert not (project.path / ".env").exists()


def test_the_command_of_env_takes_its_place_and_is_told_to_stop(project) -> None:
    (project.path / "data/said").unlink()
    program = "import signal, time\nsignal.signal(15, lambda *_: print('told to stop', flush=True) or exit())\nprint('up', flush=True)\ntime.sleep(600)\n"
    (project.path / "app/mine.py").write_text(program)
    project.set_env(CMD="'python mine.py'")
    project.up()
    eventually(lambda: project.compose("logs", "app").stdout, lambda text: "up" in text)
    project.compose("stop", "app")
    assert "told to stop" in project.compose("logs", "app").stdout
    (project.path / ".env").unlink()


def test_a_shells_project_makes_no_folder_and_is_named(project) -> None:
    env = project.env | {"PROJECT": "my-gcp-project"}
    result = project.compose("up", "--wait", "--no-build", "--force-recreate", "app", check=False, env=env)
    assert result.returncode and "my-gcp-project" in result.stderr and "does not exist" in result.stderr
    result = project.sh("true", check=False, env=env)
    assert (result.returncode, result.stderr) == (
        2,
        "PROJECT is my-gcp-project in your shell, and there is no such folder here: unset PROJECT\n",
    )
    result = project.sh("--doctor", check=False, env=env)
    assert "! PROJECT is my-gcp-project in your shell" in result.stdout and not result.stderr
    assert not (project.path / "my-gcp-project").exists()


def test_a_dollar_in_a_secret(project) -> None:
    secrets = project.path / "data/local.env"
    secrets.write_text("SECRET_KEY=ab$k2(x)#q\n")
    assert (
        "! $k2 in data/local.env is a variable that is not set: for a literal $, put the value into single quotes"
        in project.sh("--doctor", check=False).stdout
    )
    secrets.write_text("SECRET_KEY='ab$k2(x)#q'\n")
    assert (
        project.compose("run", "--rm", "--no-deps", "--no-TTY", "app", "printenv", "SECRET_KEY").stdout
        == "ab$k2(x)#q\n"
    )
    assert "variable that is not set" not in project.sh("--doctor", check=False).stdout
    secrets.unlink()


def test_a_clone_without_env_and_data_starts(start) -> None:
    """Where git ignores .env and data/, the engine makes the folders, as root: one line says what to do."""
    project = start(services=["redis"])
    (project.path / ".gitignore").write_text(".env\ndata/\n")
    project.give_to(os.getuid())
    make_repository(project.path)
    clone = project.path.with_name(f"{project.path.name}-clone")
    git(project.path.parent, "clone", "--quiet", str(project.path), str(clone))
    shutil.rmtree(project.path)
    clone.rename(project.path)
    assert not (project.path / "data").exists() and not (project.path / ".env").exists()
    project.give_to(FIRST_USER)
    if project.compose("up", "--build", "--wait", check=False).returncode:
        line = eventually(lambda: project.compose("logs", "redis").stdout, lambda text: "owned by root" in text)
        (command,) = set(re.findall(r"which is owned by root: (.*)$", line, re.M))
        assert command == f"./sh --root chown -R {FIRST_USER}:{FIRST_USER} /data/redis"
        project.run("sh", "-c", command)
        project.up()
    assert "Hello" in eventually(project.get, bool)
    assert Path(project.path / "data").stat().st_uid == Path(project.path / "data/redis").stat().st_uid == FIRST_USER


def test_the_users_own_older_env_is_no_hindrance(start, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / ".env").write_text(
        "FLASK_SECRET=never-shipped\nDATABASE_URL=postgresql://postgres:secret@db/postgres\nDEBUG=True\n"
    )
    (code / "main.py").write_text("def app(environ, start):\n    start('200 OK', [])\n    return [b'here']\n")
    (code / "requirements.txt").write_text("gunicorn\n")
    project = start(code, starter="existing", services=["redis"], entry_command="gunicorn --bind 0.0.0.0:8000 main:app")
    project.up()
    assert eventually(project.get, bool) == "here"
    tag, _ = project.build()
    assert (
        project.run(
            "docker", "run", "--rm", tag, "sh", "-c", "env; ls -a; grep -r never-shipped /app || true"
        ).stdout.count("never-shipped")
        == 0
    )
