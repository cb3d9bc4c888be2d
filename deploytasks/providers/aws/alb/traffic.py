"""Traffic through an Application Load Balancer: weights of two target groups, and tags that say whose they are.

Neither is written with the other. The tags go first and hold both splits (``signature``); then the weights, which
decide. Between two writers there is no lock: everyone reads back what he wrote, and stops when it is not his.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from ....errors import DeployError, SplitMoved, Unreachable
from ....ports import COLORS, Call, Calls, Color, Finding, Health, Split
from ...site import Site
from . import health
from .actions import Action, Groups, attached, missing, shares, short, sticky_for, with_shares
from .place import Place
from .signature import BEFORE, SPLIT, decided, since_in, split_in, tag_of

if TYPE_CHECKING:
    from ....settings.alb import TrafficSettings

_LOOK = 0.5
"""Seconds between two looks at target health."""
_HOMEWARD = ("back", "deadman")


class Seen(NamedTuple):
    """One look at a listener or rule."""

    actions: Sequence[Action]
    tags: Mapping[str, str]
    split: Split


class Traffic:
    """The load balancer of one environment, which is not ours: only weights and tags of it change."""

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._groups = Groups(settings.groups.blue, settings.groups.green)
        self._place = Place(settings.place, site)
        self._first_seen = time.time()

    def address(self) -> str:
        return self._settings.public.rstrip("/")

    def shut_down(self) -> Calls:
        return ()

    def prepare(self) -> Calls:
        """Attach a group that is missing, at weight 0: before that nobody checks its targets."""
        lacking = missing(self._place.actions(), self._groups)
        names = " and ".join(short(self._groups.of(color)) for color in lacking)
        return [[Call(f"{self._place.name}: attach {names} at weight 0", self._attach)]] if lacking else ()

    def _attach(self, timeout: float) -> None:
        actions = self._place.actions()
        if missing(actions, self._groups):
            self._place.write(attached(actions, self._groups), state="nothing was changed")

    # -- the split -----------------------------------------------------------

    def read(self) -> Split:
        return self._look().split

    def at_rest(self) -> Split:
        return self.read()

    def _look(self) -> Seen:
        """Two requests; between them somebody may write. What then belongs together is seen at a second look."""
        seen = self._glance()
        remembered = [split_in(seen.tags.get(key)) for key in (SPLIT, BEFORE)]
        return seen if seen.split in remembered or SPLIT not in seen.tags else self._glance()

    def _glance(self) -> Seen:
        actions, tags = self._place.actions(), self._place.tags()
        return Seen(actions, tags, decided(shares(actions, self._groups, self._place.name), tags, datetime.now(UTC)))

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        name = self._place.name
        weights = ", ".join(f"{short(self._groups.of(color))}={to.share(color)}" for color in COLORS)
        how = f"weights {weights}" if to.blue + to.green else "a fixed response 503, nothing exposed"
        return Call(f"{name}: {how}; tag {SPLIT}: {tag_of(to)}", partial(self._shift, to, expect))

    def _shift(self, to: Split, expect: Split | None, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        seen = self._look()
        if expect is not None and seen.split not in (expect, to):
            raise self._moved(seen.split, expect)
        if to.verb not in _HOMEWARD:
            self._require_healthy(seen.split, to, deadline - timeout / 2)
        found = self._written(seen, to)
        while found.split != to and expect is None and time.monotonic() < deadline:
            time.sleep(_LOOK)  # a way back is not given up because a deployer wrote in the same second
            found = self._written(self._look(), to)
        if found.split != to:
            raise self._moved(self._given_way(found, to).split, to)

    def _given_way(self, found: Seen, to: Split) -> Seen:
        """Have a way back in force again that somebody signed while our weights were on their way: they came last, and
        he may have looked for the last time by then."""
        signed = split_in(found.tags.get(SPLIT))
        if to.verb in _HOMEWARD or signed is None or signed.verb not in _HOMEWARD or found.split[:2] != to[:2]:
            return found
        with suppress(DeployError):
            self._place.write(with_shares(found.actions, self._groups, signed.blue, signed.green))
            return self._look()
        return found

    def _written(self, seen: Seen, to: Split) -> Seen:
        """Tags first, then weights, unless they are so already; then both are read back. Raises ``Unreachable`` when
        AWS refused, and then everything is as it was."""
        found = seen if seen.split == to else self._tagged_and_moved(seen, to)
        before = split_in(found.tags.get(BEFORE))
        if found.split == to and to.verb == "deploy" and before and before[:2] != to[:2]:
            self._place.untag(BEFORE)  # a switch that fires later must not be taken for a write that was not finished
        return found

    def _tagged_and_moved(self, seen: Seen, to: Split) -> Seen:
        moves = to[:2] != seen.split[:2]
        try:
            try:
                self._place.tag({SPLIT: tag_of(to, _since(seen, to)), BEFORE: tag_of(seen.split)})
            except Unreachable:
                if not moves or to.verb not in _HOMEWARD:
                    raise  # else everybody goes home first: the signature is tried again afterwards
            if moves:
                self._place.write(with_shares(seen.actions, self._groups, to.blue, to.green))
        except Unreachable as error:
            return self._lost(error, seen, to)
        return self._look()

    def _lost(self, error: Unreachable, seen: Seen, to: Split) -> Seen:
        """What came of a write that failed: perhaps only its answer was lost. Raises the error, once the tags are as
        they were."""
        with suppress(DeployError):
            found = self._look()
            if found.split == to:
                return found
            if found.split == seen.split and found.tags != seen.tags:
                self._sign(seen)
        is_home = to.verb in _HOMEWARD and to[:2] == seen.split[:2]
        was = "everybody is home, and only the signature is missing" if is_home else "the load balancer is as it was"
        error.state = error.state or f"{was}: {_described(seen.split)}"
        raise error

    def _sign(self, seen: Seen) -> None:
        """Have the tags of before again."""
        before = {key: seen.tags[key] for key in (SPLIT, BEFORE) if key in seen.tags}
        if before:
            self._place.tag(before)
        if gone := [key for key in (SPLIT, BEFORE) if key not in seen.tags]:
            self._place.untag(*gone)

    def _moved(self, found: Split, wanted: Split) -> SplitMoved:
        return SplitMoved(
            f"traffic was moved by someone else: {_described(found)}",
            state=f"wanted was {_described(wanted)}",
            do=f"`inv status --env {self._site.environment}` and `inv history` say who is at work",
        )

    # -- the colors ----------------------------------------------------------

    @property
    def up_within(self) -> float:
        """Seconds that a color's targets may take to be found healthy."""
        return self._settings.up_within

    def targets(self, color: Color) -> Health:
        """How many targets of a color are healthy, as AWS finds them. Raises ``Unreachable``."""
        group = self._groups.of(color)
        return health.judged(
            health.count(self._place, group), group, self._settings.healthy, self._settings.healthy_share
        )

    def _require_healthy(self, now: Split, to: Split, deadline: float) -> None:
        """Wait until a color that is to get its first traffic has enough healthy targets."""
        deadline = min(deadline, time.monotonic() + self._settings.up_within)
        for color in (color for color in COLORS if to.share(color) and not now.share(color)):
            while not (found := self.targets(color)).healthy:
                if time.monotonic() >= deadline:
                    raise Unreachable(
                        f"{color} cannot take traffic: {found.detail}",
                        state="nothing was written: no traffic is sent there",
                        do=f"check the targets of {short(self._groups.of(color))} and its health check",
                    )
                time.sleep(_LOOK)

    def lingering(self, color: Color) -> float:
        """Seconds for which visitors may still be bound to a color that gets no new ones. All that stickiness allows,
        when it is not known since when."""
        seen = self._look()
        bound = sticky_for(seen.actions)
        return max(0.0, bound - self._idle_for(color, seen)) if bound else 0.0

    def drained(self, color: Color) -> int:
        """1 while requests may be open at a color: nobody counts them, but none takes longer than the deregistration
        delay of its group, counted from when it got nothing any more."""
        from .attributes import delay

        group, idle = self._groups.of(color), self._idle_for(color, self._look())
        if idle == inf or idle >= delay(self._place, group):
            return 0
        found = health.count(self._place, group)
        return int(bool(found.registered or found.others))

    def _idle_for(self, color: Color, seen: Seen) -> float:
        """Seconds since a color got its last new request, as far as it is known; infinite, when none of ours ever sent
        it any."""
        if seen.split.share(color):
            return 0.0
        if SPLIT not in seen.tags:
            return inf
        if split_in(seen.tags[SPLIT]) != seen.split:
            return time.time() - self._first_seen
        since = since_in(seen.tags[SPLIT])
        return time.time() - since.timestamp() if since else inf

    def diagnose(self) -> Sequence[Finding]:
        from .diagnosis import diagnose

        return diagnose(self, self._place, self._groups)


def _since(seen: Seen, to: Split) -> datetime | None:
    """When the weights that are being signed became these; ``None``: they were so before anybody signed."""
    text = seen.tags.get(SPLIT)
    signed = split_in(text)
    if to[:2] != seen.split[:2] or (text is not None and (signed is None or signed[:2] != to[:2])):
        return datetime.now(UTC)
    return since_in(text)


def _described(split: Split) -> str:
    return f"{split.weights()}, written by {split.writer or 'nobody we know'}"
