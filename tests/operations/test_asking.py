"""Which color is meant."""

from __future__ import annotations

from pathlib import Path

import memory
import pytest

from deploytasks.errors import UsageError
from deploytasks.operations.asking import chosen


@pytest.mark.parametrize(
    ("typed", "meant"), [("blue", "blue"), ("green", "green"), ("live", "green"), ("idle", "blue")]
)
def test_a_color_by_its_name_or_by_what_it_does(tmp_path: Path, typed: str, meant: str) -> None:
    """At 3 a.m. nobody wants to look up which color is idle."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).change(split=[0, 100, None, None])
    assert meant == chosen(world, typed)


@pytest.mark.parametrize(("typed", "split"), [("purple", [0, 100, None, None]), ("idle", [50, 50, None, None])])
def test_a_color_that_there_is_not(tmp_path: Path, typed: str, split: list[object]) -> None:
    """An unknown name, and none that is idle while both have traffic: code 2."""
    world = memory.world(tmp_path)
    memory.state_of(tmp_path).change(split=split)
    with pytest.raises(UsageError, match="there is no color"):
        chosen(world, typed)
