"""Who holds the lease of an environment, as the store tells it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ..errors import Unreachable
from ..ports import Json, Store, Tag
from .event import canonical, instant_text
from .facts import Facts, instant, number, text, truth, whole


class Holder(NamedTuple):
    """A process that holds the lease, or wants to.

    ``identity`` says which process of the host it is, beyond its pid. ``place`` is where pids mean the same: one
    boot of one kernel, one namespace of pids (two containers on one host see different ones).
    """

    who: str
    """``name@host``."""
    host: str
    pid: int
    identity: str
    place: str

    @classmethod
    def here(cls, who: str, identity: Callable[[int], str | None], host: str = "") -> Holder:
        """This process. ``identity`` gives that of a pid; ``host``: another name for the machine than its own."""
        return cls(who, host or os.uname().nodename, os.getpid(), identity(os.getpid()) or "", _place())


class Holding(NamedTuple):
    """The lease as it is stored. ``beat`` counts its renewals; ``ttl`` is in seconds."""

    token: int
    holder: Holder
    doing: str
    since: datetime
    beat: int
    beat_at: datetime
    ttl: float
    released: bool = False

    def is_dead(self, seen_from: Holder, is_alive: Callable[[str], bool]) -> bool:
        """Whether the holding process is surely gone: only where its pid means the same to us as to it."""
        known = self.holder
        means_the_same = (known.host, known.place) == (seen_from.host, seen_from.place)
        return means_the_same and known.identity != "" and not is_alive(known.identity)

    def is_fresh(self, now: datetime) -> bool:
        """Whether its last sign of life is younger than its time to live, if both clocks are right."""
        return abs(now - self.beat_at) < timedelta(seconds=self.ttl)

    def __str__(self) -> str:
        """``ann@host (pid 123) since 10:15:02 UTC, doing: shift to 25 %``."""
        long_ago = self.beat_at - self.since > timedelta(hours=12)
        since = self.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC" if long_ago else "%H:%M:%S UTC")
        who, host = self.holder.who, self.holder.host
        at = "" if who.endswith(f"@{host}") else f" on {host}"
        return f"{who}{at} (pid {self.holder.pid}) since {since}, doing: {self.doing}"


def lease_key(scope: str) -> str:
    """Where the lease is kept."""
    return f"{scope}/lease.json"


def holding(store: Store, scope: str) -> Holding | None:
    """Who holds the lease now; ``None``: nobody. The holder may be dead. Raises ``Unreachable``."""
    found = stored_holding(store, scope)
    return None if found is None or found[0].released else found[0]


def stored_holding(store: Store, scope: str) -> tuple[Holding, Tag] | None:
    """What the store has of the lease, released or not, and its tag. Raises ``Unreachable``."""
    found = store.get(lease_key(scope))
    if found is None:
        return None
    try:
        return _read(json.loads(found[0])), found[1]
    except ValueError:
        raise Unreachable(
            f"the lease of {scope} is unreadable",
            state="nothing was changed",
            do=f"when nobody is at work there, delete {lease_key(scope)} from the store",
        ) from None


def write_holding(held: Holding) -> bytes:
    """The lease as it is stored."""
    who = held.holder
    document: dict[str, Json] = {
        "token": held.token,
        "holder": who.who,
        "host": who.host,
        "pid": who.pid,
        "identity": who.identity,
        "place": who.place,
        "doing": held.doing,
        "since": instant_text(held.since),
        "beat": held.beat,
        "beat_at": instant_text(held.beat_at),
        "ttl": held.ttl,
        "released": held.released,
    }
    return canonical(document)


def _read(found: Facts) -> Holding:
    since, beat_at = (instant(found, name) if isinstance(found, dict) else None for name in ("since", "beat_at"))
    if since is None or beat_at is None:
        raise ValueError("is not a lease")
    return Holding(
        token=whole(found, "token"),
        holder=Holder(
            who=text(found, "holder"),
            host=text(found, "host"),
            pid=whole(found, "pid"),
            identity=text(found, "identity"),
            place=text(found, "place"),
        ),
        doing=text(found, "doing"),
        since=since,
        beat=whole(found, "beat"),
        beat_at=beat_at,
        ttl=number(found, "ttl"),
        released=truth(found, "released"),
    )


def _place() -> str:
    """The boot and the namespace of pids, where the system tells (Linux)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
