"""Bars, gauges, lines and charts, read by their shapes alone."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from deploytasks.view.sparks import LIMIT, OVER, bar, chart, gauge, spark, top_of

VALUES = st.one_of(st.none(), st.floats(0, 1e6), st.just(float("inf")))


@pytest.mark.parametrize(("fraction", "shown"), [(0, "░░░░░░░░"), (0.001, "█░░░░░░░"), (0.5, "████░░░░"), (1, "█" * 8)])
def test_a_bar(fraction: float, shown: str) -> None:
    """Anything above nothing shows."""
    assert shown == bar(fraction, 8)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "────────┃───"),
        (0.0, "────────┃───"),
        (0.01, "████────┃───"),
        (0.02, "████████┃───"),
        (0.0201, "████████┃█──"),
        (0.03, "████████┃███"),
        (0.9, "████████┃███"),
    ],
)
def test_a_gauge(value: float | None, shown: str) -> None:
    """The bar passes the mark exactly when the value is over the limit, by however little."""
    assert shown == gauge(value, [0.02], 12)


def test_a_gauge_with_two_limits() -> None:
    """The lower one decides the scale; the other one shows when it is near."""
    assert "██████┃─┃" == gauge(0.06, [0.08, 0.06], 9)
    assert 1 == gauge(0.06, [2.0, 0.06], 9).count(LIMIT)


@given(st.floats(0, 10), st.floats(0.001, 5), st.integers(6, 60))
def test_a_gauge_never_lies(value: float, limit: float, cells: int) -> None:
    """Over the limit there is a block behind the mark; otherwise there is none."""
    shown = gauge(value, [limit], cells)
    assert cells == len(shown)
    assert (value > limit) == ("█" in shown.partition(LIMIT)[2])


def test_a_spark() -> None:
    """The newest at the right; nothing is blank, zero is the lowest, over the limit is a full block."""
    assert "  ▁ ▂▅▇█" == spark([0.0, None, 0.001, 0.5, 1.0, 1.1], 1.0, 8)
    assert "" == spark([1.0], 1.0, 0)


@given(st.lists(VALUES), st.floats(0.001, 100), st.integers(1, 40))
def test_a_spark_never_lies(values: list[float | None], limit: float, cells: int) -> None:
    """A full block means over the limit, and nothing else does."""
    shown = spark(values, limit, cells)
    assert cells == len(shown)
    assert [value is not None and value > limit for value in values[-cells:]] == [
        cell == OVER for cell in shown[len(shown) - len(values[-cells:]) :]
    ]


def test_a_chart() -> None:
    """Lines from top to bottom, with a dashed line at the limit where nothing covers it."""
    assert ["╌╌╌█", " ▁▄█"] == chart([0.0, 0.5, 2.0], 1.0, 4, 2, 2.0)


@given(st.lists(VALUES), st.one_of(st.none(), st.floats(0.001, 100)), st.integers(1, 40), st.integers(1, 6))
def test_a_chart_has_its_size(values: list[float | None], limit: float | None, cells: int, rows: int) -> None:
    """Whatever is measured."""
    lines = chart(values, limit, cells, rows, top_of([values], limit))
    assert [cells] * rows == [len(line) for line in lines]
