"""Transactions as Sentry has them, counted: ``GET /organizations/{org}/events/`` with the dataset ``spans``.

Sentry extrapolates: of one transaction that was sampled at 10 % it makes ten. A verdict must not: ten requests that
nobody saw are no evidence. So ``count_sample()`` is asked for, which counts what was really stored, and of all of it
(``sampling=HIGHEST_ACCURACY``), not of a part that is quicker to read. ``failure_rate()`` is no use either: it is a
share, 0 where there is no data, and it blames the server for whoever is not logged in. Transactions are counted by
status instead, which gives whole numbers.

What is an error (``failures: server``): an HTTP status of 500 and above; below 400, and where a transaction has none
(``span.status_code``), what ``span.status`` says that SDKs make of such a status, or of an exception that nobody
caught. 400 to 499 is the client's mistake, also where an SDK calls all of that ``error``. ``failures: any`` is Sentry's
own notion: every status but ``ok``, ``cancelled`` and ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import redaction
from ...errors import Unreachable

if TYPE_CHECKING:
    from ...settings.sentry import SentryMetricsSettings
    from .client import Client

FINE = frozenset({"", "ok", "cancelled", "unknown"})
"""Statuses that ``failure_rate()`` takes for good; and none at all."""
OF_THE_SERVER = frozenset({"error", "internal_error", "unimplemented", "unavailable", "deadline_exceeded", "data_loss"})
"""Those that stand for 5xx, and what streamed spans and OpenTelemetry say of any error."""
PATH = "/events/"
COUNT = "count_sample()"


class Tally(NamedTuple):
    """Transactions, and those of them that failed."""

    requests: int = 0
    errors: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.requests + other.requests, self.errors + other.errors)


Counts = Mapping[str, Tally]
"""By what an attribute says; those without it under ``""``."""


class Events:
    """Asks about the transactions of the configured projects in one environment."""

    def __init__(self, settings: SentryMetricsSettings, environment: str, client: Client) -> None:
        self._settings, self._environment, self._client = settings, environment, client

    def counts(self, attribute: str, since: float, until: float) -> Counts:
        """What was counted from ``since`` to before ``until`` (whole seconds of their clock), by ``attribute``.

        Instants, no ``statsPeriod``: nothing is rounded then. Raises as ``Client.pages`` does.
        """
        fields = [attribute, "span.status", "span.status_code", COUNT]
        found: dict[str, Tally] = {}
        for rows in self._rows(fields, since, until, sort=f"-{COUNT}"):
            for row in rows:
                tally = self._client.understood(row, self._tally)
                said = str(row.get(attribute) or "")
                found[said] = found.get(said, Tally()).plus(tally)
        return found

    def newest(self, since: float, until: float, query: str = "") -> float | None:
        """When the newest transaction was (epoch seconds); ``None``: there is none."""
        pages = self._rows(["id", "timestamp"], since, until, sort="-timestamp", query=query, most=1)
        rows = next(pages, [])
        return self._client.understood(rows[0], _instant) if rows else None

    def sampled(self, since: float, until: float) -> tuple[int, float]:
        """How many transactions are stored, and of how many requests Sentry takes them to be a sample."""
        rows = next(self._rows([COUNT, "count()"], since, until), [])
        if not rows:
            return 0, 0.0
        return self._client.understood(rows[0], lambda row: (_whole(row[COUNT]), float(row["count()"])))

    def _rows(
        self, fields: Sequence[str], since: float, until: float, *, sort: str = "", query: str = "", most: int = 100
    ) -> Iterator[list[dict[str, Any]]]:
        search = " ".join(filter(None, ("is_transaction:true", self._settings.query, query)))
        asked = [
            ("dataset", "spans"),
            *(("field", field) for field in fields),
            *(("project", project) for project in self._settings.project),
            ("environment", self._environment),
            ("query", search),
            ("start", _text(since)),
            ("end", _text(until)),
            ("sampling", "HIGHEST_ACCURACY"),
            ("per_page", str(most)),
            *([("sort", sort)] if sort else []),
        ]
        for rows in self._client.pages(PATH, asked, _data):
            yield rows
            if most == 1:
                return

    def _tally(self, row: Mapping[str, Any]) -> Tally:
        count = _whole(row[COUNT])
        status, code = str(row["span.status"] or ""), str(row["span.status_code"] or "")
        return Tally(count, count if is_error(status, code, self._settings.failures) else 0)


def is_error(status: str, code: str, failures: str) -> bool:
    """Whether a transaction of this status and HTTP status (empty: not told) failed; see above."""
    if failures == "any":
        return status not in FINE
    if code.isdigit() and int(code) >= 400:
        return int(code) >= 500
    return status in OF_THE_SERVER


def searched(attribute: str, value: str) -> str:
    """The term that finds what has this very value."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return f'{attribute}:"{escaped}"'


def _data(found: Any) -> list[dict[str, Any]]:
    """The rows of a page. Without a project that the token may see, there are none, and a tip; that is not zero."""
    data, tips = found["data"], (found.get("meta") or {}).get("tips") or {}
    if not isinstance(data, list):
        raise TypeError("rows are needed")
    said = next((str(tip) for tip in tips.values() if tip), "") if isinstance(tips, Mapping) else str(tips)
    if not data and said:
        raise Unreachable(
            f"Sentry sees no project: {redaction.excerpt(said, 200)}", do="check `project`, and what the token may see"
        )
    return [dict(row) for row in data]


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != int(value):
        raise ValueError("a count is needed")
    return int(value)


def _instant(row: Mapping[str, Any]) -> float:
    at = datetime.fromisoformat(str(row["timestamp"]))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _text(at: float) -> str:
    """UTC without saying so, as Sentry has it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
