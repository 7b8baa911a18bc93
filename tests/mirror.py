"""A mirror of PyPI, Debian and python-build-standalone, behind TLS and, but for Debian's, a password: mirror.py CERTIFICATE KEY PASSWORD.

Run in a container. Prints a line for each request: STATUS PATH.
"""

import base64
import ssl
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM = {
    "simple": "https://pypi.org/simple",
    "files": "https://files.pythonhosted.org",
    "debian": "http://deb.debian.org/debian",
    "debian-security": "http://deb.debian.org/debian-security",
}


class Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    expected = ""

    def do_GET(self) -> None:
        top, _, rest = self.path.lstrip("/").partition("/")
        if not top.startswith("debian") and self.headers.get("Authorization") != self.expected:
            return self.answer(401, b"", "text/plain")
        if top not in UPSTREAM:
            return self.answer(404, b"", "text/plain")
        try:
            with urllib.request.urlopen(f"{UPSTREAM[top]}/{rest}", timeout=60) as response:
                body, kind = response.read(), response.headers.get("Content-Type", "application/octet-stream")
        except urllib.error.HTTPError as error:
            with error:
                return self.answer(error.code, b"", "text/plain")
        if top == "simple":
            body = body.replace(b"https://files.pythonhosted.org", b"/files")
        self.answer(200, body, kind)

    do_HEAD = do_GET

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        print(status, self.path, flush=True)

    def log_message(self, *_: object) -> None:
        """Say nothing: answer() does."""


if __name__ == "__main__":
    certificate, key, password = sys.argv[1:]
    Mirror.expected = "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
    server = ThreadingHTTPServer(("", 8443), Mirror)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()
