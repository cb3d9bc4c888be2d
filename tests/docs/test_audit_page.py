"""docs/audit.md and the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import memory
from pages import ROOT, table

from deploytasks.audit.columns import COLUMNS, EVENTS, SHOWN
from deploytasks.checklist.controls import Controls
from deploytasks.ledger import moving

PAGE = ROOT / "docs" / "audit.md"


def controls(of: Controls) -> tuple[str, ...]:
    return tuple(", ".join(getattr(of, name)) or "–" for name in SHOWN)


def test_every_column_is_explained() -> None:
    """In the order of the CSV, with its controls."""
    expected = [(f"`{one.name}`", one.says, *controls(one.controls)) for one in COLUMNS]
    assert expected == table(PAGE, "column", "says", "SOC 2", "ISO 27001", "PCI DSS")


def test_every_kind_of_row_is_explained() -> None:
    """With its controls."""
    expected = [(f"`{name}`", says, *controls(of)) for name, (says, of) in EVENTS.items()]
    assert expected == table(PAGE, "event", "means", "SOC 2", "ISO 27001", "PCI DSS")


def test_anybody_can_check_the_chain(tmp_path: Path) -> None:
    """The script of the page agrees with us, and finds an event that was changed."""
    script = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert script is not None
    world = memory.world(tmp_path)
    for text in ("plain", "ünïcödé \udcff", "x" * 300):
        world.ledger.append("note", {"text": text, "number": 1.5})
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"".join(moving.export(world.ledger, {})))
    run = [sys.executable, "-c", script[1]]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"whole: {world.ledger.head().digest}\n" == done.stdout
    file.write_bytes(file.read_bytes().replace(b"plain", b"plane"))
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode == 1
