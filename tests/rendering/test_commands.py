"""A command arrives where it is run exactly as it was typed."""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from copier import run_copy

COMMANDS = [
    "python manage.py runserver 0.0.0.0:8000",
    "python -c 'print(1)'",
    'python -c "print(1)"',
    "echo $HOME ${HOME} $$ $(id -u) # not a comment",
    'echo it\'s "both" \\\' \\" \\\\ a\\n',
    "a && b || c; d | e > f",
    "echo {{ project_name }} {% if x %} {# c #}",
    "echo é 漢字 ' #",
    "a 'b' 'c'd ''",
    "echo ${CMD} $PORT=${PORT:-1}",
    "it's a trailing \\",
    "a trailing \\",
    "back\\' and \\\\' slashes",
    "#",
    "'",
    '"',
    "$",
    "\u00a0 no-break, \ue000 private use, \ufffd replacement, \U0001f389 \U0010ffff beyond U+FFFF",
]
# What YAML cannot hold, or reads as the end of a line
REFUSED = "\x00\x07\t\n\r\x1b\x1f\x7f\x80\x85\x9f\u2028\u2029\ud800\udc80\udfff\ufeff\ufffe\uffff"


def made_up(seed: int) -> str:
    """Return a command of any characters that are not refused, half of them special to some shell or format."""
    choose = random.Random(seed)
    special = "  '\"\\$`{}[]()#%&|;<>*?!~^=:,-@"
    others = [(0x20, 0x7E), (0xA0, 0x2027), (0x202A, 0xD7FF), (0xE000, 0xFEFE), (0xFF00, 0xFFFD), (0x10000, 0x10FFFF)]
    either = (lambda: choose.choice(special), lambda: chr(choose.randint(*choose.choice(others))))
    return "x" + "".join(choose.choice(either)() for _ in range(choose.randint(1, 150)))


COMMANDS += [made_up(seed) for seed in range(8)]
every_command = pytest.mark.parametrize("command", COMMANDS)


def everywhere(command: str) -> dict[str, str]:
    """Return answers with this command in each question that takes one."""
    return {"starter": "existing", "entry_command": command, "serve_command": command, "test_command": command}


needs_docker = pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")


def compose_command(path, service: str, **env: str) -> list[str]:
    result = subprocess.run(
        ["docker", "compose", "--profile", "*", "config", "--format", "json"],
        cwd=path,
        env=os.environ | env,
        check=True,
        capture_output=True,
        text=True,
    )
    assert not result.stderr
    # Compose writes a literal $ as $$, so that its output can be its input
    return [word.replace("$$", "$") for word in json.loads(result.stdout)["services"][service]["command"]]


@needs_docker
@every_command
def test_compose_reads_what_was_typed(render, tmp_path, command: str) -> None:
    path = render(**everywhere(command))
    assert compose_command(path, "tests")[-1] == command
    # bash -c 'exec bash -c "${1:-$0}"' DEFAULT CMD DEBUG
    assert compose_command(path, "app")[2:] == ['exec bash -c "${1:-$0}"', command, "", ""]
    assert compose_command(path, "app", CMD=command)[3:] == [command, command, ""]
    debugged = ['exec debug "$2" bash -c "${1:-$0}"', command, "", "wait"]
    assert compose_command(path, "app", DEBUG="wait")[2:] == debugged
    # .env shows it in such a way that without its # it is read as it was typed
    env = tmp_path / ".env"
    env.write_text(re.search(r"^# (CMD=.*)$", (path / ".env").read_text(), re.M)[1] + "\n")
    assert compose_command(path, "app", COMPOSE_ENV_FILES=str(env))[3:] == [command, command, ""]


@pytest.mark.parametrize("command", ["echo '}' \"{$0} ${1}\" \\$x", "echo {a,b}} | cat"])
def test_the_container_runs_what_was_typed(render, command: str) -> None:
    path = render(starter="existing", entry_command=command)
    words = [
        word.replace("$$", "$")
        for word in yaml.safe_load((path / "compose.yaml").read_text())["services"]["app"]["command"]
    ]
    assert words.pop() == "${DEBUG:-}"
    assert words.pop() == "${CMD:-}"
    # Without DEBUG
    words[2] = re.sub(r"[$]{DEBUG:[^}]*}", "", words[2])
    wanted = subprocess.run(["bash", "-c", command], capture_output=True, text=True).stdout
    assert wanted
    for cmd in ("", command):
        assert subprocess.run([*words, cmd], capture_output=True, text=True).stdout == wanted


@every_command
def test_the_dockerfile_says_what_was_typed(render, command: str) -> None:
    path = render(**everywhere(command))
    dockerfile = (path / "Dockerfile").read_text()
    (tests,) = re.findall(r"^RUN (\[.*\])$", dockerfile, re.M)
    assert json.loads(tests) == ["sh", "-c", '[ "$GATE" = skip ] || sh /tmp/with_settings.sh sh -c "$0"', command]
    serve = json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)[-1])
    assert serve in (["bash", "-c", command], ["sh", "-c", f"exec {command}"])


@every_command
def test_the_answers_file_says_what_was_typed(render, command: str) -> None:
    path = render(**everywhere(command))
    answers = yaml.safe_load((path / ".copier-answers.yml").read_text())
    assert {answers[question] for question in ("entry_command", "test_command", "serve_command")} == {command}


@pytest.mark.parametrize(
    ("question", "characters"), [("entry_command", REFUSED), ("serve_command", "\x85"), ("test_command", "\x85")]
)
def test_what_yaml_cannot_hold_is_refused(template: Path, tmp_path: Path, question: str, characters: str) -> None:
    for character in characters:
        with pytest.raises(ValueError, match="Type a command"):
            run_copy(
                str(template),
                tmp_path,
                data={"starter": "existing", question: f"a{character}b"},
                defaults=True,
                quiet=True,
            )


PLAIN = [
    "pytest",
    "pytest -q tests/unit",
    "python -m compileall -q .",
    "pytest -k 'not slow' --cov=shop",
    'pytest -m "a or b" x=1',
]
NOT_PLAIN = [
    "CI=1 pytest",
    "cd src; pytest",
    "exec pytest",
    "pytest tests/*.py",
    "pytest ~/x",
    "-q",
    "pytest 'a|b'",
    'pytest "$X"',
    "time pytest",
]


@pytest.mark.parametrize("command", [*PLAIN, *NOT_PLAIN, *COMMANDS])
def test_the_readme_shows_a_test_command_that_works_when_typed(render, tmp_path: Path, command: str) -> None:
    readme = (render(**everywhere(command)) / "README.docker.md").read_text()
    (shown,) = re.findall(r"^\| run the tests \| `(.*)` \|$", readme, re.M)
    if command not in PLAIN and shown == "docker compose run --rm tests":
        return
    assert command not in NOT_PLAIN
    (tmp_path / "sh").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (tmp_path / "sh").chmod(0o755)
    said = subprocess.run(["bash", "-c", shown], cwd=tmp_path, capture_output=True, text=True).stdout
    assert said.split("\0")[:-1] == shlex.split(command)
