"""Many checks at once: systems side by side, the questions to one system in turn, none for longer than it may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from . import asking
from .item import Found, Item, Result
from .signatures import answered

if TYPE_CHECKING:
    from .subject import Subject

PER_HOST = 0.1
"""Seconds more for each host above ``MANY``: to get to know one over SSH costs some 50 ms of a processor."""
MANY = 50
BESIDE_CONNECTING = 3.5
"""Seconds for all else that is asked of balancer and hosts, beside the time that connecting to a silent one takes."""

Heard = SimpleQueue[tuple[int, Found | Exception]]


def evaluate_items(items: Sequence[Item], of: Subject) -> Sequence[Result]:
    """What came of each item, in their order. Raises the ``UsageError`` that a wrong configuration gives."""
    why_not = {number: why for number, item in enumerate(items) if (why := of.why_not_demanded(item))}
    found = {number: Found("not applicable", why) for number, why in why_not.items()}
    asked = [number for number in range(len(items)) if number not in why_not]
    found |= _looked(items, asked, of)
    return [_result(items[number], found[number], of) for number in range(len(items))]


def _result(item: Item, found: Found, of: Subject) -> Result:
    said = answered(item, found, of)
    return Result(item.id, item.text, said.answer, said.evidence, said.error, said.began)


def _looked(items: Sequence[Item], asked: Sequence[int], of: Subject) -> Mapping[int, Found]:
    by_system: dict[str, list[int]] = {}
    for number in asked:
        by_system.setdefault(items[number].asks, []).append(number)
    here = by_system.pop("", [])
    of.look_at_ledger()
    began, heard = time.monotonic(), Heard()
    for system, numbers in by_system.items():
        threading.Thread(target=_ask, args=(items, numbers, of, heard), name=f"check {system}", daemon=True).start()
    found = {number: items[number].look(of) for number in here}
    missing = sum(map(len, by_system.values()))
    until = began + asking.PATIENCE + _more_for(of.world.settings.sections.get("fleet"))
    while missing and (came := _next(heard, until - time.monotonic())) is not None:
        number, said = came
        if isinstance(said, Exception):
            raise said
        found[number] = said
        missing -= 1
    return {number: found.get(number) or _silent(items[number]) for number in asked}


def _more_for(fleet: object) -> float:
    """Seconds more that a fleet may take: one that is large, or of which a host is silent, which it then names."""
    hosts = getattr(fleet, "hosts", ())
    count = sum(map(len, hosts.values())) if isinstance(hosts, Mapping) else len(hosts)
    ssh = getattr(fleet, "ssh", None)
    slow = 0.0 if ssh is None else max(0.0, ssh.connect_within + BESIDE_CONNECTING - asking.PATIENCE)
    return PER_HOST * max(0, count - MANY) + slow


def _silent(item: Item) -> Found:
    return Found("fail", f"unreachable: {asking.silence(item.asks).what}")


def _ask(items: Sequence[Item], numbers: Sequence[int], of: Subject, heard: Heard) -> None:
    """In a thread of its own: a system that is silent keeps nobody from ending."""
    for number in numbers:
        try:
            heard.put((number, items[number].look(of)))
        except Exception as error:  # noqa: BLE001  handed over to whoever waits
            heard.put((number, error))
            return


def _next(heard: Heard, seconds: float) -> tuple[int, Found | Exception] | None:
    """What is heard next; ``None`` when time is up and nothing lies there."""
    try:
        return heard.get(timeout=max(0.001, seconds))
    except Empty:
        return None
