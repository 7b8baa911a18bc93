"""An emitted project, driven from the outside as its owner would."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The first user of most machines, whom a plain `docker compose up` takes its user to be
FIRST_USER = 1000

# What is in PATH is the oldest Compose that is tested. Newer ones need a newer buildx, which tests/engine/check-engine brings
PLUGINS = Path("/opt/check-engine/sid/usr/libexec/docker/cli-plugins")
NEWER_COMPOSES = {
    version: file
    for version, file in {
        "2.40": PLUGINS / "docker-compose",
        "5": Path(sys.executable).with_name("docker-compose"),
    }.items()
    if file.exists()
}


def engine_answers() -> bool:
    """Tell whether a Docker engine with Compose answers."""
    if not shutil.which("docker"):
        return False
    return all(
        subprocess.run(["docker", *words], capture_output=True).returncode == 0
        for words in (["info"], ["compose", "version"])
    )


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def defaults(path: Path) -> dict[str, str]:
    """Return the settings that .env may change, with the defaults that an emitted project's Compose files have."""
    text = "".join(file.read_text() for file in [path / "compose.yaml", *path.glob("include/*.yaml")])
    return dict(re.findall(r"\$\{([A-Z][A-Z0-9_]*):-([^${}]*)", text))


class Project:
    """An emitted project in `path`, started on free ports of 127.0.0.1.

    Its files belong to user 1000 where the tests run as root, so that it works as on the machine of an ordinary user.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ports = {key: free_port() for key in defaults(path) if key.endswith("PORT")}
        self.images: list[str] = []
        self.env = os.environ | {key: str(port) for key, port in self.ports.items()}
        if os.getuid():
            self.env |= {"HOST_UID": str(os.getuid()), "HOST_GID": str(os.getgid())}
        else:
            self.give_to(FIRST_USER)

    def give_to(self, user: int) -> None:
        """Make `user` (a uid, its gid the same) the owner of every file. Needs root."""
        subprocess.run(["chown", "-R", f"{user}:{user}", self.path], check=True)

    def run(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder; where it fails, show what it said."""
        options = {"cwd": self.path, "env": self.env, "stdin": subprocess.DEVNULL, "timeout": 600, **options}
        if "input" in options:
            del options["stdin"]
        result = subprocess.run(command, text=True, capture_output=True, **options)
        if check and result.returncode:
            raise AssertionError(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}"[-8000:])
        return result

    def compose(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        return self.run("docker", "compose", *arguments, **options)

    def sh(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.path / "sh"), *arguments, **options)

    def up(self) -> None:
        """Start it as the README says."""
        try:
            self.compose("up", "--build", "--wait")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.compose('logs', check=False).stdout}"[-12000:]) from None

    def as_user(self, user: int = FIRST_USER, compose: str | None = None) -> dict:
        """Give every file to `user`, and return the options with which `run` is theirs: a home, and the engine within reach.

        `compose` is a key of NEWER_COMPOSES, whose Compose their `docker` then has. Where the tests do not run as root, it is
        their own user all the same.
        """
        home = self.path.with_name(f"{self.path.name}-home-{user}-{compose}")
        plugins = home / ".docker/cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        if compose:
            shutil.copy(NEWER_COMPOSES[compose], plugins / "docker-compose")
            shutil.copy(PLUGINS / "docker-buildx", plugins)
        if os.getuid():
            return {"env": self.env | {"HOME": str(home)}}
        self.give_to(user)
        subprocess.run(["chown", "-R", f"{user}:{user}", home], check=True)
        env = {key: value for key, value in self.env.items() if key not in ("HOST_UID", "HOST_GID")}
        return {
            "user": user,
            "group": user,
            "extra_groups": [os.stat("/var/run/docker.sock").st_gid],
            "env": env | {"HOME": str(home)},
        }

    @contextmanager
    def in_background(self, *command: str, **options: Any) -> Iterator[Path]:
        """Run a command beside the test, yield the file that all it says goes into, and end it by Ctrl-C."""
        log = self.path.with_name(f"{self.path.name}-background.log")
        with log.open("w") as output:
            options = {"cwd": self.path, "env": self.env, "stdin": subprocess.DEVNULL, **options}
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
            try:
                yield log
                assert process.poll() is None, "it ended by itself"
            except AssertionError as error:
                raise AssertionError(f"{error}\n{log.read_text()}"[-12000:]) from None
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(60)

    def build(self, *arguments: str, **options) -> tuple[str, subprocess.CompletedProcess[str]]:
        """Build the production image by a plain `docker build`; return its tag, and what happened."""
        tag = f"{self.path.name}:{len(self.images)}"
        self.images.append(tag)
        return tag, self.run("docker", "build", *arguments, "-t", tag, ".", **options)

    def share_no_layers(self) -> None:
        """Let builds of no other project have made the layers of this one.

        Two builds that need the same layer at the same time may each make one, and a later build may take either.
        """
        for file in (self.path / "build.sh", self.path / ".drydock/build/system.sh"):
            file.write_text(file.read_text().replace("set -eu", f"# {uuid.uuid4().hex}\nset -eu"))

    @contextmanager
    def container(self, *arguments: str) -> Iterator[str]:
        """Run a container beside Compose's (`docker run` with these arguments), yield its name, and remove it."""
        name = f"{self.path.name}-beside"
        self.run("docker", "run", "--rm", "--detach", "--name", name, *arguments)
        try:
            yield name
        finally:
            self.run("docker", "rm", "--force", "--volumes", name, check=False)

    def address(self, container: str, port: int) -> str:
        """Return the address of a container on the engine's own network, once it answers on that port."""
        host = self.run(
            "docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
        ).stdout.strip()

        def answers() -> bool:
            with socket.create_connection((host, port), timeout=5):
                return True

        eventually(answers, bool, seconds=120)
        return host

    def get(self, path: str = "/", port: str = "PORT", timeout: float = 10) -> str:
        """Return what http://127.0.0.1 answers on the port of that key, whatever the status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=timeout) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    def set_env(self, **values: str) -> None:
        """Write settings into .env, each in place of the line that has it already, commented out or not."""
        env = self.path / ".env"
        lines = env.read_text().splitlines() if env.exists() else []
        for key, value in values.items():
            numbers = [number for number, line in enumerate(lines) if re.match(rf"(# )?{key}=", line)]
            lines[slice(numbers[0], numbers[0] + 1) if numbers else slice(len(lines), None)] = [f"{key}={value}"]
        env.write_text("\n".join(lines) + "\n")

    def write_sections(self, **commands: str) -> None:
        """Write the sections of build.sh (run, build, dev), below what the template puts above them."""
        script = self.path / "build.sh"
        prologue = script.read_text().split("## run:")[0]
        script.write_text(
            prologue + "".join(f"## {name}:\n{commands.get(name, '')}\n\n" for name in ("run", "build", "dev"))
        )

    def leftovers(self) -> list[str]:
        """Return the engine's containers, networks and volumes that belong to this project."""
        label = f"label=com.docker.compose.project={self.path.name}"
        kinds = {"container": ["ls", "--all"], "network": ["ls"], "volume": ["ls"]}
        return [
            f"{kind} {name}"
            for kind, words in kinds.items()
            for name in self.run("docker", kind, *words, "--quiet", "--filter", label).stdout.split()
        ]

    def remove(self) -> None:
        """Remove all that the project left on the engine, and its files."""
        self.compose(
            "--profile", "*", "down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "3", check=False
        )
        if self.images:
            # Without the classic builder's untagged parents: another build may go on from them at this moment
            self.run("docker", "rmi", "--force", "--no-prune", *self.images, check=False)
        assert not self.leftovers()
        shutil.rmtree(self.path, ignore_errors=True)


def eventually(look, wanted, seconds: float = 30, pause: float = 0.1):
    """Return what `look` returns as soon as `wanted` holds for it; after `seconds`, fail and show the last."""
    end = time.monotonic() + seconds
    while True:
        try:
            seen = look()
            if wanted(seen):
                return seen
        except (OSError, http.client.HTTPException, AssertionError) as error:
            seen = repr(error)
        if time.monotonic() > end:
            raise AssertionError(f"not seen within {seconds} s; last: {seen}")
        time.sleep(pause)
