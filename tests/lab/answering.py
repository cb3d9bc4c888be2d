"""A tiny HTTP server that answers as a test tells it to, also badly."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request: its path, its query, its headers (names in lower case), how it is made, and what it brings."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass
class Answering:
    """``say`` decides; ``asked`` remembers."""

    url: str
    say: Callable[[Asked], Any]
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Raw:
    """Bytes that go out as they are, one piece each ``every`` seconds, until they or the test end."""

    def __init__(self, *pieces: bytes, every: float = 0.0, hang: bool = False) -> None:
        self.pieces = pieces
        self.every = every
        self.hang = hang


def page(status: int, body: str, kind: str = "text/plain", **headers: str) -> Raw:
    """A whole answer."""
    lines = {"Content-Type": kind, "Content-Length": str(len(body.encode())), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return Raw(f"HTTP/1.1 {status} Said\r\n{head}\r\n{body}".encode())


@contextmanager
def answering(say: Callable[[Asked], Any], tls: ssl.SSLContext | None = None) -> Iterator[Answering]:
    """``say`` returns JSON, or ``Raw``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    server.lab = Answering(url, say)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.lab
    finally:
        server.lab.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    lab: Answering

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        lab = self.server.lab
        names = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(names.get("content-length", 0)))
        seen = Asked(parts.path, parse_qs(parts.query), names, self.command, body)
        lab.asked.append(seen)
        answer = lab.say(seen)
        raw = answer if isinstance(answer, Raw) else page(200, json.dumps(answer), "application/json")
        with suppress(OSError):
            for piece in raw.pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                if lab.over.wait(raw.every) if raw.every else False:
                    return
            if raw.hang:
                lab.over.wait(20)
        self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  these names are asked for

    def log_message(self, *_: object) -> None:
        pass


def took(act: Callable[[], Any]) -> float:
    """Seconds."""
    began = time.monotonic()
    act()
    return time.monotonic() - began
