"""A service with a JSON API over HTTP: asked once, with one deadline for the whole answer, and a named error.

Not ``requests``: its timeouts are for each piece, so that a server that only drips would keep us for ever, and it
takes longer to import than all of our questions take.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from .. import redaction
from ..errors import Unreachable, UsageError
from ..settings.web_access import WebAccess
from ..vault import HERE, Vault

LARGEST = 32 << 20
"""Bytes of an answer; more is no answer to what we ask."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Refused(Unreachable):
    """It answered, and did not do what it was asked."""


class Exchange(Protocol):
    """One request that was not made yet, and its answer."""

    def made(self) -> Answer:
        """Make it, in whichever thread; every failure is an ``OSError``, ``TimeoutError`` when it took too long, or an
        ``HTTPException``."""

    def hang_up(self) -> None:
        """End what another thread waits for."""


class _Plain(NamedTuple):
    link: http.client.HTTPConnection
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None

    def made(self) -> Answer:
        try:
            self.link.request(self.method, self.target, self.body, dict(self.headers))
            with self.link.getresponse() as response:
                return _whole(response)
        finally:
            self.link.close()

    def hang_up(self) -> None:
        """By the plain socket's method: a TLS socket would first unwrap itself."""
        with suppress(OSError):
            if self.link.sock is not None:
                socket.socket.shutdown(self.link.sock, socket.SHUT_RDWR)


class WebService:
    """One base URL. ``name`` is what it is called in messages; ``vault``: where its secrets are."""

    def __init__(self, name: str, url: str, access: WebAccess, root: Path, vault: Vault = HERE) -> None:
        self.name = name
        self.url = url
        self._access = access
        self._root = root
        self._vault = vault

    def get(self, path: str, query: Sequence[tuple[str, str]], until: float) -> tuple[Any, Mapping[str, str]]:
        """The JSON at ``path`` and the headers it came with. ``until``: on the monotonic clock.

        Raises ``Unreachable`` for silence and for what is no JSON; ``Refused``, a kind of it, for any status but 2xx,
        with what the service itself says about it; ``UsageError`` when a secret or the file of authorities is not
        there.
        """
        answer = self.answer(path, query, until)
        if not 200 <= answer.status < 300:
            raise self.refusal(answer)
        return self.understood(answer), answer.headers

    def answer(
        self,
        path: str,
        query: Sequence[tuple[str, str]],
        until: float,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """Whatever is answered, of any status. ``headers``: beside those of every request, or in their place.

        Raises ``Unreachable`` for silence, ``UsageError`` as ``get`` does.
        """
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise self._silent()
        target = f"{path}?{urlencode(query)}" if query else path
        return self._ask(method, target, {**self._headers(), **(headers or {})}, body, seconds)

    # -- asking ----------------------------------------------------------------------------------------------

    def _ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Answer:
        """In a thread of its own, so that nothing can keep us: neither a name server nor a page that drips."""
        exchange = self._exchange(method, target, headers, body, seconds)
        heard: SimpleQueue[Answer | Exception] = SimpleQueue()

        def listen() -> None:
            try:
                heard.put(exchange.made())
            except Exception as error:  # noqa: BLE001  handed over to whoever waits
                heard.put(error)

        threading.Thread(target=listen, name=f"ask {self.name}", daemon=True).start()
        try:
            found = heard.get(timeout=seconds)
        except Empty:
            exchange.hang_up()
            raise self._silent() from None
        if isinstance(found, TimeoutError):
            raise self._silent() from found
        if isinstance(found, OSError | http.client.HTTPException):
            why = redaction.excerpt(found, 300) or type(found).__name__
            raise Unreachable(f"{self.name} at {self.url}: {why}", do="check that it runs and listens there") from found
        if isinstance(found, Exception):
            raise found
        return found

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Exchange:
        return _Plain(self._connection(seconds), method, urlsplit(self.url).path + target, headers, body)

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=seconds, context=self._trust())
        return http.client.HTTPConnection(host, port, timeout=seconds)

    def _trust(self) -> ssl.SSLContext:
        file = self._access.verify
        try:
            return ssl.create_default_context(cafile=None if file is None else str(self._root / file))
        except OSError as error:
            why = error.strerror or str(error)
            raise UsageError(f"{self.name}: the authorities in {file} cannot be read: {why}") from error

    def _headers(self) -> dict[str, str]:
        access, headers = self._access, {"Accept": "application/json", "Connection": "close"}
        if access.token_from is not None:
            headers["Authorization"] = f"Bearer {self._secret(access.token_from)}"
        if access.user is not None and access.password_from is not None:
            pair = f"{access.user}:{self._secret(access.password_from)}".encode()
            basic = base64.b64encode(pair).decode()
            redaction.hide(basic)
            headers["Authorization"] = f"Basic {basic}"
        return headers

    def _secret(self, variable: str) -> str:
        found = (self._vault.get(variable) or "").strip()
        if not found:
            raise UsageError(f"{self.name}: {self._vault.unset(variable)}", do=f"set {variable}")
        redaction.hide(found)
        if not (found.isascii() and found.isprintable()):  # http.client would quote all of it in its error
            raise UsageError(f"{self.name}: the value of {variable} has characters that no header takes")
        return found

    # -- understanding ---------------------------------------------------------------------------------------

    def _silent(self) -> Unreachable:
        return Unreachable(
            f"{self.name} at {self.url} gave no whole answer within {self._access.within:g} s",
            do="check that it runs and listens there",
        )

    def refusal(self, answer: Answer) -> Unreachable:
        """The error that a status other than 2xx is, with what the service says about it."""
        said = f"{answer.status} {answer.reason}".strip()
        why = explanation(answer)
        return Refused(
            f"{self.name} at {self.url} answered {said}{f': {why}' if why else ''}",
            do={
                401: "check `token_from`, or `user` and `password_from`",
                403: "check what this token or user may read",
            }.get(answer.status, "check the URL and what was asked" if answer.status < 500 else "look after it"),
        )

    def understood(self, answer: Answer) -> Any:
        """The JSON of an answer. Raises ``Unreachable`` for anything else."""
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            kind = answer.headers.get("content-type", "no type").partition(";")[0]
            raise Unreachable(
                f"{self.name} at {self.url} answered with {kind}, which is not JSON: {_excerpt(answer.body)!r}",
                do="check the URL: a log-in page or another server may answer there",
            ) from None


def _whole(response: http.client.HTTPResponse) -> Answer:
    pieces, size = [], 0
    while piece := response.read1(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise http.client.HTTPException(f"the answer is larger than {LARGEST >> 20} MB: narrow what is asked for")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    names = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, response.reason, names, b"".join(pieces))


def explanation(answer: Answer) -> str:
    """What the service says about its refusal: Prometheus's ``errorType: error``, Alertmanager's text."""
    if 300 <= answer.status < 400:
        return f"it leads to {redaction.excerpt(answer.headers.get('location', 'nowhere'), 300)}"
    if "html" in answer.headers.get("content-type", ""):
        return ""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _excerpt(answer.body)
    if isinstance(found, dict):
        parts = [str(found[key]) for key in ("errorType", "error", "message") if found.get(key)]
        return _excerpt(": ".join(parts).encode())
    return _excerpt(str(found).encode())


def _excerpt(body: bytes) -> str:
    """The beginning, on one line: a service may quote what it was asked with."""
    return redaction.excerpt(body[:100_000].decode(errors="replace"), 300)
