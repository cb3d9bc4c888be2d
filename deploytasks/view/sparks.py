"""Numbers as blocks: bars, gauges with a marked limit, lines over time. Pure, and read without any color."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FULL, EMPTY, REST, LIMIT, OVER = "█", "░", "─", "┃", "█"
_RISING = "▁▂▃▄▅▆▇"
"""Below the limit; only what is over it fills the whole height."""
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_DASH = "╌"
REACH = 1.5
"""How far beyond its lowest limit a gauge goes."""
_HEADROOM = 1.25
"""How far beyond its limit a chart goes at least."""

Values = Sequence[float | None]


def bar(fraction: float, cells: int) -> str:
    """``████░░░░``; anything above nothing shows."""
    full = min(cells, max(round(fraction * cells), 1 if fraction > 0 else 0))
    return FULL * full + EMPTY * (cells - full)


def gauge(value: float | None, limits: Iterable[float], cells: int) -> str:
    """``███────┃───``: how far a value is from its limits. A bar that goes past the first mark is over it."""
    known = sorted(limit for limit in limits if limit > 0)
    if not known:
        return REST * cells
    reach = REACH * known[0]
    shown = list(bar(min(1.0, (value or 0.0) / reach), cells).replace(EMPTY, REST))
    for limit in known:
        at = round(limit / reach * cells)
        if at < cells:
            shown[at] = LIMIT
    if value is not None and known[0] < value:  # a little over shows as over
        at = round(known[0] / reach * cells) + 1
        shown[at:] = [FULL, *shown[at + 1 :]]
    elif value is not None:
        shown = [
            REST if cell == FULL and at >= round(known[0] / reach * cells) else cell for at, cell in enumerate(shown)
        ]
    return "".join(shown)


def spark(values: Values, limit: float | None, cells: int) -> str:
    """The latest values as one line of blocks, the newest at its right end. Only what is over the limit is a full
    block; nothing measured is blank."""
    if cells < 1:
        return ""
    shown = values[-cells:]
    top = limit or max((value for value in shown if value is not None and value != float("inf")), default=0.0)
    return "".join(_block(value, top, limit is not None) for value in shown).rjust(cells)


def _block(value: float | None, top: float, is_limit: bool) -> str:
    if value is None:
        return " "
    if value <= 0 or top <= 0:
        return _RISING[0]
    if value > top:
        return OVER
    steps = len(_RISING) - 1
    return _RISING[min(steps, 1 + int(value / top * (steps - (0 if is_limit else 1))))]


def chart(values: Values, limit: float | None, cells: int, rows: int, top: float | None = None) -> list[str]:
    """The latest values over several lines, the highest first, with a dashed line where the limit is.

    ``top``: what its upper edge means, so that two charts can be compared; else it is chosen by these values.
    """
    shown = values[-cells:] if cells > 0 else []
    edge = top or top_of([shown], limit)
    dashed = None if limit is None or not edge else min(rows - 1, int(limit / edge * rows))
    lines = []
    for row in reversed(range(rows)):
        blank = _DASH if row == dashed else " "
        cellular = "".join(_part(value, edge, row, rows, blank) for value in shown)
        lines.append(cellular.rjust(cells, blank))
    return lines


def top_of(lines: Iterable[Values], limit: float | None) -> float:
    """What the upper edge of a chart means: its values, and the limit with a little room; one that is far above all
    of them would flatten them, and is out of sight."""
    highest = max((v for line in lines for v in line if v is not None and v != float("inf")), default=0.0)
    if limit is not None and (highest == 0 or highest * 4 >= limit):
        return max(highest, _HEADROOM * limit)
    return highest * _HEADROOM or 1.0


def _part(value: float | None, top: float, row: int, rows: int, blank: str) -> str:
    """What of a column is seen in one of its lines."""
    if value is None:
        return blank
    eighths = min(8 * rows, round(value / top * 8 * rows)) if value != float("inf") else 8 * rows
    eighths = max(2 if value > 0 else 1, eighths)  # nothing met is not the same as nobody met
    here = max(0, min(8, eighths - 8 * row))
    return _EIGHTHS[here] if here else blank
