"""Rows of the audit export."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from audit.trails import everything
from hypothesis import given, strategies as st
from tale import a_quarter

from deploytasks.audit.cells import cells
from deploytasks.audit.columns import COLUMNS, EVENTS, SHOWN, together
from deploytasks.audit.trail import trail, within
from deploytasks.checklist.controls import CONTROLS, Controls
from deploytasks.ports import Event


def rows(events: list[Event] | None = None) -> list[dict[str, Any]]:
    return trail(everything().events if events is None else events, "library", "production").rows


def row(event: str) -> dict[str, Any]:
    return next(row for row in rows() if row["event"] == event)


def test_one_row_for_each_thing_that_was_done() -> None:
    """In the order in which it was done; readings and evidence are in no row of their own."""
    assert [row["event"] for row in rows()] == [
        "signed", "override", "approval", "approval", "deployment", "site closed", "rollback", "site opened", "command",
        "lease taken over", "pruned", "ledger imported", "released", "rollback failed", "migrations reversed",
        "switch fired", "deployment", "switch failed", "plan",
    ]  # fmt: skip


def test_every_kind_of_row_is_explained() -> None:
    """Whatever may stand in the column has its words and its controls; nothing else is explained."""
    assert set(EVENTS) == {row["event"] for row in rows()} | {"export"}
    assert all(says and controls.soc2 for says, controls in EVENTS.values())


def test_a_deployment() -> None:
    """What, when, who, approvals, tests, overrides, the way back: all of it in one row."""
    told = cells(row("deployment"))
    assert (told["version"], told["version_before"], told["commit"], told["digest"]) == (
        "v-a", "1.0.0", "c0ffee-a", "digest-a",
    )  # fmt: skip
    assert (told["engineer"], told["outcome"], told["exit_code"], told["duration_seconds"]) == (
        "ann@laptop", "done", "0", "60",
    )  # fmt: skip
    assert told["approvals"] == (
        "reviewed: pass (eve and bob approved #12); "
        "plan approved by eve 2026-11-23 10:04:00Z with key SHA256:y; "
        "plan approved by ann 2026-11-23 10:05:00Z with key SHA256:z, which did not count"
    )
    assert told["tests"] == "passed: `pytest`: 12 passed in 3.1 s 2026-11-23 10:01:00Z"
    assert told["checklist"] == "2 pass, 1 overridden, 1 not applicable (level production, event 6)"
    assert told["signatures"] == "people.oncall by ann@laptop 2026-11-23 10:02:00Z: until 18:00"
    assert told["overrides"].startswith("code.coverage set aside by bob ")
    assert "with key SHA256:x" in told["overrides"]
    assert told["orders"].endswith("lunch (obeyed)")
    assert told["rollbacks"].endswith("by bob, after it had settled: it is slow")
    assert told["backups"] == "library-1"


def test_controls_of_a_row() -> None:
    """Those of what it is, of each column that says something, and of each item that was looked at, each once."""
    found = row("deployment")["controls"]
    assert list(SHOWN) == list(found)
    for item in ("code.reviewed", "code.tests", "code.coverage"):
        assert set(CONTROLS[item].soc2) <= set(found["soc2"])
    assert "8.13" in found["iso27001"]  # of the copy that it made
    assert "8.13" not in row("command")["controls"]["iso27001"]
    assert row("command")["controls"]["pci_dss"][-1] == "10.3.4"


def test_controls_are_in_order() -> None:
    """By their numbers, and not as texts."""
    many = [Controls(("CC8.1", "A1.2"), ("8.32", "8.4"), ("10.2.2", "6.5.1"))]
    assert together(many) == {"soc2": ["A1.2", "CC8.1"], "iso27001": ["8.4", "8.32"], "pci_dss": ["6.5.1", "10.2.2"]}


def test_a_rollback() -> None:
    """It names the deployment that was left, what users had, and what they have."""
    found = row("rollback")
    assert (found["deployment"], found["version"], found["version_before"]) == ("a", "1.0.0", "v-a")
    assert (found["engineer"], found["reason"]) == ("bob", "it is slow")
    assert found["outcome"] == "blue 0 % / green 100 % to blue 100 % / green 0 %"


def test_every_row_has_every_column() -> None:
    """A reader of the JSON need not ask whether a key is there."""
    names = {column.name for column in COLUMNS} - set(SHOWN)
    assert all(names <= set(row) for row in rows())


def test_every_column_says_something_somewhere() -> None:
    """No column is there for nothing; and each but the places has its controls."""
    said = {name for row in rows() for name, text in cells(row).items() if text}
    rare = {"hosts_left_out", "lessons", "not_taken_back", "resumed", "host"}
    assert {column.name for column in COLUMNS} - said <= rare
    without = {column.name for column in COLUMNS if not column.controls.soc2}
    assert without == {"environment", "application", *SHOWN}


def test_the_period() -> None:
    """What lies in it at least in part; what never ended lasts on."""
    found = row("deployment")
    began, ended = datetime.fromisoformat(found["timestamp"]), datetime.fromisoformat(found["ended"])
    second = timedelta(seconds=1)
    assert within(found, None, None)
    assert within(found, began + second, None)
    assert not within(found, ended + second, None)
    assert not within(found, None, began)
    assert within({**found, "ended": None}, ended + second, None)
    assert not within({**row("rollback")}, ended + timedelta(days=1), None)


def test_head_and_count() -> None:
    """The export says of how many events it was made, and the digest of the last."""
    events = everything().events
    found = trail(events, "library", "production")
    assert (found.count, found.head) == (len(events), events[-1].digest)
    assert trail([], "library", "production") == ([], 0, "")


EVERYTHING = [*everything().events, *a_quarter().events[:60]]


@given(st.sets(st.integers(0, len(EVERYTHING) - 1)))
def test_any_selection_of_events_has_rows(kept: set[int]) -> None:
    """Whatever is missing of a ledger, the rest is exported, and each row can be shown."""
    for found in rows([EVERYTHING[at] for at in sorted(kept)]):
        assert all(isinstance(text, str) for text in cells(found).values())
