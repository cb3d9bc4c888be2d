"""The fold: an event in, the story after it and perhaps a bulletin out. Pure."""

from __future__ import annotations

from ..bulletins import Bulletin
from ..ports import Event
from . import asides, deployments
from .story import About, Story

_CHANGES = {**deployments.CHANGES, **asides.CHANGES}


def told(about: About, story: Story, event: Event) -> tuple[Story, Bulletin | None]:
    """The story after one more event, and what people hear of it: one bulletin for each change of state, or none.

    Events of a kind that is not known here change nothing; a missing fact reads empty. The same story and event always
    give the same bulletin, in whichever process.
    """
    change = _CHANGES.get(event.kind)
    return change(about, story, event) if change else (story, None)
