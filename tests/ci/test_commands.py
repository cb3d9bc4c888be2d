"""What logs obey: our own commands, whatever is in them; and nothing of what somebody else says."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, strategies as st
from lab.runner import obeyed

from deploytasks.ci.commands import LONGEST, annotation, group, section_end, section_start
from deploytasks.ci.harmless import harmless, harmless_json

PIECES = st.lists(
    st.sampled_from(
        ["::", ":", "error", "set-output name=x", "##[", "]", "##", "#", "[", "\r", "\n", "\r\n", " ", "\t"]
    )
    | st.sampled_from(
        ["\x0b", "\x85", "\u2028", "\u00a0", "section_start:1:a", "section_end:2:a", "\x1b[0K", "%0A", "x"]
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("line", ["::error::x", "  ::add-mask::x", "said ##[error]x", "\u00a0::stop-commands::x"])
def test_the_lab_obeys(line: str) -> None:
    """What the rest of this page avoids is a command."""
    assert obeyed(line)


@given(PIECES)
@example("a\r::set-output name=x::y")
@example("::::error::")
@example("###[error]")
def test_nobody_elses_words_are_obeyed(text: str) -> None:
    """Wherever they stand, also behind a line break that looks like none."""
    assert [] == obeyed(harmless(text, "github"))
    assert not re.search(r"section_(start|end):\d", harmless(text, "gitlab"))
    assert text == harmless(text, "other") == harmless(text, None)


@given(st.dictionaries(PIECES, PIECES, max_size=3))
def test_json_means_the_same(answer: dict[str, str]) -> None:
    """For a machine that reads it nothing changes."""
    for kind in ("github", "gitlab"):
        line = harmless_json(json.dumps(answer), kind)  # type: ignore[arg-type]  # both are kinds
        assert answer == json.loads(line)
        assert [] == obeyed(line)
        assert not re.search(r"section_(start|end):", line) or kind == "github"


@given(PIECES, PIECES)
def test_an_annotation_says_what_it_was_given(title: str, text: str) -> None:
    """Percent signs, line breaks, commas and colons come back; it is one line, and one command."""
    (found,) = obeyed(annotation("error", f"t{title}x", text))
    assert ("error", {"title": f"t{title}x"}, text) == found


def test_a_long_annotation_is_cut() -> None:
    """Before it is escaped: half of an escape would be nothing."""
    (found,) = obeyed(annotation("warning", "t", "%" * 9000))
    assert "%" * (LONGEST - 1) + "…" == found.text


def test_groups_and_sections() -> None:
    """As both document them."""
    assert "::group::50 %25" == group("50 %")
    assert "\x1b[0Ksection_start:7:step_1[collapsed=true]\r\x1b[0Kback up the database" == section_start(
        "step_1", "back up\nthe database", 7.9, collapsed=True
    )
    assert "\x1b[0Ksection_start:7:step_1\r\x1b[0Kroll out" == section_start("step_1", "roll out", 7, collapsed=False)
    assert "\x1b[0Ksection_end:9:step_1\r\x1b[0K" == section_end("step_1", 9)
