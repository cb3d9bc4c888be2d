"""What tags remember, and which split is in force by them and the weights."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as some

from deploytasks.ports import Split
from deploytasks.providers.aws.alb.signature import (
    BEFORE,
    DUE,
    HOME,
    SPLIT,
    decided,
    home_in,
    home_tag,
    split_in,
    tag_of,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
AT_REST = Split(100, 0, "green", "settled:d-16")
STAGE = Split(90, 10, "blue", "deploy:d-17")
NEXT = Split(75, 25, "blue", "deploy:d-17")
ALLOWED = re.compile(r"[\w\s.:/=+\-@]{0,256}")
"""The characters of a tag's value, and how many."""


@pytest.mark.parametrize(
    ("shares", "tags", "expected"),
    [
        pytest.param((100, 0), {}, Split(100, 0), id="nobody ever signed"),
        pytest.param((0, 0), {}, Split(0, 0), id="nothing was ever exposed"),
        pytest.param((90, 10), {SPLIT: STAGE}, STAGE, id="weights and tag agree"),
        pytest.param((90, 10), {SPLIT: STAGE, BEFORE: AT_REST}, STAGE, id="written, not yet tidied up"),
        pytest.param((100, 0), {SPLIT: STAGE, BEFORE: AT_REST}, AT_REST, id="only the tags were written"),
        pytest.param((90, 10), {SPLIT: NEXT, BEFORE: STAGE}, STAGE, id="only the tags of the next stage were written"),
        pytest.param((80, 20), {SPLIT: STAGE, BEFORE: AT_REST}, Split(80, 20), id="moved by a stranger"),
        pytest.param((100, 0), {SPLIT: STAGE}, Split(100, 0), id="moved home by a stranger"),
        pytest.param(
            (100, 0), {SPLIT: STAGE, HOME: "blue d-17"}, Split(100, 0, None, "deadman:d-17"), id="the switch fired"
        ),
        pytest.param(
            (100, 0),
            {SPLIT: STAGE, BEFORE: AT_REST, HOME: "blue d-17", DUE: "2026-11-23T09:59:59+00:00"},
            Split(100, 0, None, "deadman:d-17"),
            id="the switch fired, and whoever wrote died before tidying up",
        ),
        pytest.param(
            (100, 0),
            {SPLIT: STAGE, BEFORE: AT_REST, HOME: "blue d-17", DUE: "2026-11-23T10:00:01+00:00"},
            AT_REST,
            id="only the tags were written, and the switch is armed",
        ),
        pytest.param(
            (0, 100), {SPLIT: STAGE, HOME: "blue d-17"}, Split(0, 100), id="not where the switch would put it"
        ),
        pytest.param((90, 10), {SPLIT: STAGE, HOME: "blue d-17"}, STAGE, id="the switch is armed"),
        pytest.param(
            (100, 0),
            {SPLIT: AT_REST, BEFORE: AT_REST._replace(writer="deploy:d-16")},
            AT_REST,
            id="equal weights: the tag alone is the write",
        ),
        pytest.param((90, 10), {SPLIT: "blue=ninety green=10"}, Split(90, 10), id="nonsense is nobody's"),
    ],
)
def test_weights_and_tags_together_say_which_split_is_in_force(
    shares: tuple[int, int], tags: dict[str, Split | str], expected: Split
) -> None:
    """The new split, the one it replaces, the switch's, or a stranger's."""
    texts = {key: value if isinstance(value, str) else tag_of(value) for key, value in tags.items()}
    assert decided(shares, texts, NOW) == expected


@given(
    some.integers(0, 100), some.sampled_from([None, "blue", "green"]), some.one_of(some.none(), some.text(max_size=15))
)
def test_a_split_survives_its_tag(blue: int, way_back: str | None, writer: str | None) -> None:
    """Whatever its writer is called; and the tag has only characters that AWS takes."""
    split = Split(blue, 100 - blue, way_back, writer or None)  # type: ignore[arg-type]
    text = tag_of(split)
    assert ALLOWED.fullmatch(text)
    assert split_in(text) == split


def test_nothing_exposed_survives_its_tag() -> None:
    """Both shares are 0."""
    assert split_in(tag_of(Split(0, 0, None, "back:d-1"))) == Split(0, 0, None, "back:d-1")


@pytest.mark.parametrize("text", [None, "", "x", "blue=50 green=20", "blue=-1 green=101", "blue=90 green=10 back=red"])
def test_nonsense_in_a_tag_is_no_split(text: str | None) -> None:
    """Never one that somebody could act on."""
    assert split_in(text) is None


def test_a_home_survives_its_tag() -> None:
    """Also when a deployment is called strangely."""
    assert home_in(home_tag("green", "d 17; 100%")) == ("green", "d 17; 100%")
    assert ALLOWED.fullmatch(home_tag("green", "d 17; 100%"))
    assert home_in(None) is None
    assert home_in("red d-17") is None


def test_a_name_that_no_tag_can_hold_is_refused() -> None:
    """Before anything is written."""
    with pytest.raises(ValueError, match="too long for a tag"):
        tag_of(Split(90, 10, "blue", "deploy:" + "x" * 300))
