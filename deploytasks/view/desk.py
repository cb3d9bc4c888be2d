"""What the live view shows beside the events: what a person is typing, and the signs of life of the deployer itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .dialog import WATCHING, Dialog


class Life(NamedTuple):
    """What keeps the right to change an environment, and what happens without it; and which environment that is.

    ``holder`` holds the lease, which is lost ``ttl`` seconds after its last beat; ``age``: seconds since that.
    ``grace``: seconds of silence after which the dead-man's switch takes traffic home (``None``: not known).
    """

    holder: str
    token: int
    ttl: float
    age: Callable[[], float]
    grace: float | None = None
    application: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """``has_keys``: whether keys do something. ``said``: the last words for people; ``beat``: ``Life.age``, read."""

    dialog: Dialog = WATCHING
    has_keys: bool = False
    said: str = ""
    life: Life | None = None
    beat: float | None = None


NOBODY = Desk()
"""Somebody who only looks."""
