"""The memory of an environment: its events, who may write them, and what they add up to."""

from __future__ import annotations

from .chain import Head, Ledger
from .holding import Holder, Holding, holding
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
