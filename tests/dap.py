"""A debug client: speaks the Debug Adapter Protocol over TCP as an editor does. It has one session, and follows no child processes.

Protocol: https://microsoft.github.io/debug-adapter-protocol/specification
"""

import itertools
import json
import socket
import threading
from contextlib import suppress
from typing import IO, Self

Breakpoints = dict[str, list[int]]  # a file's path on the host -> its lines


def pack(message: dict) -> bytes:
    """Return a message as this protocol and that of language servers send it."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def read(stream: IO[bytes]) -> dict | None:
    """Return the next message; None at the end of the stream."""
    length = 0
    while header := stream.readline().strip():
        if header.lower().startswith(b"content-length"):
            length = int(header.split(b":")[1])
    return json.loads(stream.read(length)) if length else None


class Session:
    """One connection to the debugger. `arguments` are those of an attach request, as in launch.json."""

    def __init__(self, arguments: dict) -> None:
        connect = arguments["connect"]
        self.arguments = arguments
        self.socket = socket.create_connection((connect["host"], connect["port"]), timeout=60)
        self.numbers = itertools.count(1)
        self.messages: list[dict] = []
        self.arrived = threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        self.socket.settimeout(None)
        with self.socket.makefile("rb") as stream, suppress(OSError, ValueError):
            while message := read(stream):
                with self.arrived:
                    self.messages.append(message)
                    self.arrived.notify_all()

    def take(self, seconds: float = 30, **wanted: object) -> dict | None:
        """Remove and return the first message with these values; None where none comes in time."""

        def find() -> dict | None:
            return next((message for message in self.messages if wanted.items() <= message.items()), None)

        with self.arrived:
            message = self.arrived.wait_for(find, seconds)
            if message:
                self.messages.remove(message)
            return message

    def send(self, command: str, **arguments: object) -> int:
        """Send a request without waiting for its response; return its number."""
        number = next(self.numbers)
        self.socket.sendall(pack({"seq": number, "type": "request", "command": command, "arguments": arguments}))
        return number

    def response(self, number: int) -> dict:
        """Return the body of the response to a request; raise AssertionError where it failed or none came."""
        response = self.take(type="response", request_seq=number)
        assert response and response["success"], response
        return response.get("body", {})

    def request(self, command: str, **arguments: object) -> dict:
        return self.response(self.send(command, **arguments))

    def attach(self, breakpoints: Breakpoints) -> Self:
        self.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        attach = self.send("attach", **self.arguments)
        assert self.take(seconds=10, event="initialized"), f"no answer to attach: {self.messages}"
        for path, lines in breakpoints.items():
            self.request("setBreakpoints", source={"path": path}, breakpoints=[{"line": line} for line in lines])
        self.request("configurationDone")
        self.response(attach)
        return self

    def stopped(self, seconds: float = 60) -> int:
        """Return the thread that stops next; raise AssertionError where none does in time."""
        stop = self.take(seconds, type="event", event="stopped")
        assert stop, f"nothing stopped within {seconds} s: {self.messages}"
        return stop["body"]["threadId"]

    def frames(self, thread: int) -> list[dict]:
        return self.request("stackTrace", threadId=thread)["stackFrames"]

    def variables(self, frame: dict) -> dict[str, str]:
        """Return the local variables of a frame."""
        (scope, *_) = self.request("scopes", frameId=frame["id"])["scopes"]
        variables = self.request("variables", variablesReference=scope["variablesReference"])["variables"]
        return {variable["name"]: variable["value"] for variable in variables}

    def close(self) -> None:
        """Hang up, as an editor that is killed does."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
