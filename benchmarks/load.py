"""A steady stream of requests that notices every one that got lost. Nothing but the standard library.

Open loop: requests leave at their time whether or not earlier ones are back (bounded by ``MOST_AT_ONCE``). In
turn: GET and POST, on a connection that is kept and on a new one. Every POST carries an id of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MOST_AT_ONCE = 500
KEPT = 32
"""Connections that are kept; all are used in turn."""
BALANCER = (502, 503, 504)


@dataclass
class Tally:
    """What became of the requests."""

    sent: int = 0
    answered: int = 0
    unsent: int = 0
    """Not sent because too many were under way: the load was smaller than asked."""
    by_balancer: int = 0
    """502, 503 or 504 that no application made: without its ``X-Color`` header."""
    unanswered: Counter[str] = field(default_factory=Counter)
    """Requests without an answer, by reason."""
    statuses: Counter[str] = field(default_factory=Counter)
    colors: Counter[str] = field(default_factory=Counter)
    posted: int = 0
    """POSTs that were answered with success."""
    seconds: list[float] = field(default_factory=list)
    failures: list[tuple[float, float]] = field(default_factory=list)
    """When a request began that was lost, and when that was known; ``time.monotonic()``."""

    @property
    def lost(self) -> int:
        """Requests that a user would have seen fail."""
        return sum(self.unanswered.values()) + self.by_balancer

    def summary(self) -> str:
        """For people, in a few lines."""
        p50, p99 = (1000 * each for each in _quantiles(self.seconds))
        rows = {
            "sent": self.sent,
            "answered": self.answered,
            "without an answer": f"{sum(self.unanswered.values())} {dict(self.unanswered) or ''}".strip(),
            "answered by the balancer": self.by_balancer,
            "statuses": dict(sorted(self.statuses.items())),
            "colors": dict(sorted(self.colors.items())),
            "not sent (load too high)": self.unsent,
            "milliseconds": f"p50 {p50:.1f}, p99 {p99:.1f}",
        }
        return "\n".join(f"  {name:26} {value}" for name, value in rows.items())


@dataclass(frozen=True)
class _Answer:
    status: int
    color: str
    closes: bool


class _Connection:
    """One HTTP/1.1 connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def is_closed(self) -> bool:
        return self.reader.at_eof() or self.writer.is_closing()

    async def ask(self, request: bytes) -> _Answer:
        self.writer.write(request)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        names = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if "chunked" in names.get("transfer-encoding", ""):
            await self._skip_chunks()
        else:
            await self.reader.readexactly(int(names.get("content-length", "0")))
        return _Answer(
            int(head[0].split()[1]), names.get("x-color", ""), names.get("connection", "").lower() == "close"
        )

    async def _skip_chunks(self) -> None:
        while True:
            size = int((await self.reader.readline()).split(b";")[0], 16)
            await self.reader.readexactly(size + 2)
            if size == 0:
                return

    def close(self) -> None:
        self.writer.close()


class Load:
    """Requests at ``rate`` per second against ``url``, from ``start`` to ``stop``."""

    def __init__(
        self, url: str, rate: float = 200, gets: Sequence[str] = ("/",), post: str = "/api/loans/", timeout: float = 30
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._rate, self._post, self._timeout = rate, post, timeout
        self._paths = itertools.cycle(gets)
        self._kinds = itertools.cycle([("GET", True), ("GET", False), ("POST", True), ("POST", False)])
        self._idle: deque[_Connection] = deque()
        self._opened = 0
        self._running: set[asyncio.Task[None]] = set()
        self._feeder: asyncio.Task[None] | None = None
        self.tally = Tally()

    def start(self) -> None:
        """Begin, inside a running loop."""
        self._feeder = asyncio.create_task(self._feed())

    async def stop(self) -> Tally:
        """Send nothing more, wait for what is under way, and say what happened."""
        if self._feeder:
            self._feeder.cancel()
            with suppress(asyncio.CancelledError):
                await self._feeder
        if self._running:
            await asyncio.wait(self._running)
        while self._idle:
            self._idle.popleft().close()
        return self.tally

    async def _feed(self) -> None:
        began = time.monotonic()
        for number in itertools.count():
            pause = began + number / self._rate - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            method, is_kept = next(self._kinds)
            if len(self._running) >= MOST_AT_ONCE:
                self.tally.unsent += 1
                continue
            task = asyncio.create_task(self._one(method, is_kept))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _one(self, method: str, is_kept: bool) -> None:
        request = self._request(method, is_kept)
        tally = self.tally
        tally.sent += 1
        began = time.monotonic()
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connection(is_kept)
                answer = await connection.ask(request)
        except (OSError, EOFError, ValueError, IndexError, TimeoutError) as error:
            tally.unanswered[f"{method} {'kept' if is_kept else 'new'}: {type(error).__name__}"] += 1
            tally.failures.append((began, time.monotonic()))
            self._opened -= is_kept
            if connection:
                connection.close()
            return
        tally.seconds.append(time.monotonic() - began)
        self._count(method, answer)
        if answer.status in BALANCER and not answer.color:
            tally.failures.append((began, time.monotonic()))
        if is_kept and not answer.closes:
            self._idle.append(connection)
        else:
            self._opened -= is_kept
            connection.close()

    def _count(self, method: str, answer: _Answer) -> None:
        tally = self.tally
        tally.answered += 1
        tally.statuses[f"{method} {answer.status}"] += 1
        tally.colors[answer.color or "none"] += 1
        tally.by_balancer += answer.status in BALANCER and not answer.color
        tally.posted += method == "POST" and 200 <= answer.status < 300

    async def _connection(self, is_kept: bool) -> _Connection:
        """A new one, or the one of the kept that has rested longest; a kept one that was closed is replaced."""
        while is_kept and self._idle and (self._opened >= KEPT or self._idle[0].is_closed):
            connection = self._idle.popleft()
            if not connection.is_closed:
                return connection
            connection.close()
            self._opened -= 1
        self._opened += is_kept
        return _Connection(*await asyncio.open_connection(self._host, self._port))

    def _request(self, method: str, is_kept: bool) -> bytes:
        head = f"Host: {self._host}:{self._port}\r\nConnection: {'keep-alive' if is_kept else 'close'}\r\n"
        if method == "GET":
            return f"GET {next(self._paths)} HTTP/1.1\r\n{head}\r\n".encode()
        body = json.dumps({"id": str(uuid.uuid4()), "book": 1})
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST {self._post} HTTP/1.1\r\n{head}{fields}\r\n{body}".encode()


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) < 2:
        return (float("nan"), float("nan"))
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49], cuts[98]
