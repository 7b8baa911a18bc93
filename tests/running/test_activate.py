""". ./activate: the container as a virtual environment, in each shell."""

import os
import shutil

import pexpect
import pytest
from project import eventually

STATE = 'printf "%s|" "$PATH" "$PS1" "${HOST_UID-none}" "${HOST_GID-none}"; command -v deactivate || true'
# A prompt, as where a person types
POSIX = f"""
set -eu
PS1='old> '
export HOST_GID=77
before=$({STATE})
. ./activate
. ./activate
echo "prompt $PS1"
echo "ids $HOST_UID $HOST_GID"
cd app
python -c 'import os; print("in", os.getcwd())'
cd /
python -c 'import os; print("in", os.getcwd())'
cd - >/dev/null
. "$ROOT/activate"
deactivate
after=$({STATE})
[ "$before" = "$after" ] && echo restored
set | grep -i _drydock || true
"""
FISH = """
set -gx HOST_GID 77
set before $PATH
source .drydock/host/activate.fish
source .drydock/host/activate.fish
echo prompt (fish_prompt)
echo ids $HOST_UID $HOST_GID
cd app
python -c 'import os; print("in", os.getcwd())'
cd /
python -c 'import os; print("in", os.getcwd())'
deactivate
test "$before" = (string join ' ' $PATH); and test "$HOST_GID" = 77; and not set -q HOST_UID; and echo restored
set --names | string match '*rydock*'
functions --all --names | string match '*rydock*'
exit 0
"""
SHELLS = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "dash": ["dash"], "fish": ["fish", "--no-config"]}


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def project(start_shared):
    project = start_shared()
    project.up()
    return project


@pytest.fixture(scope="module")
def caller(project) -> dict[str, object]:
    """The options with which `run` is an ordinary user's."""
    options = project.as_user()
    options["env"] |= {"ROOT": str(project.path)}
    return options


@pytest.mark.parametrize("shell", SHELLS)
def test_it_begins_and_ends_without_a_trace(project, caller, shell: str) -> None:
    needs(shell)
    script = project.path / f"data/try.{shell}"
    script.write_text(FISH if shell == "fish" else POSIX)
    result = project.run(*SHELLS[shell], "-c", f". {script}", **caller)
    prompt, *others = result.stdout.splitlines()
    assert prompt.startswith(f"prompt ({project.path.name}) ") and prompt.count("(demo") == 1
    if shell != "fish":
        assert prompt.endswith(") old> ")
    # Who has an id set already knows why
    assert others == [f"ids {project.path.stat().st_uid} 77", "in /app", "in /app", "restored"], result
    assert "python runs in the container, in /app: / is not in" in result.stderr


@pytest.mark.parametrize(
    "folder",
    ["項目", f"a{os.getpid()} 'b' \"c\" $HOME, [d]\\ ", "a" * 100 + str(os.getpid())],
    ids=["no letters", "odd", "long"],
)
def test_in_a_folder_of_any_name(start, folder: str) -> None:
    project = start(folder=folder, project_name=f"demo-{os.getpid()}", services=["redis"])
    project.up()
    assert project.sh("-s", "redis", "redis-cli", "ping").stdout == "PONG\n"
    for shell, script in (
        ("bash", ". ./activate"),
        ("dash", ". ./activate"),
        ("fish", "source .drydock/host/activate.fish"),
    ):
        needs(shell)
        # The container's own, which the host has not
        result = project.run(
            shell, "-c", f"{script}; cd app; python -c 'import sys, os; print(sys.prefix, os.getcwd())'"
        )
        assert result.stdout == "/opt/venv /app\n", result
    assert project.sh("--doctor").stdout.endswith("No problem found.\n")
    # In the container that is up: one of its own would have another name each time
    assert project.sh("hostname").stdout == project.sh("hostname").stdout


def test_where_the_folder_gives_no_name_the_doctor_asks_for_one(start) -> None:
    project = start(folder="проект")
    (project.path / ".env").rename(project.path / "data/env")
    assert (
        "! Compose cannot derive a project name from this folder's name: write COMPOSE_PROJECT_NAME="
        in project.sh("--doctor", check=False).stdout
    )
    result = project.sh("true", check=False)
    assert result.returncode == 125 and "./sh --doctor" in result.stderr
    (project.path / "data/env").rename(project.path / ".env")


def test_every_command_of_the_environment_is_there(project, caller) -> None:
    script = ". ./activate && cd app && for tool in python pip uv; do $tool --version; done && pytest -q && uvicorn --version && pip list"
    result = project.run("sh", "-c", script, **caller)
    for word in ("Python 3.14", "pip 26", "/opt/tools", "uv 0.", "passed", "Running uvicorn", "fastapi"):
        assert word in result.stdout, word
    assert not (project.path / "data/bin/activate").exists()


def test_a_new_command_is_there_after_a_rebuild_and_a_removed_one_is_gone(start) -> None:
    project = start()
    project.up()
    shell = pexpect.spawn("bash", ["--norc"], cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
    shell.sendline(". ./activate")
    project.sh("uv", "add", "cowsay")
    project.up()
    shell.sendline("cowsay -t 'Mo''o'")
    shell.expect("Moo")
    shell.close()
    project.sh("uv", "remove", "cowsay")
    project.up()
    eventually(lambda: (project.path / "data/bin/cowsay").is_symlink(), lambda there: not there)


def test_tools_that_call_python_from_path_work(project, caller) -> None:
    """A git hook, and make; with tests that pass, and with one that does not."""
    needs("make")
    hook = project.path / ".git/hooks/pre-commit"
    project.run("git", "init", "-q", **caller)
    hook.write_text("#!/bin/sh\nset -e\ncd app\npytest -q\npython -m compileall -q .\n")
    hook.chmod(0o755)
    (project.path / "Makefile").write_text(
        "test:\n\t@echo '1 2' | python -c 'print(sum(map(int, input().split())))'\n\t@cd app && pytest -q\n"
    )
    script = ". ./activate; git add --all; git -c user.name=Tests -c user.email=tests@localhost commit -q -m more && echo committed; make"
    for body, ok in (("assert True", True), ("assert False", False)):
        (project.path / "app/tests/test_more.py").write_text(f"def test_more():\n    {body}\n")
        result = project.run("sh", "-c", script, check=False, **caller)
        assert ("committed\n" in result.stdout) == ok, result
        assert (result.returncode == 0) == ok
        assert "3\n" in result.stdout.splitlines(keepends=True)
