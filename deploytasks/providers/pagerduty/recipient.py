"""PagerDuty as a recipient of bulletins: who is on call is got out of bed for what a person must do, and told the rest.

An incident for each deployment that opens one (``settings.opens``, and a way back that failed), resolved by the next
deployment that ends well; a change event for each deployment that ended well and for each rollback.

All of a bulletin may be sent again: an incident has a key, and to resolve twice is to resolve once. A change event has
none, so it goes last, and which bulletins were told as changes is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...bulletins import Bulletin, Change, Memory, Sending, reaches
from ...errors import DeployError, Undeliverable
from ...ports import Finding, Json
from . import events
from .events import Event, Events, Level
from .keys import dedup_key

if TYPE_CHECKING:
    from ...settings.pagerduty import PagerDutySettings
    from ..site import Site

SUBJECT = "messages: pagerduty"
MUST_ACT: frozenset[Change] = frozenset(("stuck", "switch-failed"))
"""Nothing goes on by itself: a person must act now."""
BACK: frozenset[Change] = frozenset(
    ("taken-back", "gave-up", "failed", "interrupted", "switch-fired", "rolled-back", "restored")
)
"""Something was undone: a change as well."""
_LIVE = frozenset(("deploy", "hotfix", "deploy-blue-green", "shift"))
"""Tasks after whose good end a release is live."""
_MOST = 50
"""Incidents that are remembered as open."""


class Message(NamedTuple):
    """All that one bulletin is to PagerDuty: events by their keys, and a change."""

    alerts: Sequence[Event]
    change: Event | None
    open: Mapping[str, str]
    """What is open after it: key → the change that opened it."""


class Pager:
    """One integration of one service."""

    def __init__(self, settings: PagerDutySettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._events = Events(settings, site)
        self._alerted = self._changed = 0
        """The bulletins of which this process sent all events, and the change: what is said again and again would open
        what somebody has resolved."""

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        """What opens, resolves or only tells; ``None`` for all that is neither."""
        message = self._message(bulletin, memory)
        if not message.alerts and message.change is None:
            return None
        return Sending(self._text(bulletin, message), lambda seconds: self._sent(bulletin, message, memory, seconds))

    def diagnose(self) -> Sequence[Finding]:
        """Whether it takes events with this key. What is sent resolves an incident that is never open: it is dropped
        without a word, and nobody is told."""
        site = self._site
        probe = events.resolve(dedup_key(site.application, site.environment, "doctor"))
        try:
            self._events.alert(probe, self._events.until(self._settings.within))
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        return [Finding(SUBJECT, "ok", f"PagerDuty at {self._events.url} takes events")]

    # -- deciding --------------------------------------------------------------------------------------------

    def _message(self, bulletin: Bulletin, memory: Memory) -> Message:
        before = _open(memory)
        level = self._level(bulletin)
        is_change = self._settings.changes and _is_change(bulletin) and memory.get("changed") != bulletin.number
        change = events.change(bulletin) if is_change else None
        if level is not None:
            key = dedup_key(bulletin.application, bulletin.environment, bulletin.deployment or str(bulletin.number))
            after = {**{known: why for known, why in before.items() if known != key}, key: bulletin.change}
            return Message([events.trigger(bulletin, key, level)], change, dict(list(after.items())[-_MOST:]))
        mended = _mended(bulletin, before)
        after = {key: why for key, why in before.items() if key not in mended}
        return Message([events.resolve(key) for key in mended], change, after)

    def _level(self, bulletin: Bulletin) -> Level | None:
        """How severe an incident it opens; ``None``: it opens none. What people know already is a detail."""
        if bulletin.severity == "detail" or not reaches(bulletin, self._settings.severity):
            return None
        if bulletin.change in MUST_ACT:
            return "critical"
        if bulletin.change not in self._settings.opens:
            return None
        return self._settings.rolled_back or bulletin.severity

    def _text(self, bulletin: Bulletin, message: Message) -> str:
        done = [f"{event['event_action']} {event['dedup_key']}" for event in message.alerts]
        words = "; ".join([*done, *(["change event"] if message.change is not None else [])])
        return f"PagerDuty: {words}: {bulletin.headline}"

    # -- sending ---------------------------------------------------------------------------------------------

    def _sent(self, bulletin: Bulletin, message: Message, memory: Memory, seconds: float) -> Memory:
        """Incidents first. Raises ``Undeliverable`` when all of it was refused; what was taken is remembered."""
        until = self._events.until(seconds)
        refused: list[Undeliverable] = []
        left: dict[str, Json] = {**memory, "open": {**_open(memory)}}
        taken = 0
        for event in () if self._alerted == bulletin.number else message.alerts:
            try:
                self._events.alert(event, until)
                taken += 1
            except Undeliverable as error:
                refused.append(error)
        if not refused:
            self._alerted, left["open"] = bulletin.number, dict(message.open)
        try:
            if message.change is not None and self._changed != bulletin.number and self._events.takes_changes:
                self._events.change(message.change, until)
                self._changed, left["changed"] = bulletin.number, bulletin.number
                taken += 1
        except Undeliverable as error:
            refused.append(error)
        if refused and not taken:
            raise refused[0]
        return left


def _open(memory: Memory) -> dict[str, str]:
    found = memory.get("open")
    return {str(key): str(why) for key, why in found.items()} if isinstance(found, Mapping) else {}


def _is_change(bulletin: Bulletin) -> bool:
    return bulletin.severity != "detail" and (bulletin.change == "finished" or bulletin.change in BACK)


def _mended(bulletin: Bulletin, before: Mapping[str, str]) -> list[str]:
    """The keys of the incidents that are over: all of them when a release is live, and what a person had to do when a
    person took traffic home."""
    if bulletin.change == "finished" and bulletin.severity != "detail" and _is_live(bulletin):
        return list(before)
    if bulletin.change == "rolled-back":
        return [key for key, why in before.items() if why in MUST_ACT]
    return []


def _is_live(bulletin: Bulletin) -> bool:
    """Not after a share that was tried by hand, nor after a piece of something."""
    if bulletin.task not in _LIVE:
        return False
    return bulletin.task != "shift" or f"{bulletin.color} 100 %" in bulletin.split
