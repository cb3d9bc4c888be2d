"""The page about delivery."""

from __future__ import annotations

from typing import Any

from tale import DAWN
from view import answers

from deploytasks.delivery.measures import Period, measured
from deploytasks.view.html.metrics import page, section
from deploytasks.view.html.trends import trends


def empty() -> dict[str, Any]:
    period = Period(DAWN, DAWN.replace(month=12))
    return {"application": "library", "environment": "production", **measured((), period, lambda one: None)}


def test_all_of_it_is_on_the_page() -> None:
    """Measures, charts with words, failures, weeks, definitions and their source; within 100 kB."""
    shown = page(answers.metrics())
    for words in ("Change failure rate", "Deployments by week", "v-044", "https://dora.dev/guides/dora-metrics/"):
        assert words in shown
    assert shown.count("<svg") > 6
    assert len(shown) < 100_000


def test_words_of_charts_are_true() -> None:
    """What a chart says to whoever cannot see it are its numbers."""
    told = [figure.told for figure in trends(answers.metrics())]
    assert told[0] == "59 deployments reached users in 13 weeks, at most 5 in one week; 6 of them failed."
    assert len(told) == 3


def test_of_nothing() -> None:
    """Without any deployment there is a page, and no chart of nothing."""
    assert "none settled" in page(empty())
    assert [] == trends(empty())
    assert None is section(None)


def test_hostile_words_are_words() -> None:
    """A reason is text, whatever it looks like."""
    answer = answers.metrics()
    answer["failures"][0]["why"] = "<script>alert(1)</script>"
    assert "<script>alert" not in page(answer)
