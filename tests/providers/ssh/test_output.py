"""The command's own output, whatever surrounds it and however it arrives."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import given, strategies as st

from deploytasks.providers.ssh.output import Errors, Lines, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "0123456789abcdef"


def pieces(whole: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The whole, cut at some places."""
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return (whole[start:end] for start, end in itertools.pairwise(places))


@given(st.binary(), st.binary(), st.binary(), st.integers(0, 255), st.lists(st.integers(0, 10_000)))
def test_nothing_but_the_output(before: bytes, text: bytes, after: bytes, code: int, cuts: list[int]) -> None:
    """Noise before and after is dropped, and the output is kept byte for byte, in whatever pieces it comes."""
    output = Output(TOKEN)
    for piece in pieces(
        before + b"\n%s begin\n" % TOKEN.encode() + text + b"\n%s %d\n" % (TOKEN.encode(), code) + after, cuts
    ):
        output.feed(piece)
    assert (text, code) == (output.text, output.code)


@given(st.binary(), st.lists(st.integers(0, 10_000)))
def test_an_output_that_is_cut_off(text: bytes, cuts: list[int]) -> None:
    """Without the end mark there is no code."""
    output = Output(TOKEN)
    for piece in pieces(b"\n%s begin\n" % TOKEN.encode() + text, cuts):
        output.feed(piece)
    assert (text, None) == (output.text, output.code)


def test_a_shell_that_never_begins() -> None:
    """What it said instead is kept."""
    output = Output(TOKEN)
    output.feed(b"This account is not available.\n")
    assert not output.has_begun
    assert b"This account is not available.\n" == output.before
    assert b"" == output.text


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"))), st.lists(st.integers(0, 10_000)))
def test_lines_are_handed_on_once(lines: list[str], cuts: list[int]) -> None:
    """Every line, empty ones too, in whatever pieces it comes."""
    came: list[str] = []
    taken = Lines(TOKEN, came.append)
    text = "".join(f"{line}\n" for line in lines)
    for piece in pieces(f"noise\n\n{TOKEN} begin\n{text}\n{TOKEN} 3\n".encode(), cuts):
        taken.feed(piece)
    assert (lines, 3) == (came, taken.code)


def test_only_the_end_of_stderr_is_kept() -> None:
    """Memory is bounded, and the wrapper's mark is no part of it."""
    errors = Errors(TOKEN)
    for _ in range(100):
        errors.feed(b"x" * 10_000)
    assert not errors.is_whole
    errors.feed(b"the end\n%s\n" % TOKEN.encode())
    assert errors.is_whole
    assert errors.text.endswith(b"xthe end")
    assert len(errors.text) < 70_000
