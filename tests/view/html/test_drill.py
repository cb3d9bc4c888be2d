"""The page about a drill."""

from __future__ import annotations

from pathlib import Path

from lab.browsing import browser, opened
from view import answers

from deploytasks.view.html.drill import page


def test_each_death_is_on_the_page() -> None:
    """Where, who came, and what was lost."""
    shown = page(answers.DRILL)
    for words in (
        "2 deaths of a deployer",
        "shifted to 10 %",
        "not everything is in order",
        "2 of 258 requests",
        "503",
    ):
        assert words in shown


def test_a_rehearsed_rollback_is_on_the_page() -> None:
    """Both ways with their times; what would have gone wrong, only where something would."""
    shown = page(answers.REHEARSED_ROLLBACK)
    for words in ("A rollback, rehearsed", "0.412", "0.38", "everything is in order"):
        assert words in shown
    assert "What would have gone wrong" not in shown
    wrong = page({**answers.REHEARSED_ROLLBACK, "ok": False, "wrong": ["<b>books</b> failed"], "counted": False})
    assert "&lt;b&gt;books&lt;/b&gt; failed" in wrong
    assert "Nobody counted requests" in wrong


def test_it_shows_in_a_browser_without_complaint(tmp_path: Path) -> None:
    """Nothing is asked for, axe finds nothing serious; and a phone shows it without scrolling sideways."""
    with browser() as chromium:
        for scheme, answer in (("light", answers.DRILL), ("dark", answers.REHEARSED_ROLLBACK)):
            file = tmp_path / f"{scheme}.html"
            file.write_text(page(answer), encoding="utf-8")
            with opened(chromium, file, scheme=scheme) as shown:
                assert [] == shown.violations()
                assert [] == shown.complaints
                assert [] == shown.asked_for()
            with opened(chromium, file, width=360) as shown:
                assert 360 == shown.page.evaluate("document.documentElement.scrollWidth")
