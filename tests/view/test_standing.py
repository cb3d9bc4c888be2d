"""All environments side by side, and one status after the other."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console
from view.answers import ABREAST, STATUS, UNREADABLE

from deploytasks.view.paint import Paint, bare, hanging
from deploytasks.view.standing import Showing, _JsonLines, _Lines, _Picture, fitted
from deploytasks.view.text import text
from deploytasks.view.text.briefly import briefly
from deploytasks.view.text.changes import changes, noted

PLAIN = Paint(False)
AT = "2026-11-23T12:00:00+00:00"


def of(names: list[str], **changed: Any) -> dict[str, Any]:
    """All of these environments."""
    return {"environments": {name: {**STATUS, "environment": name, **changed} for name in names}}


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_it_fits(columns: int, count: int) -> None:
    """However many there are and however long the words, no line is longer than the terminal is wide."""
    long = {"unreadable": "https://balancer.example.org/" + "x" * 90}
    shown = text("abreast", of([f"environment-{at}" for at in range(count)], lease=long), Paint(True, columns))
    assert max(len(bare(line)) for line in shown.splitlines()) <= columns
    for at in range(count):
        assert f"environment-{at}" in shown


def test_each_has_a_column() -> None:
    """What is live and idle, who is at work; what cannot be read says so in its own column."""
    lines = text("abreast", ABREAST, Paint(False, 120)).splitlines()
    assert ["development", "staging", "production"] == lines[0].split()
    at = lines[0].index("staging"), lines[0].index("production")
    columns = [" ".join(line[start:end].strip() for line in lines) for start, end in ((0, at[0]), at, (at[1], None))]
    assert "green 1.2.3, NOT healthy" in columns[0]
    assert "blue 1.2.2, healthy" in columns[2]
    assert "22 h left" in columns[0]
    assert "envoy's admin does" in columns[1]
    assert "envoy's admin does" not in columns[0] + columns[2]


def test_what_deserves_attention_comes_below() -> None:
    """With the name of its environment."""
    last = " ".join(text("abreast", ABREAST, PLAIN).splitlines()[-2:])
    assert "  ! production: green has 1.2.4-e; the ledger knows 1.2.3-d: find out who     changed it" == last


@pytest.mark.parametrize(
    ("changed", "label", "said"),
    [
        ({}, "last", "deploy 1.2.3, done (0), 2026-11-23 10:19 UTC"),
        ({"traffic": {**STATUS["traffic"], "live": None, "blue": 50, "green": 50}}, "live", "blue 50 % / green 50 %"),
        ({"traffic": {**STATUS["traffic"], "way_back": None}}, "way back", "none is open"),
        ({"lease": {"who": "ann", "doing": "roll out"}}, "at work", "ann: roll out"),
        ({"lease": {"who": "ann", "doing": "roll out", "dead": True}}, "at work", "ann, gone: roll out"),
        ({"maintenance": {"message": "Back soon."}}, "site", "CLOSED: Back soon."),
        ({"deadman": {"fired_at": AT}}, "switch", "FIRED"),
        ({"ledger": UNREADABLE}, "last", "does not say: envoy's admin does not answer: connection refused"),
        ({"colors": {"blue": None, "green": None}}, "idle", "blue, empty"),
        ({"levels": {"cpu": {"value": 0.9, "warns_above": 0.7}}}, "levels", "CPU 90 %"),
        ({"levels": {"cpu": {"value": 0.5, "warns_above": 0.7}}}, "levels", ""),
        (
            {"ledger": {"asked": [{"verb": "pause", "who": "ann", "reason": "a mail goes out", "said": ""}]}},
            "asked",
            "pause by ann (a mail goes out): not heard yet",
        ),
        ({"outbox": {"ops": {"waiting": 3}}}, "untold", "ops"),
    ],
)
def test_in_a_few_words(changed: dict[str, Any], label: str, said: str) -> None:
    """Each thing that people look for."""
    assert said == briefly({**STATUS, **changed}, PLAIN)[label]


def test_changes_are_lines() -> None:
    """What was and what is, once; what is as it was is not told, nor that time goes by."""
    before = noted(STATUS)
    after = noted({**STATUS, "at": AT, "lease": {"who": "ann", "doing": "roll out"}, "astray": []})
    lines = changes(before, after, AT)
    assert "12:00:00  at work: ann: roll out (was nobody)" == lines[0]
    assert lines[1].startswith("12:00:00  astray: nothing")
    assert (2, []) == (len(lines), changes(after, after, AT))
    several = changes(
        noted(of(["staging", "production"])), noted(of(["staging", "production"], maintenance={"message": "x"})), AT
    )
    assert [
        "12:00:00  staging  site: CLOSED: x (was open)",
        "12:00:00  production  site: CLOSED: x (was open)",
    ] == several


def test_a_log_tells_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole picture first, then nothing while nothing happens."""
    assert ["live", "idle", "way", "at", "site", "switch", "last", "astray"] == [
        line.split()[1].rstrip(":") for line in _told(_Lines(), capsys, STATUS, STATUS)
    ]


def test_json_lines_tell_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole answers; how long a health page took is no change."""
    faster = {
        **STATUS,
        "at": AT,
        "colors": {**STATUS["colors"], "blue": {**STATUS["colors"]["blue"], "detail": "1 ms"}},
    }
    closed = {**STATUS, "maintenance": {"message": "x"}}
    lines = _told(_JsonLines(), capsys, STATUS, faster, closed)
    assert [None, {"message": "x"}] == [json.loads(line)["maintenance"] for line in lines]


def _told(showing: Showing, capsys: pytest.CaptureFixture[str], *answered: dict[str, Any]) -> list[str]:
    for answer in answered:
        showing.show("status", answer)
    showing.close()
    return capsys.readouterr().out.splitlines()


def test_a_picture_stays_and_the_last_one_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn in its place; in the end, what was there last, whole, however small the terminal was."""
    screen = io.StringIO()
    showing = _Picture(Console(file=screen, force_terminal=True, width=80, height=6, color_system=None))
    showing.show("status", STATUS)
    showing.show("status", {**STATUS, "environment": "production"})
    showing.close()
    assert ["development", "production"] == list(dict.fromkeys(re.findall(r"library in (\w+)", screen.getvalue())))
    assert "…" in screen.getvalue()
    assert "\x1b[1A" in screen.getvalue(), "the cursor goes up again"
    left = capsys.readouterr().out
    assert left.startswith("library in production")
    assert "the ledger knows 1.2.3-d" in left


def test_hanging_folds_beside_its_label() -> None:
    """Words that are longer than a line stay whole."""
    assert ["at  one", "    two", "    threeeeee"] == hanging("at  ", "one two threeeeee", 8)
    assert ["at  "] == hanging("at  ", "", 8)


@pytest.mark.parametrize("height", [3, 6, 23, 24, 25, 60])
def test_a_small_terminal_shows_both_ends(height: int) -> None:
    """The first line and the last one are there."""
    shown = fitted([str(number) for number in range(24)], height)
    assert len(shown) == min(24, height)
    assert ("0", "23") == (shown[0], shown[-1])
