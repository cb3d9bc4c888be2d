"""The audit export as a page: a table that can be sorted, filtered and printed, each row with all that it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import redaction
from ...audit.cells import cells
from .page import rendered

_SHOWN = ("timestamp", "event", "version", "engineer", "outcome", "duration_seconds")
"""The columns that a row shows by itself; all others unfold."""
_GOOD, _BAD = ("done",), ("stuck", "closed", "not completed", "traffic not moved")


def page(answer: Mapping[str, Any]) -> str:
    """The answer of ``operations.auditing`` as one file of HTML."""
    answer = redaction.clean(answer)
    rows = [_row(row, answer["columns"]) for row in answer["rows"]]
    return rendered("audit.html", answer=answer, rows=rows, proven=_proven(answer["ledger"]))


def _row(row: Mapping[str, Any], columns: list[Mapping[str, Any]]) -> dict[str, Any]:
    found = cells(row)
    more = [(each["title"], found[each["name"]]) for each in columns if each["name"] not in _SHOWN]
    return {**row, "tone": _tone(row), "told": found, "more": [(title, said) for title, said in more if said]}


def _tone(row: Mapping[str, Any]) -> str:
    """A mark for the outcome of a deployment, and for ill news."""
    if row["event"] == "deployment":
        outcome = row.get("outcome")
        return "good" if outcome in _GOOD and not row.get("rollbacks") else "bad" if outcome in _BAD else "warn"
    if row["event"] in ("rollback failed", "switch failed"):
        return "bad"
    return "warn" if row["event"] in ("rollback", "switch fired", "override", "site closed") else ""


def _proven(of: Mapping[str, Any]) -> tuple[str, str]:
    """What was verified: a tone and a sentence."""
    if of["verified"] is None:
        return "warn", "The chain was not verified for this export: nobody asked for it."
    if of["verified"]:
        also = f", and has the digest {of['expected']} that was kept elsewhere" if of["expected"] else ""
        return "good", f"The chain is whole: {of['events']} events, each follows on the one before{also}."
    return "bad", "The ledger was changed. What can still be read is below."
