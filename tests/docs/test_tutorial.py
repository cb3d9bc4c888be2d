"""docs/tutorial.md is followed to the letter, in a fresh folder, with a fresh HOME.

What differs from typing it: ``pip install`` takes what the tests have installed, so that no network is needed; and
unless it is run with ``JOURNEYS_FULL=1``, the times that `init` has written are cut, since most of it is waiting.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import walk
from journeys.shown import shown
from pages import ROOT

PAGE = ROOT / "docs/tutorial.md"
FOLLOWED = (
    "docs/tutorial.md", "A small application", "An environment", "The first release", "A release that is bad",
    "A release that is good", "Take it back yourself", "What happened", "Tidy up",
)  # fmt: skip
"""The page, and what has commands on it: all of it."""
SHORTER = {"watch": "10s", "bake": "10s", "after_rollback": "10s", "baseline": "5s"}
"""As `init` writes them; 2 s instead."""


@pytest.mark.skipif(not walk.can_be_alone(), reason="no network namespaces")
def test_it_happens_as_the_tutorial_says(tmp_path: Path) -> None:
    """Every command leaves with the code, and prints the lines, that the page shows."""
    with walk.Shell(tmp_path) as shell:
        for block, _ in walk.follow(PAGE, shell):
            if "deploytasks init" in block.text and not os.environ.get("JOURNEYS_FULL"):
                _hurry(tmp_path / "work/hello/invoke.yaml")


def _hurry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for key, length in SHORTER.items():
        text, found = re.subn(rf"^( *{key}: ){length}\b", r"\g<1>2s", text, flags=re.MULTILINE)
        assert found, f"init writes no {key}: {length} any more"
    path.write_text(text, encoding="utf-8")


def test_a_line_that_is_not_printed_is_found() -> None:
    """In their order, with anything in the place of an ellipsis."""
    said = "one\n  two   2 of 3\nthree\n"
    assert walk.missing("one\ntwo …\n…\n", said) is None
    assert "one" == walk.missing("three\none", said)
    assert "two 4" == walk.missing("two 4", said)


def test_every_block_has_a_part() -> None:
    """Commands, what they print, files: a block of another kind would be followed by nobody."""
    assert {"sh", "text"} == {block.language for block in walk.blocks(PAGE) if not block.title}
    assert set(FOLLOWED[1:]) == {each.heading for each in shown(FOLLOWED[0])}
    assert {"app.py", ".gitignore"} == {block.title for block in walk.blocks(PAGE) if block.title}
