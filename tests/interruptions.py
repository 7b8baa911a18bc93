"""Data commands of an emitted project that are interrupted at random moments, under writes to its postgres and redis.

After each interruption, what a user would do next is done, and data/ must be as it was or as the command would have it: both
databases and the files beside them, with every write that was acknowledged.
"""

import os
import pty
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace

from project import Project, eventually

SIGNALS = ("INT", "HUP", "TERM", "KILL")
KINDS = (
    *(f"{name} of the {target}" for target in ("script", "group") for name in SIGNALS),
    "Ctrl-C",
    "closed terminal",
    *(f"{name} of the container" for name in ("TERM", "KILL")),
    "KILL of the client",
    "KILL of container and group",
    *(
        f"{first} beside {second}"
        for first in ("snapshot", "restore", "reset")
        for second in ("snapshot", "restore", "reset")
    ),
)
# Beginning with a dash, and with a newline in it
ODD_NAME = "-n\nodd"


@dataclass(frozen=True)
class State:
    """What is in data/. A name says which state it is, in each of four places."""

    names: frozenset = frozenset([None])
    rows: frozenset = frozenset()
    count: int = 0


@dataclass
class Writers:
    """Write into postgres and redis until they stop answering."""

    project: Project
    base: State
    rows: set = field(default_factory=set)
    maybe: set = field(default_factory=set)
    count: int = 0
    broken: int = 0

    def postgres(self) -> None:
        command = ["docker", "exec", "--interactive", f"{self.project.path.name}-postgres-1", "psql", "-qtA"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as psql:
            try:
                psql.stdin.write("CREATE TABLE IF NOT EXISTS rows (number int);\n")
                for number in range(max(self.base.rows, default=0) + 1, 1 << 30):
                    if self.ended.is_set():
                        break
                    self.maybe.add(number)
                    psql.stdin.write(f"INSERT INTO rows VALUES ({number}) RETURNING number;\n")
                    psql.stdin.flush()
                    if psql.stdout.readline().strip() != str(number):
                        raise OSError
                    self.rows.add(number)
                psql.stdin.close()
            except OSError:
                self.broken += 1
                psql.kill()

    def redis(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.project.ports["REDIS_PORT"]), timeout=60) as connection:
                answers = connection.makefile("rb")
                connection.sendall(b"AUTH development\r\n")
                answers.readline()
                while not self.ended.is_set():
                    connection.sendall(b"INCR count\r\n")
                    if not (answer := answers.readline()).startswith(b":"):
                        raise OSError
                    self.count = int(answer[1:])
                    time.sleep(0.005)
        except OSError:
            self.broken += 1

    def __enter__(self) -> "Writers":
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=write) for write in (self.postgres, self.redis)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


class Command:
    """One ./sh --snapshot, --restore or --reset, on a terminal or not."""

    def __init__(self, project: Project, *words: str, terminal: bool = False) -> None:
        self.project, self.action, self.name = project, words[0].strip("-"), words[-1]
        command = [str(project.path / "sh"), *words, "--yes"]
        self.terminal: int | None = None
        if terminal:
            self.pid, self.terminal = pty.fork()
            if not self.pid:
                os.chdir(project.path)
                os.execve(command[0], command, project.env)
            return
        self.log = project.path.with_name(f"{project.path.name}-{time.monotonic_ns()}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=project.path,
                env=project.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def interrupt(self, kind: str) -> None:
        name, _, target = kind.partition(" of ")
        target = target.removeprefix("the ")
        if kind == "Ctrl-C":
            os.write(self.terminal, b"\x03")  # type: ignore[arg-type] # it is on one
        elif kind == "closed terminal":
            os.close(self.terminal)  # type: ignore[arg-type] # it is on one
            self.terminal = -1
        elif target == "client":
            for pid in self.project.run(
                "pgrep", "--full", f"drydock.data={self.project.path}", check=False
            ).stdout.split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        if "container" in target:
            label = f"label=drydock.data={self.project.path}"
            containers = self.project.run("docker", "ps", "--quiet", "--filter", label).stdout.split()
            if containers:
                self.project.run("docker", "kill", "--signal", name, *containers, check=False)
        if target == "script":
            os.kill(self.pid, getattr(signal, f"SIG{name}"))
        elif target.endswith("group"):
            os.killpg(self.pid, getattr(signal, f"SIG{name}"))

    def wait(self) -> str:
        """Return all that it said."""
        if self.terminal is None:
            self.process.wait(300)
            said = self.log.read_text()
            self.log.unlink()
            return said
        parts = b""
        if self.terminal >= 0:
            with suppress(OSError):
                while part := os.read(self.terminal, 4096):
                    parts += part
            os.close(self.terminal)
        os.waitpid(self.pid, 0)
        return parts.decode()


class Rounds:
    """One project, and what its data/ should be."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)
        self.counts: Counter = Counter()
        self.kept: dict[str, State] = {}
        self.data = project.path / "data"

    def redis(self, *words: str) -> str:
        return self.project.sh("-s", "redis", "redis-cli", *words).stdout.strip()

    def sql(self, text: str) -> list[str]:
        return self.project.sh("-s", "postgres", "psql", "-qtAc", text).stdout.split()

    def look(self) -> State:
        has = self.sql(
            "SELECT coalesce(to_regclass(name)::text, '') FROM (VALUES ('state'), ('rows')) AS tables (name)"
        )
        names = {
            next(iter(self.sql("SELECT name FROM state")), None) if "state" in has else None,
            self.redis("GET", "state") or None,
            *(
                file.read_text() if file.exists() else None
                for file in (self.data / ODD_NAME, self.data / "up loads/state")
            ),
        }
        rows = self.sql("SELECT number FROM rows") if "rows" in has else []
        return State(frozenset(names), frozenset(map(int, rows)), int(self.redis("GET", "count") or 0))

    def keep(self, name: str) -> None:
        """Make a state, and a snapshot of it."""
        self.sql(
            f"CREATE TABLE IF NOT EXISTS state (name text); DELETE FROM state; INSERT INTO state VALUES ('{name}')"
        )
        self.redis("SET", "state", name)
        (self.data / "up loads").mkdir(exist_ok=True)
        for file in (self.data / ODD_NAME, self.data / "up loads/state"):
            file.write_text(name)
        with Writers(self.project, State()):
            time.sleep(1)
        self.project.sh("--snapshot", name)
        self.kept[name] = self.look()

    def up(self) -> None:
        """Do what a user would after a command that was killed: `docker compose up`, and what that says."""
        end = time.monotonic() + 120
        while (result := self.project.compose("up", "--wait", "redis", "postgres", check=False)).returncode:
            said = self.project.compose(
                "logs", "--no-log-prefix", "--tail", "3", "postgres", "redis", check=False
            ).stdout
            if "cut off half-way. Type ./sh --finish" in said:
                self.counts["told ./sh --finish"] += 1
                self.project.sh("--finish")
            elif time.monotonic() > end:
                raise AssertionError(f"{result.stderr}\n{said}")

    def words(self, action: str, was: State) -> list[str]:
        if action == "restore":
            return ["--restore", self.random.choice([name for name in self.kept if {name} != was.names])]
        if action == "snapshot":
            return ["--snapshot", self.random.choice(["again", f"s{self.counts['tried']}"])]
        return ["--reset", *self.random.choice([[], ["redis"]])]

    def after(self, words: list[str], was: State) -> State:
        """Return the state that a command leads to."""
        match words:
            case ["--restore", name]:
                return self.kept[name]
            case ["--reset"]:
                return State()
            case ["--reset", "redis"]:
                return replace(was, names=was.names | {None}, count=0)
        return was

    def round(self, kind: str, longest: float) -> None:
        """Interrupt one command, and count what came of it."""
        self.counts["tried"] += 1
        was = self.look()
        first, _, second = kind.partition(" beside ")
        words = [self.words(first if second else self.random.choice(["snapshot", "restore", "reset"]), was)]
        moment = self.random.uniform(0, longest)
        snapshots = {file.name: file.stat() for file in (self.data / "snapshots").iterdir()}
        with Writers(self.project, was) as writers:
            commands = [Command(self.project, *words[0], terminal=kind in ("Ctrl-C", "closed terminal"))]
            time.sleep(moment)
            if second:
                words.append(self.words(second, was))
                if words[1] == words[0] and second == "snapshot":
                    words[1] = ["--snapshot", "other"]
                commands.append(Command(self.project, *words[1]))
            else:
                commands[0].interrupt(kind)
            said = [command.wait() for command in commands]
            if "KILL" in kind and "script" in kind or "group" in kind or "closed" in kind:
                self.up()
        about = f"{kind} {moment:.2f} s into {words}: {said}"
        up = self.project.compose("ps", "--services", "--status", "running").stdout.split()
        assert {"postgres", "redis"} <= set(up), f"services are down: {about}"
        eventually(self.look, bool, 60)
        now = self.look()
        self.counts.update(
            f"{each[0]} {({True: 'done', False: 'undone', None: 'silent'})[is_done(text)]}"
            for each, text in zip(words, said)
        )
        self.check_state(about, was, now, words, said, writers)
        self.check_snapshots(about, now, words, said, snapshots)
        # Where nothing of it was left to clean up, the next command does
        if kind != "KILL of container and group":
            assert not [*self.data.rglob(".drydock-*"), *self.data.rglob(".part")], about

    def check_state(self, about: str, was: State, now: State, words: list, said: list, writers: Writers) -> None:
        written = replace(was, rows=was.rows | writers.rows, count=max(was.count, writers.count))
        done = [is_done(text) for text in said]
        # Where it could not speak, it may have ended either way; two may have followed each other in either order
        possible = [written] if not all(done) or len(words) == 1 and done[0] is not True else []
        orders = (
            [words, words[::-1]]
            if len(words) == 2 and all(done)
            else [[each] for each, ended in zip(words, done) if ended is not False]
        )
        for order in orders:
            state = written
            for each in order:
                state = self.after(each, state)
            possible.append(state)
        if len(words) == 1 and done[0] is True:
            possible = possible[-1:]
        if len(words) == 2 and any(done):
            possible = [state for state in possible if state is not written] or [written]
        for state in possible:
            more = now.rows - state.rows
            if (
                now.names == state.names
                and state.rows <= now.rows
                and more <= writers.maybe
                and state.count <= now.count <= state.count + 1
            ):
                if state.rows == written.rows or (not more and writers.broken):
                    return
        problem = "mixed" if now.names not in [state.names for state in possible] else "lost"
        raise AssertionError(
            f"{problem}: {about}\nnow {short(now)}\npossible {[short(state) for state in possible]}\nwritten {short(written)}"
        )

    def check_snapshots(self, about: str, now: State, words: list, said: list, before: dict) -> None:
        folder = self.data / "snapshots"
        after = {file.name: file.stat() for file in folder.iterdir()}
        for each, text in zip(words, said):
            if each[0] != "--snapshot":
                continue
            file = f"{each[1]}.tar.gz"
            made = file in after and (file not in before or after[file].st_ino != before[file].st_ino)
            assert is_done(text) in (None, made), f"made: {made}, {about}"
            if made and len(words) == 1:
                self.project.sh("--restore", each[1], "--yes")
                again = self.look()
                assert again == now, f"snapshot of {short(again)}, not {short(now)}: {about}"
                self.counts["snapshots compared"] += 1
            if each[1] != "again" and file in after:
                (folder / file).unlink()


def is_done(said: str) -> bool | None:
    """Tell whether a command said that it is done, or that it is not, or neither."""
    if any(words in said for words in ("data/ is as in ", "data/ is empty", "data/ of redis is empty", ".tar.gz: ")):
        return True
    if any(words in said for words in ("Nothing was changed", "is under way")):
        return False
    return None


def short(state: State) -> str:
    return f"{set(state.names)} {len(state.rows)} rows, count {state.count}"


def interrupt(project: Project, rounds: int, seed: int) -> Counter:
    """Interrupt commands of a started project in every way, `rounds` times; return what was counted, or fail and say the seed."""
    game = Rounds(project, seed)
    for name in ("one", "two"):
        game.keep(name)
    began = time.monotonic()
    project.sh("--restore", "one", "--yes")
    longest = time.monotonic() - began
    kinds = list(KINDS) * (rounds // len(KINDS) + 1)
    game.random.shuffle(kinds)
    for kind in kinds[:rounds]:
        try:
            game.round(kind, longest)
        except Exception as error:
            raise AssertionError(f"seed {seed}, round {game.counts['tried']}: {error}") from error
    return game.counts
