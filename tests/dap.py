"""A debug client: speaks the Debug Adapter Protocol over TCP as an editor does, child processes included.

Protocol: https://microsoft.github.io/debug-adapter-protocol/specification
"""

import itertools
import json
import queue
import socket
import threading


class Session:
    """One connection to debugpy, attached with the arguments of a launch.json entry.

    `arguments` are those of the attach request. Events that no one has waited for yet are kept in order.
    """

    def __init__(self, arguments: dict) -> None:
        connect = arguments["connect"]
        self.arguments = arguments
        self.socket = socket.create_connection((connect["host"], connect["port"]), timeout=30)
        self.stream = self.socket.makefile("rb")
        self.numbers = itertools.count(1)
        self.responses: queue.Queue[dict] = queue.Queue()
        self.events: queue.Queue[dict] = queue.Queue()
        self.closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while header := self.stream.readline():
                length = int(header.split(b":")[1])
                self.stream.readline()
                message = json.loads(self.stream.read(length))
                if message["type"] == "response":
                    self.responses.put(message)
                elif message["type"] == "event":
                    self.events.put(message)
        except (OSError, ValueError):
            if not self.closed:
                raise

    def send(self, command: str, **arguments) -> int:
        """Send a request without waiting for its response; return its number."""
        number = next(self.numbers)
        body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return number

    def request(self, command: str, **arguments) -> dict:
        """Send a request and return the body of its response; raise AssertionError where it failed."""
        return self.response(self.send(command, **arguments))

    def response(self, number: int) -> dict:
        while True:
            response = self.responses.get(timeout=30)
            if response["request_seq"] == number:
                assert response["success"], response
                return response.get("body", {})

    def event(self, name: str, seconds: float = 30) -> dict:
        """Return the body of the next event of this name; raise queue.Empty where none comes."""
        while True:
            event = self.events.get(timeout=seconds)
            if event["event"] == name:
                return event.get("body", {})

    def attach(self, breakpoints: dict[str, list[int]]) -> "Session":
        """Attach with breakpoints set: a file's path on the host -> its lines."""
        self.request("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        attach = self.send("attach", **self.arguments)
        self.event("initialized")
        for path, lines in breakpoints.items():
            self.request("setBreakpoints", source={"path": path}, breakpoints=[{"line": line} for line in lines])
        self.request("configurationDone")
        self.response(attach)
        return self

    def child(self, breakpoints: dict[str, list[int]]) -> "Session":
        """Attach to the next child process that debugpy announces, as VS Code does, with the same breakpoints."""
        return Session(self.event("debugpyAttach")).attach(breakpoints)

    def stopped(self) -> dict | None:
        """Return the body of the next `stopped` event if it is there already, else None."""
        try:
            return self.event("stopped", seconds=0.05)
        except queue.Empty:
            return None

    def frame(self, thread: int) -> dict:
        """Return the top frame of a stopped thread."""
        return self.request("stackTrace", threadId=thread)["stackFrames"][0]

    def close(self) -> None:
        self.closed = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
