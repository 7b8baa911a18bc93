"""A client of the Language Server Protocol, as far as going to a definition takes."""

import itertools
import subprocess
from pathlib import Path
from typing import Self

from dap import pack, read


class LanguageServer:
    """A server on standard input and output, for a folder. `settings` are what an editor answers when it asks for them."""

    def __init__(self, command: list[str], root: Path, settings: dict) -> None:
        self.process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.settings = settings
        self.numbers = itertools.count(1)
        self.diagnostics: dict[str, list[dict]] = {}
        folder = {"uri": root.as_uri(), "name": root.name}
        capabilities = {"workspace": {"configuration": True, "workspaceFolders": True}}
        self.request(
            "initialize",
            processId=None,
            rootUri=root.as_uri(),
            workspaceFolders=[folder],
            capabilities=capabilities,
        )
        self.send(method="initialized", params={})
        self.send(method="workspace/didChangeConfiguration", params={"settings": settings})

    def send(self, **message: object) -> None:
        self.process.stdin.write(pack({"jsonrpc": "2.0", **message}))
        self.process.stdin.flush()

    def read(self) -> dict:
        """Read a message, and answer it if it is a request."""
        assert self.process.stdout
        message = read(self.process.stdout)
        assert message, "the server has ended"
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            result: object = None
            if message["method"] == "workspace/configuration":
                result = [self.setting(item.get("section", "")) for item in message["params"]["items"]]
            self.send(id=message["id"], result=result)
        return message

    def setting(self, section: str) -> object:
        value: object = self.settings
        for name in section.split(".") if section else []:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def request(self, method: str, **params: object) -> object:
        number = next(self.numbers)
        self.send(id=number, method=method, params=params)
        while "method" in (message := self.read()) or message.get("id") != number:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, file: Path) -> None:
        document = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": file.read_text()}
        self.send(method="textDocument/didOpen", params={"textDocument": document})

    def definition(self, file: Path, text: str) -> str:
        """Return the file that defines the last name of `text`, as it first stands in an open file."""
        line, column = next(
            (number, line.index(text) + len(text) - 1)
            for number, line in enumerate(file.read_text().splitlines())
            if text in line
        )
        found = self.request(
            "textDocument/definition",
            textDocument={"uri": file.as_uri()},
            position={"line": line, "character": column},
        )
        assert isinstance(found, list) and found, f"no definition of {text}"
        return (found[0].get("uri") or found[0]["targetUri"]).removeprefix("file://")

    def errors(self, file: Path) -> list[str]:
        """Return the errors in an open file."""
        while file.as_uri() not in self.diagnostics:
            self.read()
        return [item["message"] for item in self.diagnostics[file.as_uri()] if item["severity"] == 1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()
