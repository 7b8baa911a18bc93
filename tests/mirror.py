"""A mirror of PyPI, Debian and python-build-standalone, behind TLS and, but for Debian's, a password: mirror.py CERTIFICATE KEY PASSWORD.

Run in a container. Prints a line for each request: STATUS PATH BYTES. An index is at /simple, and at /simple-ANYTHING.
"""

import base64
import socket
import ssl
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM = {
    "simple": "https://pypi.org/simple",
    "files": "https://files.pythonhosted.org",
    "debian": "http://deb.debian.org/debian",
    "debian-security": "http://deb.debian.org/debian-security",
}


@cache
def ask_once(*question):
    return ask(*question)


# Networks fail at times, names first
ask, socket.getaddrinfo = socket.getaddrinfo, ask_once


def fetch(url: str) -> tuple[bytes, str]:
    """Return what is at a URL, and its type; try again where nobody answers."""
    for timeout in (10, 20, 60):
        with suppress(TimeoutError, urllib.error.URLError):
            try:
                with urllib.request.urlopen(url, timeout=timeout) as response:
                    return response.read(), response.headers.get("Content-Type", "application/octet-stream")
            except urllib.error.HTTPError as error:
                with error:
                    raise FileNotFoundError(url) from None
    raise ConnectionError(url)


class Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    expected = ""

    def do_GET(self) -> None:
        top, _, rest = self.path.lstrip("/").partition("/")
        if not top.startswith("debian") and self.headers.get("Authorization") != self.expected:
            return self.answer(401, b"", "text/plain")
        upstream = UPSTREAM["simple"] if top.startswith("simple-") else UPSTREAM.get(top)
        if not upstream:
            return self.answer(404, b"", "text/plain")
        try:
            body, kind = fetch(f"{upstream}/{rest}")
        except FileNotFoundError:
            return self.answer(404, b"", "text/plain")
        if top.startswith("simple"):
            body = body.replace(b"https://files.pythonhosted.org", b"/files")
        self.answer(200, body, kind)

    do_HEAD = do_GET

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        elif not self.path.startswith("/debian"):
            # As PyPI does
            self.send_header(
                "Cache-Control",
                "max-age=600, public" if self.path.startswith("/simple") else "max-age=365000000, immutable, public",
            )
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        print(status, self.path, len(body) if self.command == "GET" else 0, flush=True)

    def log_message(self, *_: object) -> None:
        """Say nothing: answer() does."""


class Server(ThreadingHTTPServer):
    """Greets each client in a thread of its own, so that a slow one keeps no other waiting."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def finish_request(self, request, client_address) -> None:
        with self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)


if __name__ == "__main__":
    certificate, key, password = sys.argv[1:]
    Mirror.expected = "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
    Server.context.load_cert_chain(certificate, key)
    server = Server(("", 8443), Mirror)
    print("ready", flush=True)
    server.serve_forever()
