"""A command arrives where it is run exactly as it was typed."""

import json
import re
import shutil
import subprocess

import pytest

COMMANDS = [
    "python manage.py runserver 0.0.0.0:8000",
    "python -c 'print(1)'",
    'python -c "print(1)"',
    "echo $HOME ${HOME} $$ $(id -u) # not a comment",
    "echo it's \"both\" \\' \\\" \\\\ a\\n",
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
]

every_command = pytest.mark.parametrize("command", COMMANDS)


def compose_command(path, service: str) -> str:
    result = subprocess.run(
        ["docker", "compose", "--profile", "*", "config", "--format", "json"], cwd=path, check=True, capture_output=True, text=True
    )
    assert not result.stderr
    # Compose writes a literal $ as $$, so that its output can be its input
    return json.loads(result.stdout)["services"][service]["command"][-1].replace("$$", "$")


@pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")
@every_command
def test_compose_reads_what_was_typed(render, command: str) -> None:
    path = render(starter="existing", entry_command=command, test_command=command, serve_command=command)
    assert compose_command(path, "app") == command
    assert compose_command(path, "tests") == command


@every_command
def test_the_dockerfile_says_what_was_typed(render, command: str) -> None:
    path = render(starter="existing", entry_command=command, test_command=command, serve_command=command)
    dockerfile = (path / "Dockerfile").read_text()
    (tests,) = re.findall(r"^RUN (\[.*\])$", dockerfile, re.M)
    assert json.loads(tests) == ["sh", "-c", '[ "$GATE" = skip ] || eval "$0"', command]
    serve = json.loads(re.findall(r"^CMD (\[.*\])$", dockerfile, re.M)[-1])
    assert serve in (["sh", "-c", command], ["sh", "-c", f"exec {command}"])
