"""As much of NRQL as is asked for, over transactions that were fed: anything else is a syntax error.

SELECT count(*) AS 'n', filter(count(*), WHERE duration > 2) AS 's', latest(timestamp) AS 't', percentile(duration, 95)
FROM Transaction WHERE appName IN ('Shop') AND transactionType = 'Web' AND error IS true AND timestamp >= 1
FACET `color` SINCE 1700000000000 UNTIL 1700000060000 LIMIT 10
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LONGEST = 4000
"""Characters of a query: the real limit is not documented, and nobody should come near."""
_CLAUSES = re.compile(r"\b(SELECT|FROM|WHERE|FACET|SINCE|UNTIL|LIMIT|EXTRAPOLATE|TIMESERIES|COMPARE)\b(?![^(]*\))")
_CONDITION = re.compile(
    r"(?P<name>`[^`]+`|\w+)\s*(?:IN\s*\((?P<values>'[^']*'(?:,\s*'[^']*')*)\)|IS\s+(?P<is>true|false|null)"
    r"|(?P<sign>>=|<=|=|>|<)\s*(?:'(?P<text>[^']*)'|(?P<number>\d+(?:\.\d+)?)))"
)
Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class NrqlError(Exception):
    """What NerdGraph says of a query with class ``INVALID_INPUT``."""


def run(query: str, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The ``results`` of a query. Raises ``NrqlError``."""
    if len(query) > LONGEST:
        raise NrqlError("the query is too long")
    clauses = _clauses(query)
    if clauses["FROM"] != "Transaction":
        raise NrqlError(f"NRQL Syntax Error: unknown event {clauses['FROM']!r}")
    since, until = (_instant(clauses, name) for name in ("SINCE", "UNTIL"))
    if since >= until:
        raise NrqlError("SINCE must be before UNTIL")
    wanted = [_function(each) for each in _split(clauses["SELECT"])]
    test = _conditions(clauses["WHERE"])
    # Whether UNTIL counts its own millisecond is not known: it does here, so that a query has to say what it means.
    seen = [row for row in rows if since <= row["timestamp"] <= until and test(row)]
    if "FACET" not in clauses:
        return [{alias: compute(seen) for alias, compute in wanted}]
    attribute = clauses["FACET"].strip("`")
    groups: dict[Any, list[Row]] = {}
    for row in seen:
        if row.get(attribute) is not None:
            groups.setdefault(row[attribute], []).append(row)
    order = sorted(groups, key=lambda value: -len(groups[value]))[: int(clauses.get("LIMIT", "10"))]
    return [
        {"facet": value, attribute: value, **{alias: compute(groups[value]) for alias, compute in wanted}}
        for value in order
    ]


def _clauses(query: str) -> dict[str, str]:
    # What stands between quotes is no clause.
    found = list(_CLAUSES.finditer(re.sub(r"'[^']*'", lambda text: "'" + "_" * (len(text[0]) - 2) + "'", query)))
    names = [each.group(1) for each in found]
    if names[:3] != ["SELECT", "FROM", "WHERE"] or len(set(names)) < len(names) or query[: found[0].start()].strip():
        raise NrqlError(f"NRQL Syntax Error: Error at line 1 position 0, unexpected '{query[:20]}'")
    if refused := set(names) & {"EXTRAPOLATE", "TIMESERIES", "COMPARE"}:
        raise NrqlError(f"not understood here: {', '.join(sorted(refused))}")
    ends = [each.start() for each in found[1:]] + [len(query)]
    return {each.group(1): query[each.end() : end].strip() for each, end in zip(found, ends, strict=True)}


def _instant(clauses: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"\d{13}", clauses.get(name, "")):
        raise NrqlError(f"{name} needs milliseconds of Unix time here")
    return int(clauses[name])


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    parts, depth = [""], 0
    for each in text:
        depth += (each == "(") - (each == ")")
        if each == "," and not depth:
            parts.append("")
        else:
            parts[-1] += each
    return [part.strip() for part in parts]


def _function(text: str) -> tuple[str, Callable[[Sequence[Row]], Any]]:
    found = re.fullmatch(r"(?P<what>.+?)(?:\s+AS\s+'(?P<alias>\w+)')?", text)
    assert found
    what, alias = found["what"], found["alias"]
    if what == "count(*)":
        return alias or "count", len
    if inner := re.fullmatch(r"filter\(count\(\*\),\s*WHERE (.+)\)", what):
        test = _conditions(inner[1])
        return alias or "count", lambda rows: sum(map(test, rows))
    if what == "latest(timestamp)":
        return alias or "latest.timestamp", lambda rows: max((row["timestamp"] for row in rows), default=None)
    if inner := re.fullmatch(r"percentile\(duration, ([\d., ]+)\)", what):
        shares = [each.strip() for each in inner[1].split(",")]
        return alias or "percentile.duration", lambda rows: {share: _percentile(rows, float(share)) for share in shares}
    raise NrqlError(f"NRQL Syntax Error: unknown function {what!r}")


def _percentile(rows: Sequence[Row], share: float) -> float | None:
    seen = sorted(row["duration"] for row in rows)
    return seen[max(0, math.ceil(share / 100 * len(seen)) - 1)] if seen else None


def _conditions(text: str) -> Test:
    tests, at = [], 0
    while True:
        found = _CONDITION.match(text, at)
        if found is None:
            raise NrqlError(f"NRQL Syntax Error: Error at line 1 position {at}, unexpected '{text[at : at + 20]}'")
        tests.append(_test(found))
        at = found.end()
        if at == len(text):
            return lambda row: all(test(row) for test in tests)
        if not (joined := re.compile(r"\s+AND\s+").match(text, at)):
            raise NrqlError(f"NRQL Syntax Error: unexpected '{text[at : at + 20]}'")
        at = joined.end()


def _test(found: re.Match[str]) -> Test:
    name = found["name"].strip("`")
    if found["values"] is not None:
        texts = set(re.findall(r"'([^']*)'", found["values"]))
        return lambda row: row.get(name) in texts
    if found["is"] is not None:
        wanted = {"true": True, "false": False, "null": None}[found["is"]]
        return lambda row: row.get(name) is wanted
    value: Any = found["text"] if found["text"] is not None else float(found["number"])
    compare: Callable[[Any, Any], bool] = {
        "=": lambda a, b: a == b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
    }[found["sign"]]
    return lambda row: row.get(name) is not None and compare(row[name], value)
