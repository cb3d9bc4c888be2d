"""The columns of the audit export: what each says, and which controls it is evidence for.

Standards as in ``checklist.controls``; where a column is about something that no item of the checklist covers, the
controls are those about records (ISO 27001 8.15 and 5.28, PCI DSS 10.2.2 and 10.3), identities (SOC 2 CC6.1, ISO 27001
5.16, PCI DSS 8.2.1), incidents (ISO 27001 5.26, 5.27, PCI DSS 12.10.6) and fallback (ISO 27001 8.32, PCI DSS 6.5.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..checklist.controls import CONTROLS, STANDARDS, Controls

_CHANGE = Controls(("CC8.1",), ("8.32",), ("6.5.1",))
_RECORD = Controls(("CC7.2", "CC8.1"), ("8.15", "8.32"), ("6.5.1", "10.2.2"))
_WHO = Controls(("CC6.1", "CC8.1"), ("5.16", "8.15"), ("8.2.1", "10.2.2"))
_FROM = Controls(("CC7.2",), ("8.15",), ("10.2.2",))
_CONTENT = Controls(("CC6.8", "CC8.1"), ("8.4", "8.19", "8.32"), ("6.5.1",))
_APPROVED = Controls(("CC6.3", "CC8.1"), ("5.3", "8.32"), ("6.2.3.1", "6.5.1"))
_BACK = Controls(("A1.2", "CC7.4", "CC7.5"), ("5.26", "8.32"), ("6.5.1",))
_PROOF = Controls(("CC7.2", "CC8.1"), ("5.28", "8.15"), ("10.3.2", "10.3.4"))
_SIGNED = CONTROLS["people.oncall"]
NONE = Controls((), ())


class Column(NamedTuple):
    """One column: its name in CSV and JSON, its heading, what it says, and what it is evidence for."""

    name: str
    title: str
    says: str
    controls: Controls = NONE


COLUMNS: Sequence[Column] = (
    Column("timestamp", "When", "when it began, or was done (ISO 8601, UTC)", _RECORD),
    Column("event", "Event", "what kind of thing it is; see below", _RECORD),
    Column("environment", "Environment", "where"),
    Column("application", "Application", "of what"),
    Column("version", "Version", "of the release; after a rollback, the one that users have", _CHANGE),
    Column("version_before", "Version before", "the one that had all traffic when it began", _CHANGE),
    Column("commit", "Commit", "of the release, in full", _CONTENT),
    Column("digest", "Digest", "SHA-256 of the release's content", _CONTENT),
    Column("engineer", "Engineer", "who did it", _WHO),
    Column("host", "Host", "the machine it was done from", _FROM),
    Column("run", "Run", "the CI job it was done by", _FROM),
    Column("deployment", "Deployment", "its name, for `inv report`", _RECORD),
    Column("task", "Task", "which task was run", _RECORD),
    Column("hotfix", "Hotfix", "whether the short way was taken: yes or no", _CHANGE),
    Column("outcome", "Outcome", "how it ended", _RECORD),
    Column("exit_code", "Exit code", "the number the task left with", _RECORD),
    Column("reason", "Reason", "why it ended so, or why it was done", _RECORD),
    Column("ended", "Ended", "when it ended", _RECORD),
    Column("duration_seconds", "Seconds", "spent at it, as measured by who did it", _RECORD),
    Column("approvals", "Approvals", "reviews; who planned it, who approved the plan, with which key", _APPROVED),
    Column("signatures", "Signed", "what people stated: item, who, when, with which key, note", _SIGNED),
    Column("checklist", "Checklist", "how many items had which answer", _CHANGE),
    Column("tests", "Tests", "how the tests of exactly this content went", CONTROLS["code.tests"]),
    Column("overrides", "Overrides", "what was set aside or cut short: item, why, who, when", _APPROVED),
    Column("orders", "Orders", "what people asked of it while it ran, and whether it obeyed", _CHANGE),
    Column("rollbacks", "Rollbacks", "when it was taken back, by whom or what, why", _BACK),
    Column("not_taken_back", "NOT taken back", "what could not be undone, and why", _BACK),
    Column("resumed", "Gone on with", "when, and by whom", _WHO),
    Column("exposed_at", "Met by users", "when the first user could meet it", _RECORD),
    Column("most_percent", "Most", "percent of traffic it had at most", _RECORD),
    Column("settled_at", "Settled", "when it had all traffic for good", _RECORD),
    Column("backups", "Backups", "verified copies of the database that it made", CONTROLS["database.backup"]),
    Column("migrations", "Migrations", "of the database that it ran", CONTROLS["database.pending"]),
    Column("hosts_left_out", "Hosts left out", "that failed, and why", CONTROLS["infrastructure.targets"]),
    Column("lessons", "Lessons", "what was noted afterwards", Controls(("CC7.5",), ("5.27",), ("12.10.6",))),
    Column("first_event", "First event", "number of its first event in the ledger", _PROOF),
    Column("last_event", "Last event", "number of its last event in the ledger", _PROOF),
    Column("event_digest", "Event digest", "SHA-256 of that event: it proves all before it", _PROOF),
    Column("soc2", "SOC 2", "controls that the row is evidence for"),
    Column("iso27001", "ISO 27001", "the same, Annex A"),
    Column("pci_dss", "PCI DSS", "the same"),
)  # fmt: skip
"""In the order of the CSV."""

_COMMAND = Controls(("CC6.1", "CC6.8"), ("8.2", "8.18"), ("10.2.1.2",))
EVENTS: Mapping[str, tuple[str, Controls]] = {
    "deployment": ("anything that `inv` carried out step by step; `task` says what", _CHANGE),
    "rollback": ("all traffic was sent back by a person", _BACK),
    "rollback failed": ("a way back could not complete: a person had to act", _BACK),
    "switch fired": ("the dead-man's switch sent all traffic back", _BACK),
    "switch failed": ("the dead-man's switch could not", _BACK),
    "migrations reversed": ("migrations were taken back", _BACK),
    "site closed": ("the site was closed with a page", Controls(("CC7.4",), ("5.26", "8.32"), ("6.5.1",))),
    "site opened": ("the site was opened again", Controls(("CC7.5",), ("5.26", "8.32"), ("6.5.1",))),
    "signed": ("a person stated what no machine can know", _SIGNED),
    "override": ("a person set a refusal of the checklist aside", _APPROVED),
    "plan": ("a person wrote a plan down", _APPROVED),
    "approval": ("a person approved the exact plan of another", _APPROVED),
    "released": ("a version was cut", _CONTENT),
    "command": ("a person ran a command on hosts", _COMMAND),
    "lease taken over": ("from a holder that was dead or silent", _RECORD),
    "pruned": ("what the retention let go was deleted", Controls(("CC6.5",), ("8.10",))),
    "ledger imported": ("events came from another store", _PROOF),
    "export": ("this export: who made it, of what, and whether the chain was verified", _PROOF),
}
"""What stands in the column ``event``: what it means, and what such a row is evidence for."""


def as_json(controls: Controls) -> dict[str, list[str]]:
    """``{"soc2": ["CC8.1"], "iso27001": […], "pci_dss": […]}``."""
    return {name: list(getattr(controls, name)) for name in SHOWN}


def together(several: Sequence[Controls]) -> dict[str, list[str]]:
    """The controls of all of them, each once, in order."""
    return {name: sorted({one for of in several for one in getattr(of, name)}, key=_order) for name in SHOWN}


def _order(control: str) -> tuple[str, list[int]]:
    head = control.rstrip("0123456789.")
    return head, [int(part) for part in control[len(head) :].split(".") if part]


SHOWN = tuple(name for name in STANDARDS if name != "gdpr")
"""The standards of the export: the GDPR has articles, and no controls."""
