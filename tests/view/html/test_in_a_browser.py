"""The report in a real Chromium: it shows, it can be used, and it asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.browsing import browser, opened
from view import answers, reported

from deploytasks.view.html.audit import page as audit_page
from deploytasks.view.html.metrics import page as metrics_page
from deploytasks.view.html.report import page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One for all of them."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it."""
    file = tmp_path_factory.mktemp("reports") / "full report.html"
    file.write_text(page(reported.full()), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with words of somebody who means harm in every place."""
    file = tmp_path_factory.mktemp("reports") / "hostile.html"
    file.write_text(page(reported.full(reported.HOSTILE)), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_without_complaint_and_axe_finds_nothing_serious(chromium: Any, report: Path, scheme: str) -> None:
    """No error, no request, no serious or critical finding, with all that is folded opened."""
    with opened(chromium, report, scheme=scheme) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert "was rolled back" in shown.page.inner_text("h1")
        assert [] == shown.violations()
        assert [] == shown.complaints
        assert [] == shown.asked_for()


@pytest.mark.parametrize("which", ["report", "hostile"])
def test_a_phone_shows_it_without_scrolling_sideways(chromium: Any, which: str, request: pytest.FixtureRequest) -> None:
    """At 360 pixels, everything opened, whatever was written."""
    with opened(chromium, request.getfixturevalue(which), width=360) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert 360 == shown.page.evaluate("document.documentElement.scrollWidth")
        assert shown.page.locator(".chart.narrow").first.is_visible()
        assert not shown.page.locator(".chart.wide").first.is_visible()


def test_hostile_words_are_words(chromium: Any, hostile: Path) -> None:
    """No element comes of them, nothing runs, and nothing of them can turn the text around."""
    with opened(chromium, hostile) as shown:
        shown.page.on("dialog", lambda dialog: shown.complaints.append(dialog.message))
        assert 1 == shown.page.locator("script").count()
        assert 0 == shown.page.locator("img").count()
        assert "<script>alert" in shown.page.inner_text("main")
        assert not {"\u202e", "\x1b"} & set(shown.page.content())
        assert [] == shown.complaints
        assert [] == shown.asked_for()


def test_what_a_page_may_do_forbids_everything_else(chromium: Any, report: Path) -> None:
    """A script or a request that somehow came into it would be refused by the browser itself."""
    with opened(chromium, report) as shown:
        shown.page.evaluate(
            "() => { const put = (tag, has) => document.body.append(Object.assign(document.createElement(tag), has));"
            " put('script', { textContent: 'window.ran = 1' }); put('img', { src: 'https://example.com/x.png' }); }"
        )
        assert shown.page.evaluate("window.ran") is None
        assert 2 == len([said for said in shown.complaints if "Content Security Policy" in said])


def test_tables_are_sorted_by_their_heads_also_with_the_keyboard(chromium: Any, report: Path) -> None:
    """Up, then down; whoever listens is told."""
    with opened(chromium, report) as shown:
        table = shown.page.locator("section[aria-labelledby=checklist] > table")
        items = table.locator("tbody th .mono")
        as_recorded = items.all_inner_texts()
        head = table.locator("thead th").first
        head.locator("button").focus()
        shown.page.keyboard.press("Enter")
        assert sorted(as_recorded) == items.all_inner_texts()
        assert "ascending" == head.get_attribute("aria-sort")
        shown.page.keyboard.press("Enter")
        assert sorted(as_recorded, reverse=True) == items.all_inner_texts()
        assert "sorted by Item, descending" == shown.page.inner_text("#said")


def test_numbers_are_sorted_as_numbers(chromium: Any, report: Path) -> None:
    """The column of requests per second, in the table behind the charts."""
    with opened(chromium, report) as shown:
        table = shown.page.locator("table.numbers")
        shown.page.locator("summary", has_text="numbers behind").click()
        table.get_by_role("button", name="green req/s").click()
        found = [
            float(each)
            for each in table.locator("tbody td:nth-child(4)").evaluate_all(
                "a => a.map(e => e.textContent.replace('–', '-1'))"
            )
        ]
        assert sorted(found) == found
        assert len(set(found)) > 2


def test_a_table_is_filtered_by_all_words(chromium: Any, report: Path) -> None:
    """Rows that have not all of them go, and come back; how many are left is said."""
    with opened(chromium, report) as shown:
        rows = shown.page.locator("section[aria-labelledby=checklist] > table tbody tr:visible")
        count = rows.count()
        shown.page.get_by_label("Filter items", exact=True).fill("CODE. fail")
        assert ["code.coverage"] == rows.locator("th .mono").all_inner_texts()
        assert f"1 of {count} items" == shown.page.inner_text("#said")
        shown.page.get_by_label("Filter items", exact=True).fill("")
        assert count == rows.count()


def test_dark_or_light_is_the_readers_choice_against_the_system(chromium: Any, report: Path) -> None:
    """A button turns it around; without a choice the system's is taken."""
    with opened(chromium, report, scheme="dark") as shown:
        color = "getComputedStyle(document.documentElement).backgroundColor"
        dark = shown.page.evaluate(color)
        shown.page.get_by_role("button", name="Show in light colors").click()
        light = shown.page.evaluate(color)
        assert "rgb(21, 24, 28)" == dark
        assert "rgb(247, 247, 244)" == light
    with opened(chromium, report) as shown:
        assert light == shown.page.evaluate(color)


def test_on_paper_it_is_light_and_all_of_it_is_there(chromium: Any, report: Path) -> None:
    """What is folded on the screen is opened, and nothing that only a screen can do is printed."""
    with opened(chromium, report, scheme="dark") as shown:
        shown.page.emulate_media(media="print")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert "rgb(255, 255, 255)" == shown.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert shown.page.locator("table.numbers tbody tr").first.is_visible()
        assert not shown.page.locator("#theme").is_visible()
        assert not shown.page.locator(".filter").first.is_visible()
        assert shown.page.pdf(format="A4").startswith(b"%PDF")


def test_who_has_no_script_reads_all_of_it(chromium: Any, report: Path) -> None:
    """Sorting and filtering are not there then; everything else is."""
    with opened(chromium, report, java_script_enabled=False) as shown:
        assert 0 == shown.page.locator("thead button").count()
        assert not shown.page.locator("#theme").is_visible()
        assert shown.page.locator(".chart.wide svg").first.is_visible()


def test_the_keyboard_comes_past_the_head_with_one_key(chromium: Any, report: Path) -> None:
    """The first thing that has the focus skips to the content."""
    with opened(chromium, report) as shown:
        shown.page.keyboard.press("Tab")
        assert "Skip to the content" == shown.page.evaluate("document.activeElement.textContent")
        shown.page.keyboard.press("Enter")
        assert "main" == shown.page.evaluate("document.activeElement.id")


@pytest.mark.parametrize("which", ["audit", "metrics"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_the_past(chromium: Any, tmp_path: Path, which: str, scheme: str) -> None:
    """The audit trail and the measures of delivery: axe finds nothing, nobody is asked, a phone shows all of it."""
    file = tmp_path / f"{which}.html"
    file.write_text(audit_page(answers.audit()) if which == "audit" else metrics_page(answers.metrics()), "utf-8")
    with opened(chromium, file, scheme=scheme) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert [] == shown.violations()
        assert [] == shown.complaints
        assert [] == shown.asked_for()
    with opened(chromium, file, scheme=scheme, width=360) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert 360 == shown.page.evaluate("document.documentElement.scrollWidth")


def test_the_audit_trail_is_sorted_and_filtered(chromium: Any, tmp_path: Path) -> None:
    """By who did it; by what a row says only where it is unfolded."""
    file = tmp_path / "audit.html"
    file.write_text(audit_page(answers.audit()), "utf-8")
    with opened(chromium, file) as shown:
        who = shown.page.locator("table.trail tbody td.who")
        shown.page.locator("table.trail thead").get_by_role("button", name="Who").click()
        assert sorted(who.all_inner_texts(), key=str.lower) == who.all_inner_texts()
        shown.page.get_by_label("Filter rows").fill("code.coverage SHA256:x")
        assert 2 == shown.page.locator("table.trail tbody tr:visible").count()
