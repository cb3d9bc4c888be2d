"""What runs against what the ledger says: where the world has gone astray. Pure.

While somebody is at work everything moves, and only what no work explains is said. What could not be read is no
difference: it says so in its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..ledger.standing import Placed, Settled, Standing
from ..ports import COLORS, Color, Installed, Notice, Split, Switch, other


class Unknown:
    """A part that could not be read."""


UNKNOWN = Unknown()


class Found(NamedTuple):
    """What was found of one environment."""

    environment: str
    standing: Standing
    split: Split | Unknown = UNKNOWN
    colors: Mapping[Color, Installed | None] | Unknown = UNKNOWN
    notice: Notice | Unknown | None = UNKNOWN
    switch: Switch | Unknown | None = UNKNOWN
    is_at_work: bool | Unknown = UNKNOWN
    """Whether somebody holds the lease and gives signs of life."""


class Astray(NamedTuple):
    """One difference, and what to do about it."""

    about: str
    """``traffic``, ``way back``, ``blue``, ``green``, ``maintenance``, ``switch`` or ``deployment``."""
    what: str
    do: str


def astray(of: Found) -> list[Astray]:
    """All differences, the most urgent first."""
    if of.is_at_work is True:
        return [*_closed(of)]
    return [*_unfinished(of), *_live(of), *_running(of), *_armed(of), *_closed(of), *_installed(of), *_way_back(of)]


def expected_live(standing: Standing) -> Color | None:
    """The color that has had all traffic since the last thing that the ledger knows; ``None``: it cannot be said."""
    settled, back = standing.settled, standing.rollbacks[-1] if standing.rollbacks else None
    if back is not None and (settled is None or back.at > settled.at):
        return back.color
    return settled.color if settled else None


def expected_release(standing: Standing, color: Color) -> Placed | Settled | None:
    """What stands on a color; ``None`` where the ledger does not know: of a deployment that was taken back, or died, it
    is not said what its undoing brought."""
    settled, placed = standing.settled, standing.releases.get(color)
    if settled is not None and settled.color == color and (placed is None or placed.deployment == settled.deployment):
        return settled
    done = {ended.deployment for ended in standing.recent if ended.code == 0}
    return placed if placed is not None and placed.deployment in done else None


def _unfinished(of: Found) -> Iterator[Astray]:
    is_left = of.is_at_work is False
    if is_left and (left := of.standing.open):
        what = f"{left.task} {left.deployment} by {left.who} was left unfinished"
        yield Astray("deployment", what, f"inv resume --env {of.environment}, or the next deployment takes it back")
    if is_left and isinstance(of.split, Split) and of.split.is_mixed:
        what = f"traffic is shared ({of.split.weights()}) and nobody is at work"
        yield Astray("traffic", what, f"inv rollback --env {of.environment} --reason …")


def _live(of: Found) -> Iterator[Astray]:
    """Whether the color that has all traffic is the one that should, by the last word that the ledger has."""
    expected = expected_live(of.standing)
    if not isinstance(of.split, Split) or of.split.is_mixed or of.standing.open is not None:
        return
    live, by = of.split.live, of.split.writer or "nobody we know"
    if expected is not None and live is not None and live != expected:
        yield Astray("traffic", f"{live} is live, written by {by}; the ledger knows {expected}", _ask_who(of))
    elif expected is not None and live is None:
        yield Astray(
            "traffic", f"nothing is exposed; the ledger knows {expected} as live", f"inv doctor --env {of.environment}"
        )
    elif live is not None and (settled := of.standing.settled) and _is_anothers(of.split, settled):
        what = (
            f"traffic was settled by {of.split.deployment}; the last one that the ledger knows is {settled.deployment}"
        )
        yield Astray("traffic", what, _ask_who(of))


def _ask_who(of: Found) -> str:
    return f"ask who did it; what is known: inv history --env {of.environment}"


def _is_anothers(split: Split, settled: Settled) -> bool:
    return split.verb == "settled" and split.deployment != settled.deployment


def _running(of: Found) -> Iterator[Astray]:
    if not isinstance(of.split, Split) or isinstance(of.colors, Unknown):
        return
    for color in COLORS:
        found = of.colors.get(color)
        if of.split.share(color) and not (found and found.runs):
            what = f"{color} has {of.split.share(color)} % of traffic, and nothing runs there"
            yield Astray(color, what, f"inv logs --env {of.environment} says why; or inv rollback --to {other(color)}")


def _armed(of: Found) -> Iterator[Astray]:
    if isinstance(of.switch, Switch) and of.switch.armed and of.is_at_work is False:
        what = "the dead-man's switch is armed and nobody is at work: it will take traffic home"
        yield Astray("switch", what, f"inv resume --env {of.environment} before that, or wait for it")


def _closed(of: Found) -> Iterator[Astray]:
    known, notice = of.standing.closed, of.notice
    if isinstance(notice, Notice) and known is None:
        what = f"the site is closed (since {notice.since:%Y-%m-%d %H:%M} UTC, by {notice.who}) without a record of it"
        yield Astray("maintenance", what, f"inv maintenance-mode disable --env {of.environment}, if it should be open")
    elif notice is None and known is not None:
        what = f"the site is open, though {known.who} closed it at {known.at:%Y-%m-%d %H:%M} UTC by the ledger"
        yield Astray(
            "maintenance", what, f"inv maintenance-mode enable --env {of.environment}, or disable: so that both agree"
        )


def _installed(of: Found) -> Iterator[Astray]:
    """Another release than was installed; other content under the same name."""
    if isinstance(of.colors, Unknown) or of.standing.open is not None:
        return
    for color, found in of.colors.items():
        known = expected_release(of.standing, color)
        if known is None or not known.release:
            continue
        if found is None:
            yield Astray(color, f"nothing is installed on {color}; the ledger knows {known.release}", _deploy(of))
        elif found.release != known.release:
            what = f"{color} has {found.release}; the ledger knows {known.release}"
            yield Astray(color, what, _deploy(of))
        elif not known.digest.startswith(found.digest):
            what = f"{color} has {found.release} with the digest {found.digest[:12]}, not {known.digest[:12]}"
            yield Astray(color, what, _deploy(of))


def _deploy(of: Found) -> str:
    return f"find out who changed it; inv deploy --env {of.environment} puts a release there again"


def _way_back(of: Found) -> Iterator[Astray]:
    """Only of the split that the last good end has left: every later way home gives it up."""
    settled = of.standing.settled
    if not isinstance(of.split, Split) or settled is None or of.split.writer != f"settled:{settled.deployment}":
        return
    if of.split.way_back != settled.way_back:
        said = f"the balancer has {of.split.way_back or 'none'}, the ledger {settled.way_back or 'none'}"
        yield Astray("way back", f"the way back is not what was recorded: {said}", _ask_who(of))
