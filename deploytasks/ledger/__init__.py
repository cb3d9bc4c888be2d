"""The memory of an environment: its events, who may write them, and what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .chain import Head, Ledger
    from .holder import Holder, Holding, holding
    from .lease import Lease
    from .spool import Spool
    from .standing import Ended, Evidence, Open, Placed, Settled, Standing
    from .verify import Verification

__all__ = [
    "Ended",
    "Evidence",
    "Head",
    "Holder",
    "Holding",
    "Lease",
    "Ledger",
    "Open",
    "Placed",
    "Settled",
    "Spool",
    "Standing",
    "Verification",
    "holding",
]

_MODULES = {
    "chain": ("Head", "Ledger"),
    "holder": ("Holder", "Holding", "holding"),
    "lease": ("Lease",),
    "spool": ("Spool",),
    "standing": ("Ended", "Evidence", "Open", "Placed", "Settled", "Standing"),
    "verify": ("Verification",),
}


def __getattr__(name: str) -> object:
    """A name of ours, imported on first use: who reads the head does not pay for lease and spool."""
    for module, names in _MODULES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
