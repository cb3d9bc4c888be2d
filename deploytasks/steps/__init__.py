"""The steps of which plans are made. Each is frozen data with its calls, its read-back and its undo."""

from __future__ import annotations

from .backup import BackUp
from .balancer import Arm, Claim, Disarm, LetGo, Prepare
from .gate import Gate
from .handed_over import Begin, HandOver
from .hosts import BringAlong, LeaveOut
from .install import Install, Prune, Start
from .migrate import Migrate
from .restore import Restore
from .retire import Retire
from .roll_out import RollOut
from .settle import Settle
from .smoke import Smoke
from .warm_up import WarmUp

KINDS = (
    Arm,
    BackUp,
    Begin,
    BringAlong,
    Claim,
    Disarm,
    Gate,
    HandOver,
    Install,
    LeaveOut,
    LetGo,
    Migrate,
    Prepare,
    Prune,
    Restore,
    Retire,
    RollOut,
    Settle,
    Smoke,
    Start,
    WarmUp,
)
"""Every step class, for loading a recorded plan."""

__all__ = [
    "KINDS",
    "Arm",
    "BackUp",
    "Begin",
    "BringAlong",
    "Claim",
    "Disarm",
    "Gate",
    "HandOver",
    "Install",
    "LeaveOut",
    "LetGo",
    "Migrate",
    "Prepare",
    "Prune",
    "Restore",
    "Retire",
    "RollOut",
    "Settle",
    "Smoke",
    "Start",
    "WarmUp",
]
