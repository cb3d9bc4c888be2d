"""A reading as the ledger keeps it, and back: compact, since a deployment records hundreds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..ports import COLORS, Alert, Command, Counts, Health, Json, NoData, Reading, Split, Totals
from .ladder import LADDER


def reading_to_json(reading: Reading) -> dict[str, Json]:
    """A reading as JSON values; instants as ISO 8601, counts along the ladder without the zeros at its end."""
    return {
        "at": reading.at.isoformat(),
        "split": list(reading.split),
        "totals": _both(reading.totals),
        "probes": None if reading.probes is None else _both(reading.probes),
        "health": {color: list(health[: 2 if health.share is None else 3]) for color, health in reading.health.items()},
        "alerts": (_silent(reading.alerts) if isinstance(reading.alerts, NoData) else _alerts(reading.alerts)),
        "command": None if reading.command is None else _command(reading.command),
        **_levels(reading.levels),
        **({"more": {name: _both(counts) for name, counts in reading.more.items()}} if reading.more else {}),
    }


def reading_from_json(given: Mapping[str, Any]) -> Reading:
    """The reading that ``reading_to_json`` wrote."""
    blue, green, way_back, writer = given["split"]
    alerts, probes, command = given["alerts"], given["probes"], given["command"]
    counted = None if probes is None else _colors(probes)
    return Reading(
        datetime.fromisoformat(given["at"]),
        Split(blue, green, way_back, writer),
        _colors(given["totals"]),
        None if isinstance(counted, NoData) else counted,
        {color: Health(*given["health"][color]) for color in COLORS if color in given["health"]},
        (
            NoData(alerts["no_data"], _alerts_from(alerts.get("heard", ())))
            if isinstance(alerts, dict)
            else _alerts_from(alerts)
        ),
        None if command is None else Command(*command),
        _levels_from(given.get("levels", {})),
        {name: _colors(counts) for name, counts in given.get("more", {}).items()},
    )


def _command(command: Command) -> list[Json]:
    return list(command if command.number else command[:3])


def _alerts(alerts: Sequence[Alert]) -> list[Json]:
    return [[a.name, a.severity, a.since.isoformat(), a.summary] for a in alerts]


def _silent(found: NoData) -> dict[str, Json]:
    return {"no_data": found.why, **({"heard": _alerts(found.heard)} if found.heard else {})}


def _alerts_from(given: Any) -> tuple[Alert, ...]:
    return tuple(Alert(name, kind, datetime.fromisoformat(at), text) for name, kind, at, text in given)


def _levels(levels: Mapping[str, float] | NoData) -> dict[str, Json]:
    """Nothing at all without any: most readings have none, and old ones have no such key."""
    if isinstance(levels, NoData):
        return {"levels": {"no_data": levels.why}}
    return {"levels": dict(levels)} if levels else {}


def _levels_from(given: Mapping[str, Any]) -> Mapping[str, float] | NoData:
    return NoData(given["no_data"]) if "no_data" in given else dict(given)


def _both(totals: Counts) -> Json:
    if isinstance(totals, NoData):
        return {"no_data": totals.why}
    return {color: _counts(each) for color, each in totals.items()}


def _counts(totals: Totals) -> list[Json]:
    """Requests, errors, the counts along the ladder, and any at other edges."""
    rungs = [totals.slower.get(edge, 0) for edge in LADDER]
    while rungs and not rungs[-1]:
        rungs.pop()
    others = {repr(edge): count for edge, count in totals.slower.items() if edge not in _RUNGS and count}
    return [totals.requests, totals.errors, rungs, *([others] if others else [])]


def _colors(given: Mapping[str, Any]) -> Counts:
    if "no_data" in given:
        return NoData(given["no_data"])
    return {color: _totals(*given[color]) for color in COLORS if color in given}


def _totals(requests: int, errors: int, rungs: list[int], others: Mapping[str, int] | None = None) -> Totals:
    slower = {edge: count for edge, count in zip(LADDER, rungs, strict=False) if count}
    return Totals(requests, errors, slower | {float(edge): count for edge, count in (others or {}).items()})


_RUNGS = frozenset(LADDER)
