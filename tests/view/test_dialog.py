"""What each key does."""

from __future__ import annotations

import pytest

from deploytasks.view.dialog import LONGEST, Dialog, Order, keys, press


def after(typed: str) -> tuple[Dialog, list[Order]]:
    """What these keys lead to, and what they ask for."""
    dialog, orders = Dialog(), []
    for key in keys(typed):
        dialog, order = press(dialog, key)
        orders += [order] if order else []
    return dialog, orders


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("p", [Order("pause", "")]),
        ("c", [Order("continue", "")]),
        ("pc", [Order("pause", ""), Order("continue", "")]),
        ("aytoo slow\r", [Order("abort", "too slow")]),
        ("aY\r", [Order("abort", "")]),
        ("an", []),
        ("ay", []),
        ("ayx\x1b", []),
        ("a\r", []),
        ("fsure\r", [Order("promote", "sure")]),
        ("f\r", []),
        ("f  \r", []),
        ("f\rnow then\n", [Order("promote", "now then")]),
        ("fsurf\x7fe\r", [Order("promote", "sure")]),
        ("fnonsense\x15fine\r", [Order("promote", "fine")]),
        ("f\x1b", []),
        ("fa  b\tc\r", [Order("promote", "a b c")]),
        ("fäöü 🚀\r", [Order("promote", "äöü 🚀")]),
        ("?p", []),
        ("q\r \x1b[A\x1b[15~\x1bOPxyz", []),
    ],
)
def test_keys_ask(typed: str, asked: list[Order]) -> None:
    """One key for what can be taken back, a question and a reason for what cannot."""
    assert asked == after(typed)[1]


def test_a_reason_is_needed_to_promote() -> None:
    """An empty one is refused in words, and can still be typed or left."""
    dialog, _ = after("f\r")
    assert "promote" == dialog.mode
    assert "promote: say why; Esc leaves it" == dialog.said


def test_what_is_typed_is_bounded_and_harmless() -> None:
    """No control characters, and no more than a line's worth."""
    dialog, _ = after("f" + "x" * 1000 + "\x00\x07")
    assert "x" * LONGEST == dialog.typed


def test_help_is_left_by_any_key() -> None:
    """And that key does nothing else."""
    assert "help" == after("?")[0].mode
    assert (Dialog(), []) == after("?a")
