"""When something may happen: windows that come again every week, and freezes that come once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from .base import Value
from .environment import Text


class Window(Value):
    """A time of the week, by the clock on the wall of its zone."""

    days: Text = "mon-sun"
    """The days on which it begins: ``mon-thu``, ``sat``, ``mon,wed,fri``."""
    from_: Annotated[str, Field(alias="from")] = "00:00"
    """``HH:MM``."""
    to: str = "24:00"
    """``HH:MM``, exclusive; not after ``from``: on the next day."""
    zone: Text = "UTC"
    """IANA name of the time zone: ``Europe/Berlin``."""


class Freeze(Value):
    """A time in which nothing goes out."""

    from_: Annotated[datetime, Field(alias="from")]
    to: datetime
    reason: Text
