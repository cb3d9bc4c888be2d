"""A small reverse proxy on this machine, in front of a server that works, with which something can be wrong.

    with faulty(lab.url) as proxy:
        proxy.fault = FAULTS["500"]      # from the request on that is number `proxy.at`
        …                                # ask at proxy.url instead of lab.url

A fault is made of the real exchange: the server is asked, and then its answer is cut off, altered or replaced. What is
answered instead quotes everything that was asked, tokens and addresses too, as bad servers do.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

SKEW = timedelta(minutes=10)
"""By so much their clock is ahead."""


class Good(NamedTuple):
    """A whole answer, and everything that it was asked with."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: str


class Bad(NamedTuple):
    """What goes out in its place: pieces, one each ``every`` seconds, then silence or a reset."""

    pieces: Any
    every: float = 0.0
    hang: bool = False
    reset: bool = False


Fault = Callable[[Good], Bad]


def _whole(good: Good, body: bytes, status: int | None = None, **headers: str) -> Bad:
    kept = {name: value for name, value in good.headers.items() if name.lower() not in ("content-length", "connection")}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    over = {name.lower() for name in given}
    kept = {name: value for name, value in kept.items() if name.lower() not in over}
    lines = {**kept, **given, "Content-Length": str(len(body)), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Bad([f"HTTP/1.1 {good.status if status is None else status} Said\r\n{head}\r\n".encode() + body])


def as_it_is(good: Good) -> Bad:
    """No fault."""
    return _whole(good, good.body)


def reset_midway(good: Good) -> Bad:
    """Half of the answer comes, then the connection is reset."""
    (whole,) = as_it_is(good).pieces
    return Bad([whole[: len(whole) - len(good.body) + len(good.body) // 2]], reset=True)


def hangs(good: Good) -> Bad:
    """The request is taken, and nothing is answered."""
    return Bad([], hang=True)


def drips(good: Good) -> Bad:
    """It answers, a letter at a time, for ever."""
    head = b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    return Bad((piece for part in ([head], repeat(b" ")) for piece in part), every=0.05)


def answers(status: int, **headers: str) -> Fault:
    """A refusal that says all it was asked."""

    def made(good: Good) -> Bad:
        said = {"error": good.asked, "message": good.asked, "detail": good.asked, "errors": [good.asked]}
        return _whole(good, json.dumps(said).encode(), status, Content_Type="application/json", **headers)

    return made


def html(good: Good) -> Bad:
    """A page to log in, in place of what was asked for."""
    text = f"<html><title>Log in</title><p>{good.asked}</p></html>"
    return _whole(good, text.encode(), 200, Content_Type="text/html")


def another_shape(good: Good) -> Bad:
    """JSON in which everything is of another type."""
    found = _json(good)
    bad = {**_twisted(found), "said": good.asked} if found else [good.asked]
    return _whole(good, json.dumps(bad).encode(), 200)


def nothing(good: Good) -> Bad:
    """The same JSON with nothing in its lists."""
    found = _json(good)
    return _whole(good, b"" if found is None else json.dumps(_emptied(found)).encode())


def huge(good: Good) -> Bad:
    """A page without an end."""
    head = b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    return Bad(piece for part in ([head], repeat(b" " * (1 << 20))) for piece in part)


def skewed(good: Good) -> Bad:
    """Their clock is ahead: in the header, and in each instant of the answer that is about now."""
    found = _json(good)
    body = good.body if found is None else json.dumps(_later(found)).encode()
    at = good.headers.get("Date")
    now = parsedate_to_datetime(at) if at else datetime.now(UTC)
    return _whole(good, body, Date=format_datetime(now + SKEW, usegmt=True))


FAULTS: dict[str, Fault | None] = {
    "refused": None,
    "reset midway": reset_midway,
    "hangs": hangs,
    "drips": drips,
    "401": answers(401),
    "403": answers(403),
    "404": answers(404),
    "429": answers(429),
    "429, a while": answers(429, Retry_After="3600"),
    "500": answers(500),
    "HTML": html,
    "other JSON": another_shape,
    "empty": nothing,
    "huge": huge,
    "skewed": skewed,
    "expired": None,
}
"""What can be wrong. Of those without a function there is no answer: nobody listens, the certificate is out of date."""


WORDS = {
    "refused": "nobody listens",
    "reset midway": "half of the answer, then a reset",
    "hangs": "it takes the request, and says nothing",
    "drips": "a letter at a time, without an end",
    "401": "not this token",
    "403": "not with these rights",
    "404": "there is no such thing",
    "429": "too many requests",
    "429, a while": "the same, with `Retry-After: 3600`",
    "500": "it has trouble of its own",
    "HTML": "status 200, and a page to log in",
    "other JSON": "status 200, and JSON of another shape",
    "empty": "the right JSON, nothing in it",
    "huge": "an answer without an end",
    "skewed": "its clock is ten minutes ahead",
    "expired": "its certificate is out of date",
}
"""Each in a few words, for people."""


def _json(good: Good) -> Any:
    try:
        return json.loads(good.body)
    except ValueError:
        return None


def _twisted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _twisted(item) for key, item in value.items()} if value else ["?"]
    if isinstance(value, list):
        return {str(at): _twisted(item) for at, item in enumerate(value)} if value else {"?": 0}
    return {"is": value}


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _emptied(item) for key, item in value.items()}
    return [] if isinstance(value, list) else value


def _later(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _later(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_later(item) for item in value]
    return _moved(value)


def _moved(value: Any) -> Any:
    now = datetime.now(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for unit in (1, 1000):
            if abs(value / unit - now.timestamp()) < 86_400:
                return type(value)(value + SKEW.total_seconds() * unit)
    if isinstance(value, str):
        with suppress(ValueError):
            return repr(_moved(float(value))) if _moved(float(value)) != float(value) else value
        with suppress(ValueError):
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None and abs(at - now) < timedelta(days=1):
                return (at + SKEW).isoformat()
    return value


@dataclass
class Proxy:
    """One in front of ``target``. ``at``: the first request that the fault concerns; ``asked``: how many there were."""

    url: str
    target: str
    nowhere: str
    fault: Fault = as_it_is
    at: int = 1
    asked: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self, fault: Fault, at: int = 1) -> None:
        """From now on."""
        self.fault, self.at, self.asked = fault, at, 0


@contextmanager
def faulty(target: str, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """In front of a server at ``target``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens
        server.proxy = Proxy(url, target, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        thread.start()
        try:
            yield server.proxy
        finally:
            server.proxy.over.set()
            server.shutdown()
            server.server_close()
            thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        proxy = self.server.proxy
        proxy.asked += 1
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = proxy.fault if proxy.asked >= proxy.at else as_it_is
        bad = fault(self._real(sent))
        with suppress(OSError):
            for piece in bad.pieces:
                self.wfile.write(piece)
                if proxy.over.wait(bad.every) if bad.every else proxy.over.is_set():
                    break
            if bad.hang:
                proxy.over.wait(20)
            if bad.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
        self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  these names are asked for

    def _real(self, sent: bytes) -> Good:
        proxy, parts = self.server.proxy, urlsplit(self.server.proxy.target)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        try:
            link.request(self.command, self.path, sent or None, {**headers, "Connection": "close"})
            answer = link.getresponse()
            body = answer.read().replace(proxy.target.encode(), proxy.url.encode())
            told = {name: value.replace(proxy.target, proxy.url) for name, value in answer.getheaders()}
        finally:
            link.close()
        return Good(answer.status, told, body, self._quoted(sent))

    def _quoted(self, sent: bytes) -> str:
        """All of the request, in several forms: a bad server's idea of help."""
        secrets = [value for name, value in self.headers.items() if "auth" in name.lower() or "key" in name.lower()]
        plain = " ".join([self.path, *secrets, sent[:500].decode("latin-1")])
        coded = base64.b64encode(plain.encode("latin-1", "replace")).decode()
        return f"{plain} = {quote(plain)} = {coded}"

    def log_message(self, *_: object) -> None:
        pass
