"""What carries boto3's requests: each attempt ends in time, whatever the other side does.

boto3's own timeouts bound each wait for a byte, so a server that sends one now and then keeps its caller for as long as
it likes. Here an attempt runs in a thread of its own, and its caller waits no longer than it may.
"""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from ... import redaction

CONNECT_WITHIN = 2.0
"""Seconds until a connection must stand."""
_SLOWEST = 100_000
"""Bytes per second: who sends or is sent a large body may take longer."""
_WHOLE = 16_000_000
"""Bytes: a streamed answer that is larger is handed on as a stream, and whoever reads it bounds that."""
_CONNECTIONS = 32
"""That are kept, at most, for each address."""
_KEY = re.compile(rb"Credential=([^/]+)/")

_mine = threading.local()
"""The connections that the thread has taken, while it sends."""


class Line:
    """``send`` is told before each request (``before-send``), and answers in the place of boto3's own connection.

    ``within``: seconds for an attempt. ``verify``: whether certificates are, or a file with authorities.
    """

    def __init__(self, within: float, verify: bool | str) -> None:
        self._within = within
        self._verify = verify
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def send(self, request: Any, **_: Any) -> Any:
        """The answer. Raises what botocore's own connection does, ``ReadTimeoutError`` when the time is over."""
        _hide(request.headers)
        heard: SimpleQueue[Any] = SimpleQueue()
        taken: list[Any] = []
        work = threading.Thread(target=self._work, args=(request, heard, taken), name="aws", daemon=True)
        work.start()
        is_done = False
        try:
            answer = _heard(heard, self._within + _length(request.headers) / _SLOWEST, request.url)
            if isinstance(answer, _Begun):
                answer = _heard(heard, self._within + answer.length / _SLOWEST, request.url)
            is_done = True
            return answer
        finally:
            if not is_done:
                _hang_up(taken)
                if hasattr(request.body, "read"):  # the next attempt reads the same file
                    work.join(CONNECT_WITHIN)

    def _work(self, request: Any, heard: SimpleQueue[Any], taken: list[Any]) -> None:
        _mine.taken = taken
        try:
            answer = self._session(request.url).send(request)
            if request.stream_output and 0 <= (length := _length(answer.headers)) <= _WHOLE:
                heard.put(_Begun(length))
                answer.raw = io.BytesIO(answer.content)
            heard.put(answer)
        except BaseException as error:  # noqa: BLE001  raised where the answer is waited for
            heard.put(error)

    def _session(self, url: str) -> _Session:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if place not in self._sessions:
                self._sessions[place] = _Session(
                    verify=self._verify,
                    proxies=get_environ_proxies(url),
                    timeout=(CONNECT_WITHIN, self._within),
                    max_pool_connections=_CONNECTIONS,
                    socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # as botocore itself has them
                )
            return self._sessions[place]


def verified_by(ca_bundle: str | None) -> bool | str:
    """How certificates are verified, as botocore finds it out: ``ca_bundle`` of profile or variable goes first."""
    return ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True


class _Begun:
    """The head of a streamed answer is there; ``length``: the bytes that follow."""

    def __init__(self, length: int) -> None:
        self.length = length


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]  # botocore has no types
    def _get_conn(self, timeout: float | None = None) -> Any:
        found = super()._get_conn(timeout)
        _mine.taken.append(found)
        return found


class _SecurePool(AWSHTTPSConnectionPool):  # type: ignore[misc]  # botocore has no types
    def _get_conn(self, timeout: float | None = None) -> Any:
        found = super()._get_conn(timeout)
        _mine.taken.append(found)
        return found


class _Session(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """Botocore's, with connections that can be hung up on."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme


def _heard(heard: SimpleQueue[Any], seconds: float, url: str) -> Any:
    try:
        found = heard.get(timeout=seconds)
    except Empty:
        raise ReadTimeoutError(endpoint_url=url) from None
    if isinstance(found, BaseException):
        raise found
    return found


def _hang_up(taken: list[Any]) -> None:
    """Let nobody wait for what comes too late."""
    for connection in taken:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _length(headers: Any) -> int:
    """Of a body, as its head says; 0 when it does not."""
    value = headers.get("Content-Length") or headers.get("X-Amz-Decoded-Content-Length") or 0
    try:
        return int(value)
    except ValueError:
        return 0


def _hide(headers: Any) -> None:
    """Count who signs, and the token that proves it, as secret: some refusals quote both."""
    for name in ("X-Amz-Security-Token", "x-amz-sso_bearer_token"):
        redaction.hide(_bytes(headers.get(name) or b"").decode())
    if found := _KEY.search(_bytes(headers.get("Authorization") or b"")):
        redaction.hide(found[1].decode())


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
