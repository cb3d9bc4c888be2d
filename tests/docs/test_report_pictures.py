"""The pictures of reports are made from real deployments that lie beside them."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from pages import ROOT

from deploytasks.view.html.report import page

IMAGES = ROOT / "docs" / "images"
MOST = 160_000
"""Bytes of a picture."""


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Which are made, and from what."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "pictures"))
    names = ("report", "browser")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import report

    yield report.PICTURES
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_each_picture_is_made_from_a_recording_and_none_is_left_over(pictures: Any) -> None:
    """And each is a picture of a bearable size."""
    assert set(pictures) == {found.name for found in IMAGES.glob("report-*.png")}
    recordings = {f"report-{recording}.json" for recording, *_ in pictures.values()}
    assert recordings == {found.name for found in IMAGES.glob("report-*.json")}
    for name in pictures:
        made = (IMAGES / name).read_bytes()
        assert b"\x89PNG\r\n\x1a\n" == made[:8]
        assert len(made) < MOST


def test_each_picture_is_shown_in_the_documentation_and_said_in_words(pictures: Any) -> None:
    """Whoever cannot see it reads what it shows; two of them are what a reader of the README sees."""
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    said = {name: alt for alt, name in re.findall(r"!\[([^\]]+)\]\(images/(report-[\w-]+\.png)\)", text)}
    assert set(pictures) == set(said)
    assert [] == [name for name, alt in said.items() if len(alt) < 30]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert ["report-taken-back.png", "report-charts.png"] == re.findall(r"docs/images/(report-[\w-]+\.png)", readme)


@pytest.mark.parametrize("recording", ["live", "taken-back"])
def test_a_recording_still_makes_a_report(recording: str) -> None:
    """Real readings of a real balancer; and nothing of the machine that they were recorded on."""
    written = (IMAGES / f"report-{recording}.json").read_text(encoding="utf-8")
    assert "How long requests take" in page(json.loads(written))
    assert "/tmp/" not in written
