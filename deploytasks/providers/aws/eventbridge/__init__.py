"""The dead-man's switch as a schedule of EventBridge: it takes traffic home with none of our machines alive."""

from __future__ import annotations

from .switch import EventBridge

__all__ = ["EventBridge"]
