"""What is told elsewhere: one bulletin per change of state, and who takes it (Slack, a pager, markers in a graph).

The ledger is the outbox: a bulletin is made from an event that is recorded already, so that neither a crash nor an
outage loses one. Each recipient has its place in that stream, and a memory of its own beside it: the message that it
edits, the incidents that it has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from .ports import Color, Finding, Json

Severity = Literal["detail", "info", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("detail", "info", "warning", "error", "critical")
"""Rising. ``detail`` is for whoever keeps one message up to date, or a thread."""

Change = Literal[
    "started",  # a deployment began
    "shifted",  # a stage began: a detail
    "held",  # traffic stays where it is, for want of evidence
    "went-on",  # it no longer is held: a detail
    "warned",  # a warning limit was exceeded
    "overridden",  # somebody set a refusal aside
    "finished",  # ended well
    "refused",  # a gate refused: nothing was changed
    "failed",  # ended badly, and was taken back
    "taken-back",  # judged bad, and taken back by itself
    "gave-up",  # held for too long: all traffic is home, nothing was judged bad
    "stopped",  # somebody else moved traffic, or has the lease
    "interrupted",  # by a person, and taken back
    "stuck",  # the way back could not complete: a person must act now
    "rolled-back",  # by a person
    "switch-fired",  # the dead-man's switch took traffic home
    "switch-failed",  # it could not
    "maintenance-on",
    "maintenance-off",
    "backed-up",
    "restored",
    "announced",  # `inv notify-deployment`, by hand
]
Memory = Mapping[str, Json]
"""What a recipient has to remember from one bulletin to the next. Small, and without secrets: it lies in the store."""

ENDINGS: frozenset[Change] = frozenset(
    ("finished", "refused", "failed", "taken-back", "gave-up", "stopped", "interrupted", "stuck")
)
"""After these nothing follows about a deployment, but for a rollback of it."""


class Bulletin(NamedTuple):
    """One change of state, with all that a message about it may say. What is not known is empty."""

    number: int
    """Of the event in the ledger: the same bulletin always has the same."""
    at: datetime
    change: Change
    severity: Severity
    headline: str
    """One plain sentence: ``library 1.4.1 in production was taken back``."""
    application: str
    environment: str
    protected: bool = False
    deployment: str = ""
    """Its id, ``20261123-101500-ab12cd``."""
    task: str = ""
    """``deploy``, ``shift``, ``migrate``, …"""
    version: str = ""
    previous: str = ""
    """The version that was live before."""
    commit: str = ""
    color: Color | None = None
    """That gets the release."""
    who: str = ""
    """As it is recorded: ``name@host``, or an id."""
    why: str = ""
    """The verdict that decided, the reason that was given: one or more sentences."""
    numbers: Sequence[tuple[str, str]] = ()
    """Of the verdict: ``("errors", "8 of 36 requests (22.2 %), limit 2 %")``."""
    approvals: str = ""
    """Who approved, in words."""
    notes: str = ""
    """What the changelog says about the version: Markdown."""
    links: Mapping[str, str] = {}
    """Words → URL: the run in CI, dashboards, the release page."""
    began: datetime | None = None
    """Of the deployment."""
    seconds: float | None = None
    """That it took."""
    code: int | None = None
    """The exit code, of what has ended."""
    split: str = ""
    """Where traffic is now: ``blue 90 % / green 10 %``."""


class Sending(NamedTuple):
    """A message that has not been sent yet.

    ``text``: what goes where, for people; no secret, no URL that is one. ``perform``: sends it within so many seconds,
    and returns what the recipient remembers from now on. It raises ``Unreachable`` (or ``UsageError``) when the message
    has to wait, and ``Undeliverable`` when it was understood and refused: sent again it would be refused again.
    """

    text: str
    perform: Callable[[float], Memory]


class Recipient(Protocol):
    """Somebody, or some system, elsewhere. Told in order; never more than one bulletin at a time."""

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        """What is to be sent about it; ``None``: nothing. Pure. Sent twice (its sender may die before that is noted)
        it must do no harm, where the service has a key for that."""

    def diagnose(self) -> Sequence[Finding]:
        """Whether it could be told something now, found out without telling anything to anybody."""


def reaches(bulletin: Bulletin, least: Severity) -> bool:
    """Whether it is as severe as that, or more."""
    return SEVERITIES.index(bulletin.severity) >= SEVERITIES.index(least)
