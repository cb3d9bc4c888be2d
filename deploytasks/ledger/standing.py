"""What the events add up to, as values: who is at work, what was settled, what stands where, what was proven.

Each value is made from facts of its fields' names, be they an event's or those of its own JSON. So events of
another version of this code, with facts missing or unknown, can always be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from ..ports import COLORS, Color, Json
from .event import instant_text
from .facts import Facts, color, instant, part, parts, text, texts, truth, whole

LONGEST = 300
"""Characters of a text that are kept here; the event has all of it."""

_DAWN = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Open(NamedTuple):
    """A deployment that began and has not ended: someone works on it, or died at it."""

    deployment: str
    number: int
    """Of its ``began`` event, which has the plan."""
    task: str
    who: str
    host: str
    version: str
    digest: str
    color: Color | None
    at: datetime


class Settled(NamedTuple):
    """The last deployment that ended well, and the way back from it."""

    deployment: str
    color: Color | None
    version: str
    release: str
    digest: str
    commit: str
    at: datetime
    way_back: Color | None
    """Where a rollback would go; ``None``: taken, or given up."""
    way_back_until: datetime | None


class Placed(NamedTuple):
    """The release that was last installed on a color, and by which deployment."""

    deployment: str
    version: str
    release: str
    digest: str
    commit: str


class Ended(NamedTuple):
    """A deployment that is over: ``code`` is what the process left with."""

    deployment: str
    task: str
    version: str
    digest: str
    outcome: str
    code: int
    why: str
    who: str
    began: datetime | None
    ended: datetime
    number: int
    """Of its first ``began`` event, which has the plan; 0 when it is not known."""
    resumable: bool = False


class Evidence(NamedTuple):
    """The latest look at one item; it holds for ``key`` only (tree, digest, command, configuration)."""

    item: str
    key: str
    ok: bool
    detail: str
    at: datetime
    who: str


class Signed(NamedTuple):
    """Something a person signed. The event ``number`` has the statement word for word, and the signature."""

    act: str
    """``sign`` an item, ``override`` a refusal, ``approve`` a plan."""
    item: str
    """Of the checklist; empty for a plan."""
    about: str
    """The commit, or the digest of the plan."""
    note: str
    signer: str
    """The principal whose key signed; empty where no key was asked for."""
    at: datetime
    who: str
    number: int


class Succeeded(NamedTuple):
    """A release that was settled."""

    deployment: str
    version: str
    digest: str
    commit: str
    at: datetime
    who: str


class Asked(NamedTuple):
    """What somebody asked of the deployment that is open: to pause, continue, abort or promote."""

    number: int
    """Of the event."""
    verb: str
    reason: str
    at: datetime
    who: str
    said: str
    """What came of it; empty while nobody has heard it."""
    obeyed: bool


class WentBack(NamedTuple):
    """All traffic was taken home beside a deployment: by somebody, or by the dead-man's switch."""

    color: Color | None
    """Where it went."""
    version: str
    """What users have had since, as far as it is known."""
    left: str
    """What they had before."""
    reason: str
    by_switch: bool
    at: datetime
    who: str


class Closed(NamedTuple):
    """The site was closed, and has not been opened since."""

    message: str
    at: datetime
    who: str


class Standing(NamedTuple):
    """All of it. ``recent``, ``evidence``, ``signed``, ``succeeded``, ``withdrawn``, ``rollbacks``, ``asked`` and
    ``imported`` have the newest last."""

    open: Open | None = None
    settled: Settled | None = None
    releases: Mapping[Color, Placed] = {}
    recent: tuple[Ended, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    signed: tuple[Signed, ...] = ()
    """The latest of each person's act on each item about the same thing."""
    succeeded: tuple[Succeeded, ...] = ()
    """The latest success of each content of each commit, but for those that were rolled back."""
    withdrawn: tuple[Succeeded, ...] = ()
    """Successes that were rolled back, until the same content succeeds again."""
    rollbacks: tuple[WentBack, ...] = ()
    closed: Closed | None = None
    asked: tuple[Asked, ...] = ()
    """Of the open deployment, or of the last one."""
    imported: tuple[str, ...] = ()
    """Spooled events that are in the ledger."""

    def evidence_of(self, item: str) -> Evidence | None:
        """The latest evidence of an item."""
        return next((known for known in self.evidence if known.item == item), None)

    @property
    def latest(self) -> datetime | None:
        """The latest time that any of it tells."""
        times = [*(one.at for one in self.evidence), *(one.at for one in self.signed)]
        times += [*(one.at for one in self.succeeded), *(one.ended for one in self.recent)]
        return max(times, default=None)


def short(facts: Facts, name: str) -> str:
    """A text, cut to what is kept here."""
    return text(facts, name)[:LONGEST]


_READERS: Mapping[str, Callable[[Facts, str], Any]] = {
    "str": short,
    "int": whole,
    "bool": truth,
    "Color | None": color,
    "datetime": lambda facts, name: instant(facts, name) or _DAWN,
    "datetime | None": instant,
}
"""How a field is read, by its annotation."""

_FIELDS: Mapping[type, tuple[tuple[str, Callable[[Facts, str], Any]], ...]] = {
    kind: tuple((name, _READERS[str(getattr(of, "__forward_arg__", of))]) for name, of in kind.__annotations__.items())
    for kind in (Open, Settled, Placed, Ended, Evidence, Signed, Succeeded, WentBack, Closed, Asked)
}

V = TypeVar("V", Open, Settled, Placed, Ended, Evidence, Signed, Succeeded, WentBack, Closed, Asked)


def made_of(kind: type[V], facts: Facts) -> V:
    """A value of this kind from the facts of its fields' names; a missing fact reads empty."""
    return kind(*(read(facts, name) for name, read in _FIELDS[kind]))


_Value = Open | Settled | Placed | Ended | Evidence | Signed | Succeeded | WentBack | Closed | Asked


def _facts_of(value: _Value | None) -> dict[str, Json] | None:
    if value is None:
        return None
    return {
        name: instant_text(field) if isinstance(field, datetime) else field for name, field in value._asdict().items()
    }


def standing_to_json(standing: Standing) -> dict[str, Json]:
    """The standing as JSON; ``standing_from_json`` gives it back."""
    return {
        "open": _facts_of(standing.open),
        "settled": _facts_of(standing.settled),
        "releases": {where: _facts_of(placed) for where, placed in standing.releases.items()},
        "recent": [_facts_of(ended) for ended in standing.recent],
        "evidence": [_facts_of(seen) for seen in standing.evidence],
        "signed": [_facts_of(signed) for signed in standing.signed],
        "succeeded": [_facts_of(success) for success in standing.succeeded],
        "withdrawn": [_facts_of(success) for success in standing.withdrawn],
        "rollbacks": [_facts_of(back) for back in standing.rollbacks],
        "closed": _facts_of(standing.closed),
        "asked": [_facts_of(asked) for asked in standing.asked],
        "imported": list(standing.imported),
    }


def standing_from_json(found: Facts) -> Standing:
    """The standing in this JSON."""
    releases = part(found, "releases")
    return Standing(
        open=made_of(Open, part(found, "open")) if found.get("open") else None,
        settled=made_of(Settled, part(found, "settled")) if found.get("settled") else None,
        releases={where: made_of(Placed, part(releases, where)) for where in COLORS if where in releases},
        recent=tuple(made_of(Ended, ended) for ended in parts(found, "recent")),
        evidence=tuple(made_of(Evidence, seen) for seen in parts(found, "evidence")),
        signed=tuple(made_of(Signed, signed) for signed in parts(found, "signed")),
        succeeded=tuple(made_of(Succeeded, success) for success in parts(found, "succeeded")),
        withdrawn=tuple(made_of(Succeeded, success) for success in parts(found, "withdrawn")),
        rollbacks=tuple(made_of(WentBack, back) for back in parts(found, "rollbacks")),
        closed=made_of(Closed, part(found, "closed")) if found.get("closed") else None,
        asked=tuple(made_of(Asked, asked) for asked in parts(found, "asked")),
        imported=tuple(texts(found, "imported")),
    )
