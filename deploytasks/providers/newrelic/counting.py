"""Whose a transaction is, and from the rows of an answer to counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...ports import COLORS, Color, Totals
from . import nrql
from .nrql import Marks, Span

if TYPE_CHECKING:
    from ...settings.newrelic import NewRelicSettings
    from ..site import Site
    from .graph import NerdGraph

NOTHING = Totals(0, 0, {})
Counts = Mapping[Color, Totals]


def marks_of(settings: NewRelicSettings, site: Site) -> Marks:
    """How colors are told apart now. By releases it asks the hosts which versions stand on them, and raises what they
    raise; ``UsageError`` where that tells nothing apart."""
    if settings.apps is not None:
        names = {color: (str(getattr(settings.apps, color)),) for color in COLORS}
        return Marks("appName", names, None)
    if settings.color_attribute is not None:
        said = {color: tuple(getattr(settings.colors, color)) for color in COLORS}
        return Marks(settings.color_attribute, said, settings.app)
    assert settings.release_attribute is not None
    return Marks(settings.release_attribute, _releases(settings.release, site), settings.app)


def _releases(template: str, site: Site) -> Mapping[Color, tuple[str]]:
    standing = site.standing()
    versions = {color: here.version for color in COLORS if (here := standing.get(color)) is not None and here.version}
    if not versions:
        raise UsageError(
            "New Relic is asked by release, and no host has one", do="deploy once, or say `color_attribute`"
        )
    if len(set(versions.values())) < len(versions):
        raise UsageError(
            f"New Relic is asked by release, and both colors have {versions['blue']}: they cannot be told apart",
            do="say `color_attribute` or `apps`, which tell colors apart whatever they run",
        )
    filled = {"{application}": site.application, "{environment}": site.environment}
    for placeholder, value in filled.items():
        template = template.replace(placeholder, value)
    return {color: (template.replace("{version}", version),) for color, version in versions.items()}


class Question:
    """Several queries that are asked in one request, so that they are answered about the same moment."""

    def __init__(self, graph: NerdGraph) -> None:
        self._graph = graph
        self._queries: list[str] = []

    def add(self, query: str) -> int:
        """Its place among the answers."""
        self._queries.append(query)
        return len(self._queries) - 1

    def ask(self, until: float | None = None) -> Sequence[Sequence[Mapping[str, Any]]]:
        """The rows of each. Raises as ``NerdGraph.ask`` does."""
        names = [f"q{place}" for place in range(len(self._queries))]
        declared = "".join(f",${name}:Nrql!" for name in names)
        fields = " ".join(f"{name}:nrql(query:${name},timeout:$timeout){{results}}" for name in names)
        document = f"query($account:Int!,$timeout:Seconds{declared}){{actor{{account(id:$account){{name {fields}}}}}}}"
        variables = {
            "account": self._graph.account,
            "timeout": self._graph.patience,
            **dict(zip(names, self._queries, strict=True)),
        }
        found = self._graph.ask(document, variables, until)
        rows: Sequence[Sequence[Mapping[str, Any]]] = self._graph.understand(
            lambda data: self._rows(data, names), found
        )
        return rows

    def _rows(self, data: Any, names: Sequence[str]) -> Sequence[Sequence[Mapping[str, Any]]]:
        account = data["actor"]["account"]
        if account is None:
            raise UsageError(
                f"New Relic: account {self._graph.account} is not one that this key may see",
                do="check `account` and the key",
            )
        self.account = str(account.get("name") or "")
        return [[dict(row) for row in account[name]["results"]] for name in names]


class Piece:
    """What was counted in a span of time."""

    def __init__(self, question: Question, marks: Marks, span: Span, edges: Sequence[float]) -> None:
        self._marks = marks
        self._edges = tuple(edges)
        self._parts = [(question.add(query), some) for query, some in nrql.counts(marks, span, edges)]

    def counts(self, answers: Sequence[Sequence[Mapping[str, Any]]]) -> Counts:
        """Of all colors that were asked for: one without a row had nothing. Raises ``KeyError``, ``TypeError`` or
        ``ValueError`` for rows of another shape."""
        found = dict.fromkeys(self._marks.values, NOTHING)
        for place, some in self._parts:
            seen = dict.fromkeys(self._marks.values, NOTHING)
            for row in answers[place]:
                color = self._marks.color(facet(row, self._marks))
                if color is not None:
                    seen[color] = added(seen[color], _totals(row, some))
            found = {color: _joined(found[color], seen[color]) for color in found}
        return {color: _falling(each, self._edges) for color, each in found.items()}


def facet(row: Mapping[str, Any], marks: Marks) -> object:
    """What the attribute says in a row."""
    said = row["facet"] if "facet" in row else row[marks.attribute]
    return said[0] if isinstance(said, list) else said


def whole(value: object) -> int:
    """A count. Raises ``ValueError`` for anything else, ``null`` among them."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != int(value):
        raise ValueError(f"a count is needed, not {value!r}")
    return int(value)


def _totals(row: Mapping[str, Any], edges: Sequence[float]) -> Totals:
    slower = {edge: whole(row[f"s{at}"]) for at, edge in enumerate(edges)}
    return Totals(whole(row["n"]), whole(row["errors"]), {edge: count for edge, count in slower.items() if count})


def _joined(one: Totals, other: Totals) -> Totals:
    """Two queries about the same: what arrived between them is in one alone."""
    return Totals(max(one.requests, other.requests), max(one.errors, other.errors), {**one.slower, **other.slower})


def _falling(totals: Totals, edges: Sequence[float]) -> Totals:
    """With counts that fit each other: whoever took longer than 2 s took longer than 1 s."""
    slower: dict[float, int] = {}
    most = 0
    for edge in sorted(edges, reverse=True):
        most = max(most, totals.slower.get(edge, 0))
        if most:
            slower[edge] = most
    return Totals(max(totals.requests, most, totals.errors), totals.errors, slower)


def added(one: Totals, more: Totals) -> Totals:
    """Both together."""
    slower = {edge: one.slower.get(edge, 0) + more.slower.get(edge, 0) for edge in {*one.slower, *more.slower}}
    return Totals(one.requests + more.requests, one.errors + more.errors, slower)


def risen(before: Totals, now: Totals) -> Totals:
    """What is known now, and no count below what was said before."""
    slower = {edge: max(before.slower.get(edge, 0), now.slower.get(edge, 0)) for edge in {*before.slower, *now.slower}}
    return Totals(max(before.requests, now.requests), max(before.errors, now.errors), slower)
