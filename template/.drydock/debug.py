"""Runs a command with the debugger in every Python process that it starts: debug MODE COMMAND [ARGUMENT...].

MODE is 1, wait (until an editor attaches), or once (the same, for a command beside the application). Others: no debugger.
Each process calls `start` while Python starts (see localdev.sh), and connects to a broker. The broker listens on port 5678,
and shows all processes to the editor as one session, so that a breakpoint outlives the process that a reload ends.
Protocol: https://microsoft.github.io/debug-adapter-protocol/specification
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

Message = dict[str, Any]
PORT = 5678
# In the processes' environment: the broker's port for them, and the mode
VARIABLE = "DRYDOCK_DEBUG"
# Python programs that are no part of the application
HELPERS = {"pip", "pre-commit", "watchfiles", "watchmedo"}


def say(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        print(f"Debugger: {text}", file=sys.stderr, flush=True)


def pack(message: Message) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def length_of(header: bytes) -> int:
    fields = dict(line.split(b": ") for line in header.lower().split(b"\r\n") if line)
    return int(fields[b"content-length"])


def ask(question: str, seconds: float | None = None, **arguments: object) -> Any:
    """Ask the broker, and return its answer; an error where no broker answers."""
    with socket.create_connection(("127.0.0.1", PORT), seconds) as connection:
        message = {"seq": 1, "command": question, "arguments": arguments}
        connection.sendall(pack({"type": "request", **message}))
        with connection.makefile("rb") as stream:
            header = stream.readline() + stream.readline()
            return json.loads(stream.read(length_of(header)))["body"]["answer"]


# --- In each process -----------------------------------------------------------------


def start() -> None:
    # In an environment with lib64, Python comes here twice
    global start
    start = lambda: None
    words = [os.path.basename(word) for word in sys.orig_argv[1:3] if word != "-m"]
    line = " ".join(sys.orig_argv)
    if HELPERS & set(words[:1]) or "multiprocessing.resource_tracker" in line:
        return
    os.register_at_fork(after_in_child=start_again)
    # This one only forks
    if "multiprocessing.forkserver" not in line:
        connect()


def start_again() -> None:
    """After a fork: the debugger's threads and its connection stayed in the parent."""
    if pydevd := sys.modules.get("pydevd"):
        pydevd.settrace_forked(setup_tracing=False)
    connect()


def connect() -> None:
    port, _, mode = os.environ.get(VARIABLE, "").partition(" ")
    if not port:
        return
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    try:
        import debugpy
        from debugpy.server import api

        if mode != "1" and not ask("met", port=int(port)):
            say(
                f"waits for an editor to attach to port {PORT} (on the host: DEBUG_PORT)"
            )
            ask("meet", port=int(port))
        # The children find the broker by themselves
        debugpy.configure(subProcess=False)
        debugpy.connect(("127.0.0.1", int(port)))
        # Until breakpoints are set, if there is an editor
        ask("settled", port=int(port), pid=os.getpid())
        vars(api).update(listen=ignore)
    except Exception as error:
        say(f"not in process {os.getpid()}, {sys.executable}: {error!r}")


def ignore(address: Any, **options: Any) -> Any:
    say("ignores debugpy.listen() of the application, which is being debugged already")
    return address


# --- The broker ----------------------------------------------------------------------

# Numbers that mean something in one process: the editor sees them with that process' own
IDS = {"frameId", "sourceReference", "targetId", "threadId", "variablesReference"}
WITH_ID = {"breakpoint", "breakpoints", "stackFrames", "targets", "threads"}
PROCESSES = 256
# Requests whose latest form each process gets
SETTINGS = {
    "setBreakpoints",
    "setDebuggerProperty",
    "setExceptionBreakpoints",
    "setFunctionBreakpoints",
    "setPydevdSourceMap",
}
# What `ask` asks
QUESTIONS = {"join", "met", "meet", "settled"}
CAPABILITIES: Message = dict.fromkeys(
    (
        "supportsClipboardContext",
        "supportsCompletionsRequest",
        "supportsConditionalBreakpoints",
        "supportsConfigurationDoneRequest",
        "supportsDebuggerProperties",
        "supportsDelayedStackTraceLoading",
        "supportsEvaluateForHovers",
        "supportsExceptionInfoRequest",
        "supportsExceptionOptions",
        "supportsFunctionBreakpoints",
        "supportsGotoTargetsRequest",
        "supportsHitConditionalBreakpoints",
        "supportsLogPoints",
        "supportsModulesRequest",
        "supportsSetExpression",
        "supportsSetVariable",
        "supportsStepInTargetsRequest",
        "supportsValueFormattingOptions",
    ),
    True,
)
CAPABILITIES["exceptionBreakpointFilters"] = [
    {"filter": "raised", "label": "Raised exceptions", "default": False},
    {"filter": "uncaught", "label": "Uncaught exceptions", "default": True},
    {"filter": "userUnhandled", "label": "Exceptions that reach library code"},
]


def outward(value: Any, number: int, key: str = "") -> Any:
    """A process' message as the editor sees it."""
    if isinstance(value, list):
        return [outward(item, number, key) for item in value]
    if isinstance(value, dict):
        own = {"id"} if key in WITH_ID else set()
        return {
            name: (
                # Variables and sources without a number have 0
                item * PROCESSES + number
                if name in IDS and item or name in own and isinstance(item, int)
                else outward(item, number, name)
            )
            for name, item in value.items()
        }
    return value


def inward(value: Any, found: set[int]) -> Any:
    """An editor's message as its process sees it. Adds the process' number to `found`."""
    if isinstance(value, list):
        return [inward(item, found) for item in value]
    if isinstance(value, dict):
        numbers = {name: value[name] for name in IDS & set(value) if value[name]}
        found |= {item % PROCESSES for item in numbers.values()}
        rest = {name: inward(item, found) for name, item in value.items()}
        return rest | {name: item // PROCESSES for name, item in numbers.items()}
    return value


class Connection:
    """Sends messages of its own numbering."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self.numbers = count(1)

    def send(self, **message: Any) -> int:
        number = next(self.numbers)
        self.writer.write(pack({"seq": number, **message}))
        return number


class Process(Connection):
    """A process of the application, which answers as a debug adapter would."""

    def __init__(self, writer: Any, started: int, command: "Command") -> None:
        super().__init__(writer)
        self.started = started
        self.number = started % PROCESSES
        self.command = command
        self.replies: dict[int, Callable[[Message], None]] = {}
        self.pid = 0
        self.settled = False
        self.threads: set[int] = set()
        self.stopped: set[int] = set()

    def request(
        self,
        command: str,
        arguments: Message | None = None,
        reply: Callable[[Message], None] | None = None,
    ) -> None:
        number = self.send(type="request", command=command, arguments=arguments or {})
        if reply:
            self.replies[number] = reply

    def meet(self, editor: "Editor") -> None:
        self.request("initialize", editor.initialize)
        self.request("attach", editor.attach)
        for command, arguments in editor.settings.values():
            self.request(command, arguments)
        if editor.ready:
            self.settle()

    def settle(self) -> None:
        def reply(response: Message) -> None:
            self.settled = True

        self.request("configurationDone", reply=reply)

    def go_on(self, ready: bool) -> None:
        if not ready:
            self.settle()
        self.request("disconnect")

    def event(self, message: Message) -> None:
        """Keep account of an event, and pass it on."""
        body = message.get("body", {})
        thread = body.get("threadId")
        match message["event"]:
            case "initialized" | "terminated" | "exited":
                return
            case "process":
                self.pid = body["systemProcessId"]
            case "thread" if body["reason"] == "started":
                self.threads.add(thread)
            case "thread":
                self.threads.discard(thread)
            case "stopped":
                self.stopped.add(thread)
            case "continued":
                self.stopped.clear()
        if editor := self.command.editor:
            editor.pass_on(self, message["event"], body)

    def ended(self) -> None:
        editor = self.command.editor
        for thread in self.stopped if editor else ():
            editor.pass_on(self, "continued", {"threadId": thread})
        for thread in self.threads if editor else ():
            editor.pass_on(self, "thread", {"threadId": thread, "reason": "exited"})
        for reply in list(self.replies.values()):
            reply({"success": False, "message": "the process has ended"})


class Command:
    """A command that was run with the debugger, and its processes."""

    def __init__(self, mode: str, pid: int) -> None:
        self.mode = mode
        self.pid = pid
        self.server: Any = None
        self.processes: list[Process] = []
        self.editor: Editor | None = None
        # Has an editor been there?
        self.met = False

    @property
    def port(self) -> int:
        return self.server.sockets[0].getsockname()[1]

    def ended(self) -> bool:
        return (
            self.mode == "once"
            and not self.processes
            and not os.path.exists(f"/proc/{self.pid}")
        )


class Editor(Connection):
    """A debug client, to which the broker is one adapter with one session."""

    def __init__(self, writer: Any) -> None:
        super().__init__(writer)
        self.initialize: Message = {"adapterID": "debugpy"}
        self.attach: Message = {}
        self.attach_request: Message = {}
        self.settings: dict[tuple[str, str], tuple[str, Message]] = {}
        self.commands: list[Command] = []
        self.ready = False
        self.delayed: list[Message] = []

    @property
    def processes(self) -> list[Process]:
        return [process for command in self.commands for process in command.processes]

    def respond(self, request: Message, body: Any = None, error: str = "") -> None:
        self.send(
            type="response",
            request_seq=request["seq"],
            command=request["command"],
            success=not error,
            **({"message": error} if error else {"body": body or {}}),
        )

    def pass_on(self, process: Process, event: str, body: Message) -> None:
        """Show an event of a process; not before the editor has been told that it is attached."""
        if event == "stopped" and len(self.processes) > 1:
            body = body | {"allThreadsStopped": False}
        body = outward(body, process.number)
        message = {"type": "event", "event": event, "body": body}
        if self.ready:
            self.send(**message)
        else:
            self.delayed.append(message)

    def take(self, commands: list[Command], request: Message) -> None:
        self.attach_request = request
        arguments = request.get("arguments") or {}
        for mapping in arguments.get("pathMappings") or []:
            # Such as /opt/venv/site-packages, which is the same for each version of Python
            mapping["remoteRoot"] = os.path.realpath(mapping["remoteRoot"])
        # A reload ends a process by an exit that nothing catches
        self.attach = {"breakOnSystemExit": [], **arguments}
        for command in commands:
            self.adopt(command)
        self.send(type="event", event="initialized")

    def adopt(self, command: Command) -> None:
        command.editor = self
        command.met = self.ready
        self.commands.append(command)
        for process in command.processes:
            process.meet(self)

    def leave(self) -> None:
        """Let all processes go on as if there had been no editor."""
        for process in self.processes:
            process.go_on(self.ready)
        for command in self.commands:
            command.editor = None
        self.commands = []

    def handle(self, request: Message) -> bool:
        """Answer a request, or have it answered by a process. Is it the last?"""
        name, arguments = request["command"], request.get("arguments") or {}
        if name == "initialize":
            self.initialize = arguments
            self.respond(request, CAPABILITIES)
        elif name == "configurationDone":
            for process in self.processes:
                process.settle()
            self.respond(request)
            self.respond(self.attach_request)
            self.ready = True
            for command in self.commands:
                command.met = True
            for message in self.delayed:
                self.send(**message)
        elif name in SETTINGS:
            path = arguments.get("source", {}).get("path", "")
            self.settings[name, path] = name, arguments
            self.ask_all(request, arguments, self.first)
        elif name == "threads":
            self.ask_all(request, arguments, self.all_threads)
        elif name in ("disconnect", "terminate"):
            self.leave()
            self.respond(request)
            return True
        else:
            self.ask_one(request, arguments)
        return False

    def ask_all(
        self, request: Message, arguments: Message, answer: Callable[..., None]
    ) -> None:
        asked = self.processes
        replies: list[tuple[Process, Message]] = []

        def reply(process: Process, response: Message) -> None:
            replies.append((process, response))
            if len(replies) == len(asked):
                answer(request, [pair for pair in replies if pair[1]["success"]])

        for process in asked:
            process.request(
                request["command"],
                inward(arguments, set()),
                partial(reply, process),
            )
        if not asked:
            answer(request, [])

    def first(self, request: Message, replies: list[tuple[Process, Message]]) -> None:
        """Answer as the newest process does. Without any: the next ones will do as they are told."""
        if replies:
            process, response = max(replies, key=lambda pair: pair[0].started)
            self.respond(request, outward(response.get("body"), process.number))
        else:
            lines = (request.get("arguments") or {}).get("breakpoints", [])
            verified = [{"verified": True, "line": item.get("line")} for item in lines]
            self.respond(request, {"breakpoints": verified})

    def all_threads(
        self, request: Message, replies: list[tuple[Process, Message]]
    ) -> None:
        threads = []
        for process, response in replies:
            for thread in outward(response["body"], process.number)["threads"]:
                if len(replies) > 1:
                    thread["name"] += f" of process {process.pid}"
                threads.append(thread)
        self.respond(request, {"threads": threads})

    def ask_one(self, request: Message, arguments: Message) -> None:
        found: set[int] = set()
        arguments = inward(arguments, found)
        able = [
            process
            for process in self.processes
            if not found or process.number in found
        ]
        if not able:
            self.respond(request, error="there is no such process any more")
            return
        process = max(able, key=lambda process: process.started)
        name = request["command"]
        if name in ("continue", "pause"):
            arguments["threadId"] = "*"

        def reply(response: Message) -> None:
            # Told to go on, a process may end before it answers
            if not response["success"] and name != "continue":
                self.respond(request, error=response.get("message") or "no answer")
                return
            body = outward(response.get("body") or {}, process.number)
            if name == "continue":
                body["allThreadsContinued"] = len(self.processes) == 1
                process.stopped.clear()
            self.respond(request, body)

        process.request(name, arguments, reply)


class Broker:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.joined = False
        self.processes = count(1)
        self.started = 0

    async def serve(self, listener: socket.socket) -> None:
        """Serve until the last command beside the application has ended. The application's own never does."""
        import asyncio

        await asyncio.start_server(self.serve_client, sock=listener)
        began = time.monotonic()
        warn = True
        while self.commands or not self.joined and time.monotonic() - began < 5:
            await asyncio.sleep(0.1)
            for command in [command for command in self.commands if command.ended()]:
                self.remove(command)
            if warn and time.monotonic() - began > 10:
                warn = False
                if not self.started:
                    say("no Python of /opt/venv runs yet, and no other can be debugged")

    async def serve_client(self, reader: Any, writer: Any) -> None:
        editor = Editor(writer)
        while request := await read(reader):
            if request["command"] in QUESTIONS:
                answer = await self.answer(
                    reader, request["command"], **request["arguments"]
                )
                editor.respond(request, {"answer": answer})
            elif request["command"] in ("attach", "launch"):
                import asyncio

                while not self.commands:
                    await asyncio.sleep(0.05)
                # What waits for an editor goes first
                free = [command for command in self.commands if not command.editor]
                first = [command for command in free if command.mode == "once"]
                if free and request["command"] == "attach":
                    editor.take(first or free, request)
                else:
                    error = "another editor is attached: detach that one first"
                    if free:
                        error = "the application runs: use the request attach"
                    say(error)
                    editor.respond(request, error=error)
            elif editor.handle(request):
                break
        editor.leave()
        writer.close()

    async def answer(self, reader: Any, question: str, **arguments: Any) -> int:
        import asyncio

        if question == "join":
            command = Command(**arguments)

            async def serve(reader: Any, writer: Any) -> None:
                await self.serve_process(command, reader, writer)

            command.server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self.commands.append(command)
            self.joined = True
            return command.port
        (command,) = (item for item in self.commands if item.port == arguments["port"])
        while question == "settled" and not reader.at_eof():
            for process in command.processes:
                if process.pid == arguments["pid"] and process.settled:
                    return True
            await asyncio.sleep(0.01)
        tenths = 0
        while question == "meet" and not command.met and not reader.at_eof():
            await asyncio.sleep(0.1)
            tenths += 1
            # An editor of its own would have come by now
            ready = [item.editor for item in self.commands if item.met and item.editor]
            if tenths > 30 and ready and not command.editor:
                ready[0].adopt(command)
        return command.met

    async def serve_process(self, command: Command, reader: Any, writer: Any) -> None:
        used = {item.number for other in self.commands for item in other.processes}
        self.started = next(n for n in self.processes if n % PROCESSES not in used)
        process = Process(writer, self.started, command)
        command.processes.append(process)
        if command.editor:
            process.meet(command.editor)
        else:
            process.meet(Editor(None))
            process.go_on(ready=False)
        while message := await read(reader):
            if message["type"] == "event":
                process.event(message)
            elif reply := process.replies.pop(message.get("request_seq", 0), None):
                reply(message)
        command.processes.remove(process)
        process.ended()
        writer.close()

    def remove(self, command: Command) -> None:
        self.commands.remove(command)
        command.server.close()
        if editor := command.editor:
            editor.commands.remove(command)
            if not editor.commands:
                editor.send(type="event", event="terminated")
                editor.writer.close()


async def read(reader: Any) -> Message | None:
    with suppress(EOFError, KeyError, OSError, ValueError):
        header = await reader.readuntil(b"\r\n\r\n")
        return json.loads(await reader.readexactly(length_of(header)))
    return None


# --- The command ---------------------------------------------------------------------


def start_broker(listener: socket.socket, quiet: bool) -> None:
    import asyncio

    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2) if quiet else (0, 1):
        os.dup2(nowhere, descriptor)
    asyncio.run(Broker().serve(listener))
    os._exit(0)


def join(mode: str) -> int:
    """Return the broker's port for a new command. The first command starts the broker."""
    with suppress(ConnectionRefusedError):
        return ask("join", 3, mode=mode, pid=os.getpid())
    with socket.create_server(("", PORT)) as listener:
        start_broker(listener, quiet=mode == "once")
    return ask("join", 3, mode=mode, pid=os.getpid())


def main(mode: str, *command: str) -> None:
    if mode == "ready":
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", PORT)).close()
                return
            time.sleep(0.05)
    if mode in ("1", "once", "wait"):
        try:
            os.environ[VARIABLE] = f"{join(mode)} {mode}"
        except (KeyError, OSError, ValueError):
            say(f"port {PORT} of the container is in use by another program")
            if mode == "once":
                sys.exit(1)
    elif mode.lower() not in ("0", "false", "no", "off"):
        say(f"DEBUG={mode} does not start it: type DEBUG=1, or DEBUG=wait")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
