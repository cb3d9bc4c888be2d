"""The queries, as text: pure.

NRQL has no parameters, and no documented way to quote a quote. So every value that comes in has letters, digits,
spaces and ``_.:/()-`` only, or nothing is asked. Times are milliseconds of Unix time; whether ``UNTIL`` counts the
millisecond that it names is not documented, so that ``WHERE`` says both ends. ``EXTRAPOLATE`` is not used: agents send
a sample when they have too much, and a verdict goes by what was really seen.

How long a query may be, and how many functions it may have, is not documented either. The edges of all latencies are
asked in several queries of one request, each of some two thousand characters, half of what others send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...errors import UsageError
from ...ports import Color
from ...settings.newrelic import is_safe_value

EDGES = 32
"""Latencies that one query counts at."""


class Marks(NamedTuple):
    """How a transaction's color is known: what an attribute of it says."""

    attribute: str
    values: Mapping[Color, Sequence[str]]
    app: str | None
    """The application's name, where it is not that which says it."""

    def color(self, said: object) -> Color | None:
        """Whose a value is."""
        return next((color for color, values in self.values.items() if str(said) in values), None)

    @property
    def what(self) -> str:
        """For people: what is asked about."""
        return self.app or " and ".join(value for values in self.values.values() for value in values)


class Span(NamedTuple):
    """Milliseconds of Unix time, the end not included."""

    since: int
    until: int


def counts(marks: Marks, span: Span, edges: Sequence[float]) -> Iterator[tuple[str, Sequence[float]]]:
    """Queries that count requests (``n``), errors (``errors``) and those slower than each edge (``s0``, ``s1``, …) by
    color, each with its edges. One at least."""
    for at in range(0, max(1, len(edges)), EDGES):
        some = edges[at : at + EDGES]
        wanted = ["count(*) AS 'n'", "filter(count(*), WHERE error IS true) AS 'errors'"]
        wanted += [f"filter(count(*), WHERE duration > {_number(edge)}) AS 's{i}'" for i, edge in enumerate(some)]
        yield _select(wanted, marks, span), some


def newest(marks: Marks, span: Span) -> str:
    """When the newest transaction of each color was (``newest``), and how many there were (``n``)."""
    return _select(["count(*) AS 'n'", "latest(timestamp) AS 'newest'"], marks, span)


def newest_of_all(names: Sequence[str], span: Span) -> str:
    """The same of applications, whatever their transactions say."""
    wanted = "count(*) AS 'n', latest(timestamp) AS 'newest'"
    return f"SELECT {wanted} FROM Transaction WHERE {_is_one_of('appName', names)} AND {_during(span)}"  # noqa: S608  quoted


def entities(name: str, account: int) -> str:
    """A search for the entity of an application: an agent's, or a service's of OpenTelemetry."""
    return f"name = {quoted(name)} AND domain IN ('APM', 'EXT') AND accountId = '{account}'"


def quoted(value: str) -> str:
    """A value between quotes. Raises ``UsageError`` for one with characters that could end them."""
    if not is_safe_value(value):
        raise UsageError(
            f"New Relic cannot be asked about {value!r}: there is no way to quote some of its characters",
            do="letters, digits, spaces and _.:/()- are left",
        )
    return f"'{value}'"


def _select(wanted: Sequence[str], marks: Marks, span: Span) -> str:
    attribute = f"`{marks.attribute}`"
    values = [value for each in marks.values.values() for value in each]
    app = f"{_is_one_of('appName', [marks.app])} AND " if marks.app is not None else ""
    return (
        f"SELECT {', '.join(wanted)} FROM Transaction"  # noqa: S608  every value is quoted
        f" WHERE {app}{_is_one_of(attribute, values)} AND {_during(span)}"
        f" FACET {attribute} LIMIT {len(values)}"
    )


def _is_one_of(attribute: str, values: Sequence[str]) -> str:
    return f"{attribute} IN ({', '.join(map(quoted, values))})"


def _during(span: Span) -> str:
    """Requests of the web: jobs and messages are no users who wait."""
    since, until = span
    return f"transactionType = 'Web' AND timestamp >= {since} AND timestamp < {until} SINCE {since} UNTIL {until + 1}"


def _number(edge: float) -> str:
    """Without an exponent."""
    return f"{edge:.9f}".rstrip("0").rstrip(".")
