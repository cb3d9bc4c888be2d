"""What is drawn again and again: the same picture as if all of it were drawn, by writing only what changed."""

from __future__ import annotations

import io
import re

from hypothesis import given, strategies as st
from rich.console import Console
from rich.text import Text

from deploytasks.view.canvas import HIDE, SHOW, Canvas

SIZE = (20, 10)
_TOKEN = re.compile(r"\x1b\[(\?)?([0-9;]*)([A-Za-z])|\r|\n|[^\x1b]")


class Emulator:
    """As much of a terminal as the canvas uses."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.rows = [[" "] * width for _ in range(height)]
        self.scrolled: list[str] = []
        self.x = self.y = 0

    def feed(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token[3]:
                self._control(token[3], int(token[2]) if token[2].isdigit() else 0)
            elif token[0] == "\r":
                self.x = 0
            elif token[0] == "\n":
                self._down()
            else:
                assert self.x < self.width, "written beyond the edge"
                self.rows[self.y][self.x] = token[0]
                self.x += 1

    def _down(self) -> None:
        if self.y == len(self.rows) - 1:
            self.scrolled.append("".join(self.rows.pop(0)).rstrip())
            self.rows.append([" "] * self.width)
        else:
            self.y += 1

    def _control(self, kind: str, count: int) -> None:
        if kind == "A":
            self.y = max(0, self.y - (count or 1))
        elif kind == "B":
            self.y = min(len(self.rows) - 1, self.y + (count or 1))
        elif kind == "H":
            self.x = self.y = 0
        elif kind == "K":
            self.rows[self.y][self.x :] = [" "] * (self.width - self.x)
        elif kind == "J":
            below = range(len(self.rows)) if count == 2 else range(self.y + 1, len(self.rows))
            for row in below:
                self.rows[row] = [" "] * self.width
            if count == 0:
                self._control("K", 0)
        else:
            assert kind in "hlm", kind

    def shown(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.rows]


def drawing(file: io.StringIO) -> Canvas:
    console = Console(file=file, force_terminal=True, width=SIZE[0], height=SIZE[1], color_system="standard")
    return Canvas(console)


LINES = st.lists(st.text("ab█ ", max_size=SIZE[0]), min_size=1, max_size=SIZE[1] - 1)


@given(st.lists(st.tuples(LINES, st.lists(st.text("xyz", max_size=9), max_size=2)), min_size=1, max_size=8))
def test_only_changes_are_written_and_the_picture_is_whole(pictures: list[tuple[list[str], list[str]]]) -> None:
    """After each picture the terminal shows it, and above it all words in their order."""
    file, screen, words = io.StringIO(), Emulator(*SIZE), []
    canvas = drawing(file)
    for lines, said in pictures:
        at = file.tell()
        canvas.draw([Text(line, "bold") for line in lines], SIZE, said)
        screen.feed(file.getvalue()[at:])
        words += said
        everything = [*screen.scrolled, *screen.shown()]
        wanted = [*words, *(line.rstrip() for line in lines)]
        assert wanted == everything[: len(wanted)]
        assert not any(everything[len(wanted) :])


def test_the_same_picture_writes_nothing() -> None:
    """Not a byte."""
    file = io.StringIO()
    canvas = drawing(file)
    canvas.draw([Text("one"), Text("two")], SIZE)
    once = file.getvalue()
    canvas.draw([Text("one"), Text("two")], SIZE)
    assert once == file.getvalue()


def test_one_changed_line_is_the_only_one_written() -> None:
    """A style alone is a change, too."""
    file = io.StringIO()
    canvas = drawing(file)
    canvas.draw([Text("first"), Text("second")], SIZE)
    at = file.tell()
    canvas.draw([Text("first"), Text("second", "bold")], SIZE)
    new = file.getvalue()[at:]
    assert "second" in new
    assert "first" not in new


def test_another_size_draws_on_an_empty_screen() -> None:
    """Lines that the terminal has wrapped anew are where nobody knows."""
    file = io.StringIO()
    canvas = drawing(file)
    canvas.draw([Text("one")], (20, 10))
    canvas.draw([Text("one")], (30, 10))
    assert "\x1b[H\x1b[2J" in file.getvalue()


def test_leaving_shows_the_cursor_and_leaves_the_last_lines() -> None:
    """In the place of the picture."""
    file, screen = io.StringIO(), Emulator(*SIZE)
    canvas = drawing(file)
    canvas.draw([Text("one"), Text("two"), Text("three")], SIZE)
    canvas.leave(["a word"], [Text("over")])
    screen.feed(file.getvalue())
    assert ["a word", "over", "", ""] == screen.shown()[:4]
    assert file.getvalue().rindex(SHOW) > file.getvalue().rindex(HIDE)
