"""SQL as far as a checklist needs it: statements, their words, and the lines on which they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<comment>--[^\n]*)
      | (?P<block>/\*)
      | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
      | (?P<string>(?:[eE](?='))?'(?:[^'\\]|''|\\.|\\(?=\n))*(?:'|\Z))
      | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[A-Za-z_][\w ]*\])
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_SECTION = re.compile(r"^[ \t]*--[ \t]*(?:migrate:|\+goose\s+|\+micrate\s+)(up|down)\b", re.IGNORECASE | re.MULTILINE)
"""Where one file has both ways: dbmate, goose."""


class Token(NamedTuple):
    """``kind``: ``word``, ``quoted`` (a name), ``string``, ``number`` or ``mark``."""

    kind: str
    text: str
    line: int

    @property
    def upper(self) -> str:
        """A word in capitals; of anything else, the text."""
        return self.text.upper() if self.kind == "word" else self.text

    @property
    def name(self) -> str:
        """As the name of something: in lower case, without quotes."""
        return self.text[1:-1] if self.kind == "quoted" else self.text.lower()


class Statement:
    """One statement, read from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tuple(tokens)
        self.at = 0

    @property
    def line(self) -> int:
        """Of its first word, from 1."""
        return self.tokens[0].line if self.tokens else 1

    def take(self, *words: str) -> bool:
        """Go past these words, if they come next."""
        if not self.comes(*words):
            return False
        self.at += len(words)
        return True

    def take_any(self, *phrases: str) -> str:
        """Go past one of these phrases, if one comes next, and return it; else nothing."""
        return next((phrase for phrase in phrases if self.take(*phrase.split())), "")

    def comes(self, *words: str) -> bool:
        """Whether these words come next."""
        found = self.tokens[self.at : self.at + len(words)]
        return len(found) == len(words) and all(one.upper == word for one, word in zip(found, words, strict=True))

    def name(self) -> str:
        """Go past a name, and return its last part: ``book`` of ``public."book"``; empty where none stands."""
        if self.at >= len(self.tokens) or self.tokens[self.at].kind not in ("word", "quoted"):
            return ""
        found = self.tokens[self.at].name
        self.at += 1
        while self.comes(".") and self.at + 1 < len(self.tokens):
            found = self.tokens[self.at + 1].name
            self.at += 2
        return found

    def rest(self) -> tuple[Token, ...]:
        """What was not read yet."""
        return self.tokens[self.at :]

    def has(self, *words: str) -> bool:
        """Whether these words come anywhere in the rest, one after the other."""
        found = [one.upper for one in self.rest()]
        return any(tuple(found[at : at + len(words)]) == words for at in range(len(found)))

    def parts(self) -> list[Statement]:
        """The rest, cut at its commas; those in parentheses left aside."""
        found: list[list[Token]] = [[]]
        depth = 0
        for one in self.rest():
            depth += (one.text == "(") - (one.text == ")") if one.kind == "mark" else 0
            if one.text == "," and one.kind == "mark" and depth == 0:
                found.append([])
            else:
                found[-1].append(one)
        return [Statement(part) for part in found if part]

    def __str__(self) -> str:
        """The first words of it."""
        said = " ".join(one.text for one in self.tokens)
        said = re.sub(r" (?=[.,;)(])|(?<=[.(]) ", "", said)
        return f"{said[:57]}…" if len(said) > 58 else said


def statements(text: str) -> list[Statement]:
    """The statements of a text."""
    found: list[list[Token]] = [[]]
    for token in _tokens(text):
        if token.kind == "mark" and token.text == ";":
            found.append([])
        else:
            found[-1].append(token)
    return [Statement(tokens) for tokens in found if tokens]


def sections(text: str) -> tuple[str, str | None]:
    """What goes forward and what goes back, where one file has both; ``None``: nothing is said about the way back.

    Each stays on its lines.
    """
    marks = list(_SECTION.finditer(text))
    if not marks:
        return text, None
    ways = {"up": "\n" * text.count("\n", 0, marks[0].start()), "down": ""}
    ways["down"] = ways["up"]
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
        way = mark[1].lower()
        part = text[mark.start() : end]
        ways[way] += part
        ways["down" if way == "up" else "up"] += "\n" * part.count("\n")
    return ways["up"], ways["down"]


def _tokens(text: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # the last kind takes anything
        kind, end = str(found.lastgroup), found.end()
        if kind == "block":
            end = _end_of_comment(text, at)
        elif kind == "dollar":
            close = text.find(found[0], end)
            end = len(text) if close < 0 else close + len(found[0])
        if kind not in ("blank", "comment", "block"):
            yield Token("string" if kind == "dollar" else kind, text[at:end], line)
        line += text.count("\n", at, end)
        at = end


def _end_of_comment(text: str, at: int) -> int:
    """Where a comment ends; PostgreSQL's can hold others."""
    depth = 0
    for found in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)
