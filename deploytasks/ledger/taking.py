"""How a lease is taken: when it is free, when its holder is dead, or when its holder stays silent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Conflict, LeaseHeld
from ..ports import Store, Tag
from .chain import Ledger
from .holder import Holder, Holding, lease_key, stored_holding, write_holding

if TYPE_CHECKING:
    from .lease import Clock


class _Watch:
    """How long a stored lease has not changed, on our own clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.elapsed()
        self._since = self._began
        self._tag: Tag | None = None
        self.has_changed = False

    @property
    def waited(self) -> float:
        """Seconds since the watch began."""
        return self._clock.elapsed() - self._began

    def still(self, tag: Tag) -> float:
        """Seconds for which the tag is what it is now."""
        if tag != self._tag:
            self.has_changed = self._tag is not None
            self._tag, self._since = tag, self._clock.elapsed()
        return self._clock.elapsed() - self._since


class Taken(NamedTuple):
    """A lease just taken: as stored, its tag, since when it can be ours (``elapsed`` seconds), and from whom."""

    held: Holding
    tag: Tag
    asked_at: float
    taken_from: str | None


def take(
    store: Store,
    scope: str,
    holder: Holder,
    doing: str,
    clock: Clock,
    is_alive: Callable[[str], bool],
    wait: float,
    ttl: float,
) -> Taken:
    """What ``Lease.take`` promises."""
    watch = _Watch(clock)
    wanted = Holding(0, holder, doing, clock.now(), 0, clock.now(), ttl)
    while True:
        found = stored_holding(store, scope)
        with suppress(Conflict):  # another taker was faster, or the holder lives after all: wait or give up
            if found is None or found[0].released:
                return _claim(store, scope, wanted, found, clock)
            if watch.still(found[1]) >= found[0].ttl or found[0].is_dead(holder, is_alive):
                return _claim(store, scope, wanted, found, clock)._replace(taken_from=str(found[0]))
            if watch.waited >= wait and (watch.has_changed or found[0].is_fresh(clock.now())):
                raise _held_by(scope, found[0], clock)
            clock.sleep(min(1.0, found[0].ttl / 20))


def _claim(store: Store, scope: str, wanted: Holding, found: tuple[Holding, Tag] | None, clock: Clock) -> Taken:
    """Write ourselves in, in the place of ``found`` and of nothing else; ``Conflict`` if that is no longer there."""
    asked_at, now = clock.elapsed(), clock.now()
    # The ledger's token counts as well: the lease may have been deleted, or come back from an old copy.
    recorded = Ledger(store, scope, wanted.holder.who, clock.now).head().token
    token = max(recorded, found[0].token if found else 0) + 1
    held = wanted._replace(token=token, since=now, beat_at=now)
    tag = store.put(lease_key(scope), write_holding(held), found[1] if found else None)
    return Taken(held, tag, asked_at, None)


def _held_by(scope: str, held: Holding, clock: Clock) -> LeaseHeld:
    ago = (clock.now() - held.beat_at).total_seconds()
    return LeaseHeld(
        f"{scope} is held by {held}",
        state=f"nothing was changed; its last sign of life was {max(ago, 0):.0f} s ago",
        do="wait with --wait SECONDS, or see `inv status`",
    )
