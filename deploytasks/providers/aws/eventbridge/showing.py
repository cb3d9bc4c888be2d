"""What people and the ledger are told of a switch. Pure: what was seen in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ....ports import Json, News, Split, Switch
from .looking import Look
from .schedule import LATE, Schedule, due_of, owner_of

WHO = "EventBridge Scheduler"


def standing(name: str, there: Schedule, now: datetime, trouble: str = "") -> Switch:
    """Of a schedule that is there. ``trouble``: what keeps our own beats from arriving."""
    owner, due = owner_of(there), due_of(there)
    if owner is None or due is None:
        return Switch(armed=False, fired_at=None, detail=f"the schedule {name} is not as we make them")
    if there.get("State") != "ENABLED":
        return Switch(armed=False, fired_at=None, detail=f"the schedule {name} is there, but disabled by hand")
    home = Split.all_on(owner.home).weights()
    failing = f" (beats fail: {trouble})" if trouble else ""
    if due <= now:
        detail = f"{name}: is going off for {owner.deployment}: due at {due:%H:%M:%S} UTC, {home}"
    else:
        left = (due - now).total_seconds()
        detail = (
            f"{name}: watches over {owner.deployment}{failing}; "
            f"without a beat traffic goes home at {due:%H:%M:%S} UTC, in {left:.0f} s: {home}"
        )
    return Switch(armed=True, fired_at=None, detail=detail)


def gone(name: str, look: Look, now: datetime) -> Switch:
    """Where there is no schedule."""
    if look.order is None:
        return Switch(armed=False, fired_at=None, detail="not armed")
    _, deployment = look.order
    if look.has_fired:
        why = f"{name}: no beat came from {deployment}; traffic is home: {look.split.weights()}"
        return Switch(armed=False, fired_at=look.due or now, detail=why)
    due = f"due at {look.due:%H:%M:%S} UTC" if look.due else "armed"
    if look.is_home:
        return Switch(armed=False, fired_at=None, detail=f"not armed ({name} was {due} for {deployment}, and is gone)")
    trouble = f"{name} was {due} for {deployment}, and is gone: traffic is not home, at {look.split.weights()}"
    return Switch(armed=False, fired_at=None, detail=trouble)


def has_failed(look: Look, now: datetime) -> bool:
    """Whether it must have gone off, and traffic still is where a dead deployment left it."""
    if look.order is None or look.due is None or look.is_home:
        return False
    return look.split.writer == f"deploy:{look.order[1]}" and now >= look.due + timedelta(seconds=LATE)


def news(name: str, look: Look, now: datetime, grace: float) -> Sequence[News]:
    """What the ledger must know; the same name every time it is asked."""
    if look.order is None or look.due is None:
        return ()
    home, deployment = look.order
    split = Split.all_on(home, None, f"deadman:{deployment}")
    facts: dict[str, Json] = {"deployment": deployment, "split": list(split), "schedule": name, "silence": grace}
    when = f"{look.due:%Y%m%dT%H%M%S}-{deployment}"
    if look.has_fired:
        before = {"before": list(look.signed)} if look.signed else {}
        why = f"traffic went home: {look.signed.weights()} → {split.weights()}" if look.signed else "traffic went home"
        return [News(when, "deadman-fired", {**facts, **before, "why": why}, look.due, WHO)]
    if has_failed(look, now):
        why = f"{name} is gone, and traffic is at {look.split.weights()}: its role was refused, or somebody deleted it"
        return [News(when, "deadman-failed", {**facts, "why": why}, look.due, WHO)]
    return ()
