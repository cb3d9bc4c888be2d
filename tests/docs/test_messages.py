"""docs/messages.md says what the outbox tells."""

from __future__ import annotations

from typing import get_args

from pages import ROOT, table

from deploytasks.bulletins import Change
from deploytasks.outbox.wording import severity


def test_every_change_has_its_line_and_severity() -> None:
    """In the order of the code, as severe as in a protected environment."""
    lines = table(ROOT / "docs" / "messages.md", "change", "when", "severity")
    expected = [(change, severity(change, protected=True)) for change in get_args(Change)]
    assert expected == [(line[0].strip("`"), line[2]) for line in lines]
