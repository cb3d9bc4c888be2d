"""A Sentry of our own: it speaks the documented shapes over HTTP, keeps what it is told, and insists on its contract.

    with sentry() as lab:
        lab.requests("library@1.4.1", "production", ok=95, failed=5)   # transactions, just now
        lab.delay = 2.0                                                # what comes from now on shows so much later
        lab.releases, lab.deploys                                      # what was made

``lab.url`` is the ``url`` for ``metrics`` and ``markers`` of the kind ``sentry``; ``lab.organization`` and
``lab.project`` are ``acme`` and ``library``. ``lab.token`` may do everything; ``lab.may("org:ci")`` is one that may do
less. What breaks the contract is answered as Sentry would answer it, and stands in ``lab.broken`` as well: a test ends
with ``assert [] == lab.broken``. The rules: getsentry/sentry ``api/endpoints/organization_events.py``,
``search/eap/spans``, ``middleware/ratelimit.py``; getsentry/sentry-api-schema.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lab.answering import Asked, answering

EVERYTHING = ("org:read", "project:releases")


@dataclass(frozen=True)
class Spans:
    """``number`` spans alike. ``at``: when they were; ``shows``: since when they can be asked for (epoch seconds)."""

    at: float
    shows: float
    number: int
    values: Mapping[str, Any]


@dataclass
class Sentry:
    """One organization."""

    url: str = ""
    organization: str = "acme"
    project: str = "library"
    token: str = "sntryu_all_of_it_0123456789"
    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=lambda: {"library": "4505", "elsewhere": "4506"})
    """Slug → id."""
    hidden: set[str] = field(default_factory=set)
    """Projects that no token may see."""
    environments: set[str] = field(default_factory=set)
    """Those that ever sent anything; another one is not found."""
    repositories: set[str] = field(default_factory=set)
    spans: list[Spans] = field(default_factory=list)
    delay: float = 0.0
    """Seconds until what comes in can be asked for."""
    sample_rate: float = 1.0
    """Of the application: ``count()`` is extrapolated by it."""
    tiers: int = 1
    """How much of all is read when nobody asks for the highest accuracy: 1 of so many."""
    ahead: float = 0.0
    """Seconds that its clock is ahead."""
    has_feature: bool = True
    limits: bool = True
    """Whether there are any: a Sentry of one's own may have none, and no such headers."""
    remaining: int = 30
    """Requests that are left in this second."""
    reset: float = 0.0
    """When there are again 30 (epoch seconds)."""
    page: int = 100
    """Rows of a page at most."""
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    deploys: list[dict[str, Any]] = field(default_factory=list)
    fails: list[tuple[int, Any]] = field(default_factory=list)
    """Statuses and bodies of the next answers."""
    broken: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ids: Iterator[int] = field(default_factory=lambda: count(1001))

    def now(self) -> float:
        """By its own clock."""
        return time.time() + self.ahead

    def may(self, *scopes: str) -> str:
        """A token with these scopes and no other."""
        token = f"sntryu_some_of_it_{next(self.ids)}"
        self.tokens[token] = scopes
        return token

    def requests(
        self,
        release: str | None,
        environment: str = "production",
        *,
        ok: int = 0,
        failed: int = 0,
        missing: int = 0,
        at: float | None = None,
        delay: float | None = None,
        project: str = "library",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Transactions of requests: 200, 500 and 404. ``at``: epoch seconds of its clock, now by default."""
        for number, status, code in (
            (ok, "ok", "200"),
            (failed, "internal_error", "500"),
            (missing, "not_found", "404"),
        ):
            self.transactions(
                number, release, environment, status=status, code=code, at=at, delay=delay, project=project,
                attributes=attributes,
            )  # fmt: skip

    def transactions(
        self,
        number: int,
        release: str | None,
        environment: str = "production",
        *,
        status: str | None = "ok",
        code: str | None = None,
        op: str = "http.server",
        is_transaction: bool = True,
        at: float | None = None,
        delay: float | None = None,
        project: str = "library",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """So many spans of one kind; ``is_transaction``: or children of others."""
        values = {
            **(attributes or {}),
            "release": release,
            "environment": environment,
            "project": project,
            "span.status": status,
            "span.status_code": code,
            "span.op": op,
            "is_transaction": "true" if is_transaction else "false",
        }
        came = self.now()
        with self.lock:
            self.environments.add(environment)
            if number:
                shows = came + (self.delay if delay is None else delay)
                self.spans.append(Spans(came if at is None else at, shows, number, values))

    def exhaust(self, seconds: float) -> None:
        """No request is left for so long, or a little longer: it ends with a second."""
        self.remaining, self.reset = 0, math.ceil(self.now() + seconds)


@contextmanager
def sentry(tls: ssl.SSLContext | None = None, **given: Any) -> Iterator[Sentry]:
    """One that runs."""
    from lab.sentry_api import answer

    lab = Sentry(**given)
    lab.tokens[lab.token] = EVERYTHING
    with answering(lambda asked: answer(lab, asked), tls) as served:
        lab.url, lab.asked = served.url, served.asked
        yield lab
