"""All environments side by side, as many as the terminal is wide; then what about them deserves attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..paint import Paint, bare, hanging, width, wrapped
from .briefly import briefly, differences
from .reading import fields

_LABEL = 10
"""Cells for the names of the rows, with the gap after them."""
_GAP = 2
_NARROWEST = 20
"""Cells for an environment; where that is not to be had for all, they are shown one group below the other."""


def abreast(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """A column for each environment."""
    environments = {str(name): fields(each) for name, each in fields(answer, "environments").items()}
    if not environments:
        return ["no environment is known"]
    fit = max(1, (paint.columns - _LABEL + _GAP) // (_NARROWEST + _GAP))
    rows = -(-len(environments) // fit)
    each = -(-len(environments) // rows)  # groups of the same size look better than a full one and a rest
    names = list(environments)
    lines: list[str] = []
    for at in range(0, len(names), each):
        lines += [
            *([""] if lines else []),
            *_group({name: environments[name] for name in names[at : at + each]}, each, paint),
        ]
    return [*lines, *_cares(environments, paint)]


def _group(environments: Mapping[str, Mapping[str, Any]], columns: int, paint: Paint) -> list[str]:
    wide = (paint.columns - _LABEL + _GAP) // columns - _GAP
    found = [briefly(each, paint) for each in environments.values()]
    labels = list(dict.fromkeys(label for each in found for label, said in each.items() if said))
    lines = _row("", [paint(name, "bold") for name in environments], wide)
    for label in labels:
        lines += _row(paint(label, "dim"), [each.get(label, "") for each in found], wide)
    return lines


def _row(label: str, cells: Sequence[str], wide: int) -> list[str]:
    """As many lines as its longest cell needs."""
    folded = [[part for line in hanging("", cell, wide) for part in _cut(line, wide)] for cell in cells]
    lines = []
    for number in range(max(map(len, folded))):
        parts = [lines_of[number] if number < len(lines_of) else "" for lines_of in folded]
        first = label if number == 0 else ""
        row = "".join(part + " " * (wide + _GAP - width(part)) for part in parts)
        lines.append((first + " " * (_LABEL - width(first)) + row).rstrip())
    return lines


def _cut(line: str, wide: int) -> list[str]:
    """A word that is longer than a column, in pieces; one with colors stays whole, and loses them."""
    if width(line) <= wide:
        return [line]
    plain = bare(line)
    return [plain[at : at + wide] for at in range(0, len(plain), wide)]


def _cares(environments: Mapping[str, Mapping[str, Any]], paint: Paint) -> list[str]:
    cares = [f"{name}: {care}" for name, each in environments.items() for care in differences(each)]
    lines = [line for care in cares for line in _marked(care, paint)]
    return ["", *lines] if lines else []


def _marked(care: str, paint: Paint) -> list[str]:
    first, *more = wrapped(care, paint.columns, "    ")
    return [f"  {paint.mark('warn')} {first.strip()}", *more]
