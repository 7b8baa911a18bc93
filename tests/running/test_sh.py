"""./sh: any command, from any folder, with or without a terminal, as the user who calls."""

import os
import signal
import subprocess

import pexpect
import pytest
from project import FIRST_USER, eventually

SLEEP = """
import signal, sys, time
def say(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    time.sleep(0.3)
    sys.exit(5)
if "heed" in sys.argv:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, say)
print("ready", flush=True)
time.sleep(300)
"""


@pytest.fixture(scope="module", params=["running", "one-off"])
def project(request, start_shared):
    """A project whose container is up, and one whose container is not."""
    project = start_shared(services=["redis"])
    if request.param == "running":
        project.up()
    return project


def commands_inside(project) -> str:
    """Return the command lines in the project's containers."""
    containers = project.run(
        "docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project={project.path.name}"
    ).stdout
    return "".join(project.run("docker", "top", container, "-o", "pid,args").stdout for container in containers.split())


def test_a_command_arrives_as_it_was_given(project) -> None:
    odd = ["a b", "", "'", '"', "$HOME", "*", "new\nline", "\\", "-x", "--help"]
    show = "import sys; print(sys.argv[1:])"
    assert project.sh("python", "-c", show, *odd).stdout == f"{odd}\n"

    # Pipes at both ends, and nothing but the command's own output
    assert project.sh("cat", input="one\ntwo\n").stdout == "one\ntwo\n"
    assert project.run("sh", "-c", "printf 'a\\nb\\n' | xargs -n 1 ./sh echo | wc -l").stdout == "2\n"
    assert project.run("sh", "-c", "./sh cat <&-").stdout == ""
    assert project.sh("sh", "-c", "exit 7", check=False).returncode == 7
    assert project.sh("no-such-command", check=False).returncode in (126, 127)

    (project.path / "app/deep er").mkdir()
    (project.path / "data/deep er").mkdir()
    if not project.env.get("HOST_UID"):
        project.give_to(FIRST_USER)
    assert project.sh("pwd").stdout == "/app\n"
    assert project.sh("pwd", cwd=project.path / "app/deep er").stdout == "/app/deep er\n"
    assert project.sh("pwd", cwd=project.path / "data/deep er").stdout == "/data/deep er\n"
    assert project.sh("pwd", cwd=project.path / ".drydock").stdout == "/app\n"
    assert project.sh("pwd", cwd="/").stdout == "/app\n"

    assert project.sh("--root", "id", "-u").stdout == "0\n"
    refused = project.sh("--nonsense", check=False)
    assert refused.returncode == 2 and "--help" in refused.stderr
    assert project.sh("--help").stdout.startswith("Runs a command in the container")


def test_with_a_terminal_the_command_has_one(project) -> None:
    shell = pexpect.spawn(str(project.path / "sh"), cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
    shell.sendline("test -t 0 && test -t 1 && echo 'a' 'terminal' in $PWD")
    shell.expect("a terminal in /app")
    shell.sendline("sleep 300; echo 'stat'us $?")
    eventually(lambda: commands_inside(project), lambda seen: "sleep 300" in seen)
    shell.sendcontrol("c")
    shell.sendline("echo 'af'ter")
    shell.expect("after")
    shell.sendline("exit 3")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3

    # What runs in it ends with the terminal
    shell = pexpect.spawn(str(project.path / "sh"), ["sleep", "4321"], cwd=project.path, env=project.env, timeout=60)
    eventually(lambda: commands_inside(project), lambda seen: "sleep 4321" in seen)
    shell.ptyproc.delayafterclose = shell.ptyproc.delayafterterminate = 2  # type: ignore[attr-defined] # typeshed lacks it
    shell.close(force=False)
    eventually(lambda: commands_inside(project), lambda seen: "sleep 4321" not in seen.replace("sh -c", ""))


def test_a_pipeline_at_a_terminal_ends_by_its_keys(project) -> None:
    shell = pexpect.spawn("bash", ["--norc"], cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
    shell.sendline("./sh sh -c 'echo \"reading\"; cat' | cat")
    shell.expect("reading\r\n")
    shell.sendline("typed")
    shell.expect("typed\r\ntyped\r\n")
    shell.sendcontrol("d")
    shell.sendline("./sh sh -c 'echo \"begun\"; sleep 321' | cat")
    shell.expect("begun\r\n")
    shell.sendcontrol("c")
    shell.expect(r"# |\$ ")
    shell.sendline("echo status=${PIPESTATUS[0]}")
    shell.expect("status=130")
    shell.close()
    eventually(lambda: commands_inside(project), lambda seen: "sleep 321" not in seen)


@pytest.mark.parametrize("whom", ["alone", "pipeline"])
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_signals_end_the_command_inside(project, name: str, whom: str) -> None:
    """Sent to ./sh alone, as kill does, or to all of a pipeline, as Ctrl-C and timeout do."""
    number = signal.Signals[name]
    inside = (
        (["python", "-c", SLEEP, "heed"], 5, f"got {name}\n"),
        (["python", "-c", SLEEP], 128 + number, ""),
        # What it started ends with it, and does not keep the pipe open
        (["sh", "-c", "echo ready; sleep 300; exit 0"], 128 + number, ""),
    )
    for words, status, said in inside:
        command = [project.path / "sh", *words]
        options = {"cwd": project.path, "env": project.env, "stdin": subprocess.DEVNULL, "start_new_session": True}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
            assert process.stdout.readline() == "ready\n"
            (os.kill if whom == "alone" else os.killpg)(process.pid, number)
            output, errors = process.communicate(timeout=60)
        assert (process.returncode, output) == (status, said), errors
        eventually(lambda: commands_inside(project), lambda seen: "sleep(300)" not in seen and "sleep 300" not in seen)


@pytest.mark.parametrize(
    "pipeline",
    [
        "./sh yes 4567 | head -n 1",
        "./sh yes 4567 | true",
        # Python ignores SIGPIPE, and this one SIGTERM too
        "./sh python -c 'import signal; signal.signal(15, 1); [print(4567) for _ in iter(int, 1)]' | head -n 1",
        "./sh sh -c 'yes 4567; exit 0' | head -c 100000 >/dev/null",
        "./sh --root yes 4567 | head -n 1",
        "./sh -s redis yes 4567 | head -n 1",
    ],
)
def test_a_command_ends_when_nobody_reads_its_output(project, pipeline: str) -> None:
    result = project.run("bash", "-c", f'{pipeline}; echo "${{PIPESTATUS[0]}}"')
    assert result.stdout.splitlines()[-1] == "141", result
    eventually(lambda: commands_inside(project), lambda seen: "4567" not in seen)


def test_a_command_ends_when_its_output_cannot_be_written(project) -> None:
    assert project.run("sh", "-c", "./sh yes 4567 >/dev/full", check=False).returncode in (1, 141)
    eventually(lambda: commands_inside(project), lambda seen: "4567" not in seen)


def test_what_a_command_leaves_in_the_background_stays(project) -> None:
    """Also where the command failed: that is no reason to end more than it. A container of its own ends with it."""
    running = "uvicorn" in commands_inside(project)
    assert project.sh("sh", "-c", "sleep 5678 >/dev/null 2>&1 & exit 1", check=False).returncode == 1
    assert ("sleep 5678" in commands_inside(project)) == running
    if running:
        project.sh("pkill", "sleep")


def test_root_acts_for_the_owner_of_the_project(project) -> None:
    if os.getuid():
        pytest.skip("only root can")
    project.sh("sh", "-c", "touch made && id -u")
    assert (project.path / "app/made").stat().st_uid == FIRST_USER


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
@pytest.mark.parametrize("user", [1001, 12345, 0])
def test_what_it_makes_is_the_callers(start, user: int) -> None:
    project = start()
    options = project.as_user(user)
    who = "import getpass, os; open('made', 'w'); os.makedirs(os.path.expanduser('~/x')); print(os.getuid(), getpass.getuser())"
    for up in (False, True):
        if up:
            ids = {"HOST_UID": str(user), "HOST_GID": str(user)}
            project.compose("up", "--build", "--wait", **options | {"env": options["env"] | ids})
        assert project.sh("python", "-c", who, **options).stdout == f"{user} {'app' if user else 'root'}\n"
        made = project.path / "app/made"
        assert made.stat().st_uid == user
        made.unlink()
        project.sh("sh", "-c", "rmdir ~/x; git --version || true; pip --version", **options)
    project.sh("--root", "true", **options)
    assert {file.lstat().st_uid for file in project.path.rglob("*")} == {user}


def test_a_user_who_may_not_write_is_told_what_to_do(start) -> None:
    project = start()
    project.env |= {"HOST_UID": "12345", "HOST_GID": "12345"}
    result = project.compose("up", "--build", "--wait", check=False)
    assert result.returncode != 0
    (line,) = [line for line in project.compose("logs", "--no-log-prefix", "app").stdout.splitlines() if line]
    assert "User 12345 may not write /app." in line
    owner = project.path.stat()
    assert f"export HOST_UID={owner.st_uid} HOST_GID={owner.st_gid}," in line


def test_shells_share_one_history(start) -> None:
    project = start()
    project.up()
    history = project.path / "data/.bash_history"

    def shell() -> pexpect.spawn:
        child = pexpect.spawn(str(project.path / "sh"), cwd=project.path, env=project.env, encoding="utf-8", timeout=60)
        child.expect(r"[$#] ")
        return child

    one, other = shell(), shell()
    one.sendline("echo from one")
    one.expect(r"from one\r\n.*[$#] ")
    # Written before it runs
    one.sendline("sleep 300")
    eventually(history.read_text, lambda seen: seen == "echo from one\nsleep 300\n")
    other.sendline("echo from other")
    other.expect(r"from other\r\n.*[$#] ")
    other.send("\x1b[A\x1b[A")
    other.expect("sleep 300")
    other.sendcontrol("u")
    other.sendline("kill -9 $$")
    other.expect(pexpect.EOF)
    one.sendcontrol("c")
    one.sendline("exit")
    one.expect(pexpect.EOF)
    assert history.read_text() == "echo from one\nsleep 300\necho from other\nkill -9 $$\nexit\n"
    project.compose("down")
    assert "from one" in project.sh("bash", "-ic", "history -r; history").stdout
