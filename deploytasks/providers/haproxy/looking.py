"""The split of each balancer, and what they say together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from ...errors import DeployError, PartlyKnown, Unreachable
from ...ports import Split
from .balancer import Balancer, Silent
from .balancers import at_once
from .keys import Keys, split_from

SETTLES = 1.0
"""Seconds in which a write that is under way reaches all balancers."""
Look = Callable[[Balancer, float], Split]


def in_force(balancer: Balancer, timeout: float) -> Split:
    """What a balancer uses now. Raises ``Unreachable``, also when it has forgotten what was written."""
    keys = balancer.in_force(balancer.split, timeout)
    if "writer" not in keys:
        _require_memory(balancer, keys, timeout)
    return split_from(keys)


def at_rest(balancer: Balancer, timeout: float) -> Split:
    """The same; when HAProxy does not answer, what it will use when it starts."""
    try:
        return in_force(balancer, timeout)
    except Silent:
        if balancer.split.file is None:
            raise
        return split_from(balancer.kept(balancer.split, timeout))


def agreed(balancers: Sequence[Balancer], look: Look, timeout: float, most: int) -> Split:
    """What all of them say. Raises ``PartlyKnown`` when one says nothing, or when they disagree."""
    until = time.monotonic() + SETTLES
    while True:
        found = at_once(balancers, lambda each: look(each, timeout), most)
        silent = {name: error for name, error in found.items() if isinstance(error, DeployError)}
        splits = {name: split for name, split in found.items() if isinstance(split, Split)}
        if not silent and len(set(splits.values())) == 1:
            return next(iter(splits.values()))
        if silent or time.monotonic() >= until:
            raise _partly(splits, silent)
        time.sleep(0.05)  # somebody's write reaches one before the other


def described(split: Split) -> str:
    """For people, with its marks."""
    return f"{split.weights()}, way back {split.way_back or 'none'}, written by {split.writer or 'nobody'}"


def likely(splits: Sequence[Split]) -> Split | None:
    """What a way back may go by when some are silent or they disagree: a split whose way back no other contradicts.

    A balancer that missed a rollback says where home is; one that has it says so, too, and has none any more.
    """
    ways = {split.way_back for split in splits if split.way_back}
    if len(ways) > 1:
        return None
    open_ones = [split for split in splits if split.way_back]
    return next(iter(open_ones or ([splits[0]] if len(set(splits)) == 1 else [])), None)


def _partly(splits: Mapping[str, Split], silent: Mapping[str, DeployError]) -> PartlyKnown:
    said = "; ".join(f"{name}: {described(split)}" for name, split in splits.items())
    what = "; ".join(error.what for error in silent.values()) or f"the balancers disagree: {said}"
    return PartlyKnown(
        what,
        split=likely(tuple(splits.values())),
        state=said if silent else "",
        do=next((error.do for error in silent.values()), "`inv rollback` writes the same split to all of them"),
    )


def _require_memory(balancer: Balancer, keys: Keys, timeout: float) -> None:
    """Nobody signed: a first use, or one that has forgotten. The file knows; without a file nobody does."""
    table = balancer.split
    if table.file is None:
        raise Unreachable(
            f"haproxy at {balancer.name} has no signed split: it was restarted, and what it was told is gone",
            state=f"it answers with what it was started with: {split_from(keys).weights()}",
            do=f"`inv rollback --to COLOR` writes it again (a first use: `add map {table.map} writer setup:first` at "
            "its socket); give traffic.state, so that a restart forgets nothing",
        )
    kept = balancer.kept(table, timeout)
    if "writer" in kept:
        raise Unreachable(
            f"haproxy at {balancer.name} has forgotten the split that {table.file} holds: "
            f"{described(split_from(kept))}",
            state=f"it uses {split_from(keys).weights()}",
            do=f"have haproxy.cfg load exactly this file as {table.map}; `inv rollback --to COLOR` writes it again",
        )
