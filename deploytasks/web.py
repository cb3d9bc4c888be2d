"""One small HTTP client for what lies in the hot path: health pages, smoke checks, admin sockets.

``http.client`` and nothing else: it imports in a few milliseconds, and it speaks to UNIX sockets. Services
with sessions, retries and TLS settings of their own (Slack, Sentry, …) use ``requests`` in their providers.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from .errors import Unreachable


class Answer(NamedTuple):
    """What came back, and after how many seconds it was all there."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    seconds: float


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connection(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """An unopened connection for ``url`` and the path to ask it for.

    ``http://host:port/path``, ``https://…``, or ``unix:/path/of/socket:/path`` for a UNIX socket.
    """
    if url.startswith("unix:"):
        sock, _, path = url[len("unix:") :].partition(":")
        return _UnixConnection(sock, timeout), path or "/"
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout), path


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> Answer:
    """Ask once; any HTTP status is an answer. Raises ``Unreachable`` when it is not whole in ``timeout`` seconds."""
    began = time.monotonic()
    link, path = connection(url, timeout)
    try:
        link.request(method, path, body=body, headers={"Connection": "close", **(headers or {})})
        response = link.getresponse()
        content = _whole(response, began + timeout)
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content, time.monotonic() - began)
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise Unreachable(f"{method} {url}: {reason}", do="check that it runs and listens there") from error
    finally:
        link.close()


def _whole(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body. The socket's own timeout is for each piece: a page that only drips would keep us for ever."""
    pieces = []
    while piece := response.read1(1 << 16):
        pieces.append(piece)
        if time.monotonic() > deadline:
            raise TimeoutError("timed out in the middle of the answer")
    return b"".join(pieces)
