"""./sh: any command, from any folder, with or without a terminal, as the user who calls."""


import pexpect
import pytest

from project import FIRST_USER


@pytest.fixture(params=["running", "one-off"])
def project(request, start):
    """A project whose container is up, and one whose container is not."""
    project = start()
    if request.param == "running":
        project.up()
    return project


def test_a_command_arrives_as_it_was_given(project) -> None:
    odd = ["a b", "", "'", '"', "$HOME", "*", "new\nline", "\\", "-x", "--help"]
    show = "import sys; print(sys.argv[1:])"
    assert project.sh("python", "-c", show, *odd).stdout == f"{odd}\n"

    # Pipes at both ends, and nothing but the command's own output
    assert project.sh("cat", input="one\ntwo\n").stdout == "one\ntwo\n"
    assert project.sh("sh", "-c", "exit 7", check=False).returncode == 7

    (project.path / "app/deep er").mkdir()
    if not project.env.get("HOST_UID"):
        project.give_to(FIRST_USER)
    assert project.sh("pwd").stdout == "/app\n"
    assert project.sh("pwd", cwd=project.path / "app/deep er").stdout == "/app/deep er\n"
    assert project.sh("pwd", cwd=project.path / "data").stdout == "/app\n"

    assert project.sh("--root", "id", "-u").stdout == "0\n"
    refused = project.sh("--nonsense", check=False)
    assert refused.returncode == 2 and "--help" in refused.stderr
    assert project.sh("--help").stdout.startswith("Runs a command in the container")

    # With a terminal on both ends the command has one too, and its keys reach it
    shell = pexpect.spawn(str(project.path / "sh"), cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
    shell.sendline("test -t 0 && test -t 1 && echo 'a' 'terminal' in $PWD")
    shell.expect("a terminal in /app")
    shell.sendline("exit 3")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3


def test_a_user_who_may_not_write_is_told_what_to_do(start) -> None:
    project = start()
    project.env |= {"HOST_UID": "12345", "HOST_GID": "12345"}
    result = project.compose("up", "--build", "--wait", check=False)
    assert result.returncode != 0
    (line,) = [line for line in project.compose("logs", "--no-log-prefix", "app").stdout.splitlines() if line]
    assert "User 12345 may not write /app." in line
    owner = project.path.stat()
    assert f"export HOST_UID={owner.st_uid} HOST_GID={owner.st_gid}," in line
