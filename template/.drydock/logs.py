"""Collects what the containers say in /data/logs, one file a service, rotated.

The engine's `splunk` log driver posts it here. It is the one driver of Docker's that loses nothing: neither while this one is
away, for it waits, nor a container's last words, nor a burst.
"""

import json
import logging
import re
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from logging.handlers import RotatingFileHandler
from pathlib import Path

FOLDER = Path("/data/logs")


@cache
def log_of(service: str) -> logging.Logger:
    logger = logging.getLogger(service)
    logger.setLevel(logging.INFO)
    logger.addHandler(RotatingFileHandler(FOLDER / f"{service}.log", maxBytes=10_000_000, backupCount=3))
    return logger


def events(text: str) -> Iterator[dict]:
    """Yield the JSON objects that stand one after the other in `text`."""
    decoder = json.JSONDecoder()
    end = 0
    while end < len(text):
        event, end = decoder.raw_decode(text, end)
        yield event


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        for event in events(self.rfile.read(int(self.headers["Content-Length"])).decode()):
            said = event["event"]
            service = re.sub(r"[^\w.-]", "_", said["attrs"]["com.docker.compose.service"])
            when = datetime.fromtimestamp(float(event["time"]), UTC).isoformat(timespec="milliseconds")
            log_of(service).info("%s %s", when, said["line"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing: this container's own words are collected too."""


FOLDER.mkdir(exist_ok=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
ThreadingHTTPServer(("", 8088), Handler).serve_forever()
