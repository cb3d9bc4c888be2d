"""From an event and what is known to a bulletin."""

from __future__ import annotations

from typing import Any

from ..bulletins import Bulletin, Change
from ..ledger.projections import done_by, happened_at
from ..ports import Event
from .story import About, Story, Tale
from .wording import AT_THE_DATABASE, links, severity


def bulletin(about: About, event: Event, change: Change, headline: str, tale: Tale, **more: Any) -> Bulletin:
    """A bulletin about a deployment. ``more``: fields in the place of those that follow from it."""
    told = Bulletin(
        number=event.number,
        at=happened_at(event),
        change=change,
        severity=severity(change, protected=about.protected),
        headline=headline,
        application=about.application,
        environment=about.environment,
        protected=about.protected,
        deployment=tale.deployment,
        task=tale.task,
        version=tale.version,
        previous=tale.previous,
        commit=tale.commit,
        color=tale.color,
        who=tale.who or done_by(event),
        approvals=tale.approvals,
        links=links(about, tale),
        began=tale.began,
        split=tale.split,
    )
    return told._replace(**more)


def beside(about: About, story: Story, event: Event, change: Change, headline: str, **more: Any) -> Bulletin:
    """A bulletin about something that is no deployment; done by whoever did it, to the version that is live."""
    known = Tale(version=story.live, who=done_by(event))
    return bulletin(about, event, change, headline, known, **more)


def subject(about: About, tale: Tale) -> str:
    """``library 1.4.1 in production``, or whose database it is."""
    if tale.task in AT_THE_DATABASE:
        return f"the database of {about.application} in {about.environment}"
    return " ".join(filter(None, (about.application, tale.version, "in", about.environment)))


def place(about: About) -> str:
    """``library in production``."""
    return f"{about.application} in {about.environment}"
