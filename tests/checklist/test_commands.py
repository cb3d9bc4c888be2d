"""Commands of the project, run for what they print."""

from __future__ import annotations

from pathlib import Path

import memory
import pytest

from deploytasks.checklist import commands
from deploytasks.errors import GateRefused


def test_what_a_command_prints(tmp_path: Path) -> None:
    """Each value is one word, whatever is in it."""
    assert "two words;\n" == commands.output(memory.world(tmp_path), "echo {it}", {"it": "two words;"})


def test_a_command_that_fails_is_told_in_its_own_last_words(tmp_path: Path) -> None:
    """And how it is run by hand."""
    with pytest.raises(GateRefused, match="failed: there is no table") as caught:
        commands.output(memory.world(tmp_path), "echo asking; echo there is no table; exit 1", {})
    assert caught.value.do.startswith("run it by hand")
