"""The ledger, read as news: what each event means to people elsewhere, and who was told how much of it.

An event is recorded first and told afterwards, by whoever is there: the process that recorded it, or any later one.
``story`` and ``telling`` fold events into bulletins, ``place`` keeps how far each recipient was told, ``delivery``
takes one of them on, ``courier`` does so beside a deployment and never in its way.
"""

from __future__ import annotations

TELLING = frozenset(
    (
        "announced",
        "backup",
        "began",
        "deadman-failed",
        "deadman-fired",
        "ended",
        "host-set-aside",
        "maintenance",
        "overridden",
        "reading",
        "restored",
        "rolled-back",
        "rollback-failed",
        "shifted",
    )
)
"""Kinds of events that may be worth a bulletin. The others only add to what is known."""
