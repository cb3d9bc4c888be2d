"""The pictures of the live view are of a real deployment, and of the view as it is now."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from pages import ROOT
from rich.text import Text
from view.story import Story, until

from deploytasks.view.desk import Desk, Life
from deploytasks.view.frame import frame
from deploytasks.view.scene import Scene, follow

IMAGES = ROOT / "docs" / "images"
ALBUM: list[dict[str, Any]] = json.loads((IMAGES / "live-screens.json").read_text(encoding="utf-8"))
DRAWN = [entry for entry in ALBUM if entry["name"] != "taken-back"]
"""Those that show the view at work."""
MOST = 100_000
"""Bytes of a picture."""


def lines(entry: dict[str, Any]) -> list[str]:
    """What the terminal showed, without its colors."""
    return [Text.from_ansi(line).plain.rstrip() for line in entry["screen"]]


def names(entry: dict[str, Any]) -> list[str]:
    """The files of its pictures."""
    return [f"live-{entry['name']}-{theme}.png" for theme in entry["themes"]]


@pytest.mark.parametrize("entry", ALBUM, ids=lambda entry: str(entry["name"]))
def test_each_picture_is_drawn_from_the_screen_beside_it(entry: dict[str, Any]) -> None:
    """A screen that was recorded anew must be drawn anew; and none is too large."""
    assert hashlib.sha256("\n".join(entry["screen"]).encode()).hexdigest()[:16] == entry["drawn"]
    for name in names(entry):
        picture = (IMAGES / name).read_bytes()
        assert b"\x89PNG\r\n\x1a\n" == picture[:8]
        assert len(picture) < MOST


def test_each_picture_is_shown_and_said_in_words() -> None:
    """None is left over, and who cannot see it reads what it shows."""
    made = {name for entry in ALBUM for name in names(entry)}
    assert made == {found.name for found in IMAGES.glob("live-*.png")}
    pages = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/live-view.md"))
    assert made == {name for alt, name in re.findall(r"!\[([^\]]{40,})\]\((?:docs/)?images/([^)]+)\)", pages)} & made


def skeleton(shown: list[str]) -> list[str]:
    """The words of the view that are the same in every rollout, line by line."""
    fixed = r"^  (?:blue |green|errors|P99|evidence)|^lease|^p pause.*Ctrl-C takes it back|req/s.*by poll"
    return [found[0] for line in shown if (found := re.search(fixed, line))]


@pytest.mark.parametrize("entry", DRAWN, ids=lambda entry: str(entry["name"]))
def test_the_view_still_looks_like_its_pictures(entry: dict[str, Any]) -> None:
    """Drawn by this code at the same size, the same lines have the same names, in the same order: else
    `docs/pictures/live.py --record`."""
    events = list(until(Story().tell(), "reading", 12))
    life = Life("ann@laptop", 7, 60.0, lambda: 3.0, 10.0, "library", "development")
    desk = Desk(has_keys=True, life=life, beat=3.0)
    scene = reduce(follow, events, Scene())
    now = [line.plain for line in frame(scene, entry["columns"], 39, events[-1].at + timedelta(seconds=3), desk)]
    assert skeleton(now) == skeleton(lines(entry))


def test_what_the_readme_says_about_its_pictures() -> None:
    """The numbers in the words beside them are those of the screens."""
    shown = {entry["name"]: "\n".join(lines(entry)) for entry in ALBUM}
    alt = re.findall(r"!\[([^\]]+)\]\(docs/images/live-evidence-dark", (ROOT / "README.md").read_text("utf-8"))[0]
    errors, evidence = re.findall(r"errors of ([\d.]+) %|evidence at (\d+) %", alt)
    assert f"{errors[0]} %!!" in shown["evidence"]
    assert f"{evidence[1]} %   toward rolling back" in shown["evidence"]
    assert "stage 2 of 4, 25 %" in shown["shifting"]
    assert " PAUSED  by ann@laptop" in shown["paused"]
    assert "traffic is on green 1.5.0; exit code 4" in re.sub(r"\s+", " ", shown["taken-back"])


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What makes a page of a screen."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "pictures"))
    monkeypatch.delitem(sys.modules, "screen", raising=False)
    import screen

    yield screen.page
    monkeypatch.delitem(sys.modules, "screen", raising=False)


def test_a_page_has_the_screens_words_and_nothing_that_runs(page: Any) -> None:
    """Colors become styles; what looks like HTML is text."""
    made = page(["\x1b[1;32mgood\x1b[0m <script>x</script>", "\x1b[7m HOLD \x1b[0m"], 80, "light")
    assert "&lt;script&gt;" in made
    assert "<script" not in made
    assert re.search(r'<span style="color: #1a7f37; font-weight: bold">good</span>', made)
    assert re.search(r'<span style="background: [^"]+"> HOLD </span>', made)
