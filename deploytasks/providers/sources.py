"""Several sources of metrics, as one: each gives what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..at_once import Came, at_once
from ..errors import DeployError
from ..ports import Color, Counts, Finding, NoData, Totals
from ..settings.measures import OF
from ..settings.several import named
from ..settings.sources import given_by, judged

if TYPE_CHECKING:
    from ..ports import Metrics
    from ..settings.base import Value

T = TypeVar("T")


class Part(NamedTuple):
    """One source, by its name, and the readings of database and hosts that are taken from it."""

    name: str
    port: Metrics
    levels: frozenset[str]


class Sources:
    """``Metrics`` of several. All are asked at once, so a look takes as long as the slowest: nobody beats meanwhile.

    ``totals`` is what the first one says that gives errors; ``streams`` has the others too.
    """

    def __init__(self, parts: Sequence[tuple[Value, Metrics]]) -> None:
        settings = [of for of, _ in parts]
        self.sources = tuple(port for _, port in parts)
        self._parts = [
            Part(name, port, _levels_of(of)) for name, (of, port) in zip(named(settings), parts, strict=True)
        ]
        self._judged = [self._parts[source.place] for source in judged(settings)]

    @property
    def lag(self) -> float:
        """Of what is judged, the longest: a stage is over when its last request shows everywhere."""
        return max(part.port.lag for part in self._judged)

    def totals(self, since: datetime, edges: Sequence[float]) -> Mapping[Color, Totals] | NoData:
        """What the first source says that gives errors; the others are not asked."""
        return self._judged[0].port.totals(since, edges)

    def streams(self, since: datetime, edges: Sequence[float]) -> tuple[Counts, Mapping[str, Counts]]:
        asked = _ask([partial(part.port.totals, since, edges) for part in self._judged])
        counts = [_or_no_data(came) for came in asked]
        return counts[0], {part.name: found for part, found in zip(self._judged[1:], counts[1:], strict=True)}

    def levels(self) -> Mapping[str, float] | NoData:
        """The worst of each reading, of those who are there for it. Who is silent keeps no other from being heard:
        ``NoData`` only when all are."""
        asked = [part for part in self._parts if part.levels]
        silent: list[str] = []
        found: dict[str, float] = {}
        for part, came in zip(asked, _ask([part.port.levels for part in asked]), strict=True):
            said = _or_no_data(came)
            if isinstance(said, NoData):
                silent.append(f"{part.name}: {said.why}")
                continue
            for name in part.levels & said.keys():
                found[name] = max(said[name], found.get(name, said[name]))
        return NoData("; ".join(silent)) if silent and len(silent) == len(asked) else found

    def diagnose(self) -> Sequence[Finding]:
        """What each finds out about itself, by its name."""
        found: list[Finding] = []
        for part, came in zip(self._parts, _ask([part.port.diagnose for part in self._parts]), strict=True):
            found += [_named(part.name, finding) for finding in _diagnosed(part.name, came)]
        return found


def _levels_of(settings: Value) -> frozenset[str]:
    gives = given_by(settings)
    return frozenset(name for measure, names in OF.items() if measure in gives for name in names)


def _ask(questions: Sequence[Callable[[], T]]) -> list[Came[T]]:
    return at_once(questions, len(questions)) if questions else []


def _or_no_data(came: Came[T | NoData]) -> T | NoData:
    if isinstance(came.error, DeployError):
        return NoData(came.error.what)
    if came.error is not None:
        raise came.error
    assert came.value is not None
    return came.value


def _diagnosed(name: str, came: Came[Sequence[Finding]]) -> Sequence[Finding]:
    if came.error is None:
        return came.value or ()
    if not isinstance(came.error, DeployError | OSError):
        raise came.error
    what, do = getattr(came.error, "what", str(came.error)), getattr(came.error, "do", "")
    return [Finding(f"metrics: {name}", "fail", what, do)]


def _named(name: str, finding: Finding) -> Finding:
    """``metrics: requests`` as ``metrics: prometheus: requests``."""
    about = finding.subject.removeprefix("metrics: ")
    if about.startswith(name):
        return finding
    kind = name.partition(" ")[0]
    told = about.removeprefix(kind) if about.startswith(kind) else f": {about}"
    return finding._replace(subject=f"metrics: {name}{told}")
