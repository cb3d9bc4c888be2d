"""What ``doctor`` says about the switch. Pure: what was seen in, findings out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ....ports import Finding
from . import showing
from .looking import Look
from .schedule import PRECISION, Schedule, owner_of

if TYPE_CHECKING:
    from ....settings.eventbridge import EventBridgeSettings

LEAST_GRACE = 60.0
"""Seconds; below, the minute that AWS takes is longer than the grace, and one slow answer of AWS looks like death."""
_NOT_TRIED = "whether the role may be passed on, and what it may do, shows only when it is used: try it once"


def findings(
    settings: EventBridgeSettings, has_group: bool, there: Schedule | None, look: Look, now: datetime, name: str
) -> Sequence[Finding]:
    """The group, the grace, and what is left of a deployment that is not at work."""
    return [*_group(settings, has_group), *_grace(settings), _switch(there, look, now, name)]


def _group(settings: EventBridgeSettings, has_group: bool) -> Sequence[Finding]:
    if has_group:
        return ()
    do = f"aws scheduler create-schedule-group --name {settings.group}; or name another one: deadman.group"
    return [Finding("deadman", "fail", f"the schedule group {settings.group} is not there", do)]


def _grace(settings: EventBridgeSettings) -> Sequence[Finding]:
    if settings.grace >= LEAST_GRACE:
        return ()
    detail = (
        f"a grace of {settings.grace:g} s is shorter than the {PRECISION:g} s that EventBridge may take on top of it"
    )
    return [Finding("deadman", "warn", detail, "set deadman.grace to a minute at least; 10m is usual")]


def _switch(there: Schedule | None, look: Look, now: datetime, name: str) -> Finding:
    if there is None:
        return _gone(look, now, name)
    found, owner = showing.standing(name, there, now), owner_of(there)
    if owner is None:
        return Finding("deadman", "fail", found.detail, "delete that schedule, or set deadman.group")
    if not found.armed:
        return Finding("deadman", "warn", found.detail, "the next deployment arms it anew")
    if look.split.writer == f"deploy:{owner.deployment}":
        return Finding("deadman", "ok", found.detail)
    detail = f"{found.detail}; but the split is by {look.split.writer or 'nobody who signed'}: nobody beats for it"
    do = f"`inv rollback` deletes it, or: aws scheduler delete-schedule --name {there.get('Name', name)}"
    return Finding("deadman", "warn", detail, do)


def _gone(look: Look, now: datetime, name: str) -> Finding:
    found = showing.gone(name, look, now)
    if found.fired_at:
        return Finding("deadman", "warn", found.detail, "look why the deployer died: `inv history`; then `inv resume`")
    if showing.has_failed(look, now):
        do = "`inv rollback` takes traffic home; then look why the role was refused: CloudTrail, dead_letters"
        return Finding("deadman", "fail", found.detail, do)
    return Finding("deadman", "ok", f"{found.detail}; {_NOT_TRIED}")
