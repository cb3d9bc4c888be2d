"""Requests of our own to both colors, past the balancer, where too few users come.

For each color, and each of its hosts, one thread keeps the pace: request number ``n`` is due ``n / rps`` seconds after
the start, so that nothing drifts. It hands each one to an idle worker; a worker keeps its connection alive. When
answers are slow, more workers come, up to a bound; beyond it a due request is not sent, and not counted: a crowd of our
own making would be the wrong way to measure.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ..at_once import at_once
from ..errors import DeployError
from ..ports import COLORS, Color, Fleet, Totals
from ..verdict.ladder import LADDER
from ..web import connection

if TYPE_CHECKING:
    from ..settings.probe import ProbeSettings
    from .site import Site

Addresses = Callable[[Color], Sequence[str]]
"""The base URLs of a color, one of each host; none when it is not to be probed."""

MOST_HOSTS = 16
"""Hosts of one color that are probed."""
MOST_WORKERS = 32
"""Requests to one host that may be under way at once."""
STOP_WITHIN = 0.8
"""Seconds that ``stop`` waits at most; what is then still under way is never counted."""
HEADERS = {"User-Agent": "deploytasks-probe", "Accept": "*/*"}


class HttpProber:
    """A ``Prober``. It asks by GET only, ``rps`` times a second and color, from ``start`` to ``stop``.

    ``addresses`` is asked once, by ``start``. By default they are the fleet's, where something runs; several hosts of a
    color share its requests.
    """

    def __init__(self, settings: ProbeSettings, site: Site, addresses: Addresses | None = None) -> None:
        self._settings = settings
        self._addresses = addresses or (lambda color: _running(site, color))
        self._tallies: dict[Color, Tally] = {}
        self._streams: list[_Stream] = []

    def start(self) -> None:
        """Begin; fine when it has begun already."""
        if self._streams:
            return
        for color in COLORS:
            bases = self._addresses(color)[:MOST_HOSTS]
            for base in bases:
                tally = self._tallies.setdefault(color, Tally())
                self._streams.append(_Stream(base, self._settings, tally, self._settings.rps / len(bases)))
        for stream in self._streams:
            stream.start()

    def stop(self) -> None:
        """End within a second; requests that are under way are given up and not counted."""
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.end()
        until = time.monotonic() + STOP_WITHIN
        for stream in streams:
            stream.join(until)

    def totals(self, edges: Sequence[float]) -> Mapping[Color, Totals]:
        """Counts since the first ``start``. A color that was never probed is absent."""
        return {color: tally.totals(edges) for color, tally in self._tallies.items()}


class Tally:
    """Counts of one color, safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._errors = 0
        self._buckets = [0] * (len(LADDER) + 1)
        """Place ``i``: how many took at most ``LADDER[i]`` seconds, and more than the edge before."""

    def add(self, seconds: float, failed: bool) -> None:
        """Count one request."""
        with self._lock:
            self._requests += 1
            self._errors += failed
            self._buckets[bisect_left(LADDER, seconds)] += 1

    def totals(self, edges: Sequence[float]) -> Totals:
        """An edge between two of the ladder counts as the next higher one: never too many."""
        with self._lock:
            requests, errors, buckets = self._requests, self._errors, list(self._buckets)
        slower = {edge: sum(buckets[bisect_left(LADDER, edge) + 1 :]) for edge in edges}
        return Totals(requests, errors, {edge: count for edge, count in slower.items() if count})


class _Stream:
    """The requests to one host of a color, ``rps`` in a second."""

    def __init__(self, base: str, settings: ProbeSettings, tally: Tally, rps: float) -> None:
        self._base = base
        self._pace = 1 / rps
        self._paths = cycle(settings.paths)
        self._timeout = settings.timeout
        self._tally = tally
        self._ending = threading.Event()
        self._due: SimpleQueue[str | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._workers: list[_Worker] = []
        self._pacer = threading.Thread(target=self._keep_pace, name=f"probe {base}", daemon=True)

    def start(self) -> None:
        self._pacer.start()

    def end(self) -> None:
        """Ask everything to end; does not wait."""
        self._ending.set()

    def join(self, until: float) -> None:
        """Wait until all has ended, or until then (monotonic seconds)."""
        self._pacer.join(max(0.0, until - time.monotonic()))
        for worker in self._workers:
            self._due.put(None)
            worker.hang_up()
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _keep_pace(self) -> None:
        began, number = time.monotonic(), 0
        while not self._ending.wait(max(0.0, began + number * self._pace - time.monotonic())):
            self._hand_out(next(self._paths))
            # What was due while this thread itself was held up is left out, not made up for in a burst.
            number = max(number + 1, int((time.monotonic() - began) / self._pace))

    def _hand_out(self, path: str) -> None:
        if not self._idle.acquire(blocking=False):
            if len(self._workers) >= MOST_WORKERS:
                return
            worker = _Worker(self._base, self._timeout, self._tally, self._due, self._idle, self._ending)
            self._workers.append(worker)
            worker.start()
        self._due.put(path)


class _Worker(threading.Thread):
    """Asks what it is handed, one after the other, over one connection."""

    def __init__(
        self,
        base: str,
        timeout: float,
        tally: Tally,
        due: SimpleQueue[str | None],
        idle: threading.Semaphore,
        ending: threading.Event,
    ) -> None:
        super().__init__(name=f"probe {base}", daemon=True)
        self._base = base
        self._timeout = timeout
        self._tally = tally
        self._due = due
        self._idle = idle
        self._ending = ending
        self._link, self._prefix = connection(base, timeout)
        self._prefix = self._prefix.rstrip("/")

    def run(self) -> None:
        """Until it is handed ``None``."""
        while (path := self._due.get()) is not None and not self._ending.is_set():
            began = time.monotonic()
            status = self._ask(self._prefix + path, began + self._timeout)
            if not self._ending.is_set():
                took = time.monotonic() - began
                is_late = took >= self._timeout
                # A timeout is slower than every edge up to itself, and nobody knows how much.
                seconds = self._timeout * (1 + 1e-9) if is_late else took
                self._tally.add(seconds, failed=is_late or status is None or status >= 500)
            self._idle.release()
        self._link.close()

    def hang_up(self) -> None:
        """Called by another thread: an answer that is waited for is given up."""
        sock = self._link.sock
        with suppress(OSError):
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)

    def _ask(self, path: str, until: float) -> int | None:
        """The status, or ``None`` without a whole answer."""
        was_open = self._link.sock is not None
        try:
            return self._ask_once(path, until)
        except (OSError, http.client.HTTPException) as error:
            self._link.close()
            if not was_open or isinstance(error, TimeoutError) or self._ending.is_set():
                return None
        # A server may close a connection that rested, just when we use it again: that is no failure of its own.
        try:
            return self._ask_once(path, until)
        except (OSError, http.client.HTTPException):
            self._link.close()
            return None

    def _ask_once(self, path: str, until: float) -> int:
        self._allow(until)
        self._link.request("GET", path, headers=HEADERS)
        response = self._link.getresponse()
        while response.read1(65536):
            self._allow(until)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()  # read1 leaves it open at the end, and the connection cannot be used again until then
        return response.status

    def _allow(self, until: float) -> None:
        """Let the socket wait for no more than what is left, however small the pieces that arrive."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._link.timeout = left
        if self._link.sock is not None:
            self._link.sock.settimeout(left)


def _running(site: Site, color: Color) -> Sequence[str]:
    """The fleet's addresses of a color, where something stands and runs; of several hosts, those that are well now.

    Who is down from the beginning is left out of this deployment, and its silence would be taken for the release's.
    """
    from . import open_provider

    if "fleet" not in site.sections:
        return ()
    fleet: Fleet = open_provider("fleet", site.sections["fleet"], site)
    hosts = fleet.hosts(color)
    if len(hosts) > 1:
        came = at_once([partial(fleet.only([host]).health, color) for host in hosts], site.parallel)
        well = [host for host, one in zip(hosts, came, strict=True) if one.value and one.value.healthy]
        return [fleet.only([host]).address(color) for host in well]
    try:
        there = fleet.installed(color)
    except DeployError:
        return [fleet.address(color)]
    return [fleet.address(color)] if there is not None and there.running else ()
