"""One deployment as the ledger tells it, all of it: a value for whoever shows, counts or exports deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from ..ports import Color, Digest

By = Literal["verdict", "failure", "no evidence", "person", "interrupt", "switch", "recovery"]
"""Who or what sent traffic home: the numbers were judged bad; a step failed; there was not enough to judge by; somebody
asked for it; Ctrl-C or a signal; the dead-man's switch; whoever found the deployment after its deployer had died."""
AUTOMATIC: frozenset[By] = frozenset(("verdict", "failure", "no evidence", "switch", "recovery"))


class Result(NamedTuple):
    """One line of a checklist."""

    item: str
    answer: str
    evidence: str


class Checklist(NamedTuple):
    """A whole checklist, as it was found."""

    number: int
    """Of its event."""
    at: datetime
    who: str
    level: str
    hotfix: bool
    results: tuple[Result, ...]

    def result(self, item: str) -> Result | None:
        """The line of one item."""
        return next((one for one in self.results if one.item == item), None)

    def counts(self) -> dict[str, int]:
        """Answer → how many items have it, in the order in which they come."""
        answers = [one.answer for one in self.results]
        return {answer: answers.count(answer) for answer in dict.fromkeys(answers)}


class Proof(NamedTuple):
    """How the tests of exactly this content went."""

    number: int
    at: datetime
    who: str
    ok: bool
    detail: str


class Word(NamedTuple):
    """What a person signed or said: ``sign`` an item, ``override`` a refusal, ``plan`` or ``approve`` a plan."""

    number: int
    at: datetime
    who: str
    """The principal whose key signed; where no key was asked for, who was at the keyboard."""
    act: str
    item: str
    about: str
    """The commit, the content or the digest of the plan."""
    note: str
    key: str
    """Fingerprint of the key; empty where none was asked for."""


class Aside(NamedTuple):
    """A refusal that was set aside, or a watch that was cut short (``promoted``)."""

    number: int
    at: datetime
    item: str
    why: str
    who: str
    """Who set it aside; who deployed, where nobody else is known."""
    promoted: bool = False


class Order(NamedTuple):
    """What somebody asked of the running deployment; ``obeyed`` is ``None`` where no answer is recorded."""

    number: int
    at: datetime
    who: str
    verb: str
    reason: str
    obeyed: bool | None = None
    said: str = ""


class Back(NamedTuple):
    """Traffic was sent home, or what had begun was taken back."""

    number: int
    at: datetime
    by: By
    who: str
    why: str
    was_settled: bool
    """Whether the deployment had succeeded by then: users had all of it."""

    @property
    def is_automatic(self) -> bool:
        """Whether no person had to ask for it."""
        return self.by in AUTOMATIC


class Deployment(NamedTuple):
    """All that the ledger tells of one. Texts that are not known are empty, instants and numbers ``None``."""

    deployment: str
    number: int = 0
    """Of its first event."""
    seen: datetime | None = None
    """When that happened; ``began`` is not known of one that nobody saw begin."""
    task: str = ""
    hotfix: bool = False
    version: str = ""
    previous: str = ""
    """The version that had all traffic when it began."""
    previous_commit: str = ""
    commit: str = ""
    committed: datetime | None = None
    digest: Digest = ""
    """Of the artifact."""
    release: str = ""
    color: Color | None = None
    who: str = ""
    host: str = ""
    run: str = ""
    """Where the job that ran it can be seen."""
    began: datetime | None = None
    resumed: tuple[tuple[datetime, str], ...] = ()
    """When it was gone on with, and by whom."""
    ended: datetime | None = None
    outcome: str = ""
    code: int | None = None
    why: str = ""
    seconds: float | None = None
    """Spent at it, in all runs, as each of them measured it."""
    left: tuple[str, ...] = ()
    """What could not be taken back."""
    plan: Digest = ""
    """Of the plan that was approved."""
    author: str = ""
    approvers: tuple[str, ...] = ()
    """Whose approvals of the plan counted."""
    words: tuple[Word, ...] = ()
    """What was signed about its commit, content or plan, the oldest first."""
    checklist: Checklist | None = None
    tests: Proof | None = None
    overrides: tuple[Aside, ...] = ()
    orders: tuple[Order, ...] = ()
    backups: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()
    """Their names; the command, where nobody knows those."""
    applied: tuple[str, ...] = ()
    """While it migrates: what was applied before."""
    hosts_aside: tuple[tuple[str, str], ...] = ()
    """Hosts that failed, and why."""
    exposed: datetime | None = None
    """When the first users could meet it."""
    most: int = 0
    """Percent of users who could, at most."""
    judged_bad: bool = False
    settled: datetime | None = None
    home: datetime | None = None
    """When traffic was home again."""
    backs: tuple[Back, ...] = ()
    lessons: tuple[str, ...] = ()
    last: int = 0
    """The number of its last event."""
    last_digest: Digest = ""
    """Of that event: it proves all that came before."""

    @property
    def is_open(self) -> bool:
        """Whether it never ended: it is at work, or its deployer died and nobody came."""
        return self.began is not None and self.ended is None

    @property
    def rolled_back(self) -> Back | None:
        """The first way back after it had succeeded."""
        return next((back for back in self.backs if back.was_settled), None)

    def said(self, *acts: str) -> Sequence[Word]:
        """What was signed, of these acts."""
        return [word for word in self.words if word.act in acts]
