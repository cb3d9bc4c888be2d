"""What one line of HAProxy's log says about one request, and counts of many. Pure.

The lines are JSON, after whatever a syslog daemon puts before them; the log-format stands in
``templates/haproxy.cfg``. Of its times, whole milliseconds, we count what the application took until its answer
began: ``queue`` (Tw) + ``connect`` (Tc) + ``response`` (Tr). How fast a client reads is not the release's doing.
Each time is cut to the millisecond, so "longer than an edge" never counts too many.
See "Timing events" and "Session state at disconnection" in HAProxy's configuration manual.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ...ports import Color, Totals

SLOWEST = 100_000
"""Milliseconds: whatever took longer, or was given up, counts here. Bounds the memory of a histogram."""
_CUT_SHORT = frozenset("SsDKIR")
"""First letter of ``ended``: the server, its death, an administrator or HAProxy itself ended it, not the client."""


class Request(NamedTuple):
    """One request, as it was logged when it ended."""

    at: int
    """Milliseconds since 1970, by the balancer's clock."""
    backend: str
    server: str
    status: int
    """-1: none was sent."""
    ended: str
    """The first two letters of the termination state; ``--``: well."""
    took: int
    """Milliseconds until the answer began; ``SLOWEST`` when HAProxy gave up waiting for it."""

    @property
    def failed(self) -> bool:
        """Whether the user got an error, half an answer, or none for which he did not leave himself."""
        return self.status >= 500 or self.ended[:1] in _CUT_SHORT


def parse(line: str) -> Request | None:
    """The request of a line; ``None`` when it is no line of ours."""
    start = line.find("{")
    if start < 0:
        return None
    try:
        found = json.loads(line[start:])
        at, status, active = int(found["at"]), int(found["status"]), int(found["active"])
        times = [int(found[name]) for name in ("queue", "connect", "response")]
        backend, server, ended = str(found["backend"]), str(found["server"]), str(found["ended"])
    except (ValueError, KeyError, TypeError):
        return None
    return Request(at, backend, server, status, ended, _took(times, active, ended))


def _took(times: Sequence[int], active: int, ended: str) -> int:
    if min(times) >= 0:
        return min(sum(times), SLOWEST)
    # No answer began. Whoever left by himself has waited at least that long; what timed out, for ever.
    return SLOWEST if ended[:1] == "s" else min(max(active, 0), SLOWEST)


class Counts:
    """What was counted of each color since the beginning; a color is a backend, or some ``backend/server``."""

    def __init__(self, colors: Mapping[str, Color]) -> None:
        self._colors = colors
        self._errors: Counter[Color] = Counter()
        self._took: dict[Color, Counter[int]] = {color: Counter() for color in colors.values()}
        self.lines = 0
        """Lines that were read."""
        self.strange = 0
        """Those of them that were no requests of ours."""

    def take(self, lines: Iterable[str], since: int = 0) -> None:
        """Count the requests of these lines that ended at ``since`` (milliseconds) or later."""
        for line in lines:
            self.lines += 1
            request = parse(line)
            if request is None:
                self.strange += 1
            elif request.at >= since:
                self._count(request)

    def _count(self, request: Request) -> None:
        color = self._colors.get(request.backend) or self._colors.get(f"{request.backend}/{request.server}")
        if color is not None:
            self._took[color][request.took] += 1
            self._errors[color] += request.failed

    def totals(self, color: Color, edges: Sequence[float]) -> Totals:
        """One color's counts, at any edges (seconds)."""
        took = sorted(self._took[color].items())
        values = [value for value, _ in took]
        above = [0]
        for _, count in reversed(took):
            above.append(above[-1] + count)
        slower = {edge: above[len(values) - bisect_right(values, round(edge * 1000, 6))] for edge in edges}
        return Totals(above[-1], self._errors[color], {edge: count for edge, count in slower.items() if count})
