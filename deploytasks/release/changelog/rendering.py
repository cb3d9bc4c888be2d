"""A version's notes as others show them: GitHub as they are written, Slack in its own marks, and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from .page import Kind, Page, normal, text_of
from .reader import read

Style = Literal["github", "slack", "text"]

SLACK_LIMIT = 3000
"""Characters that a section of a message may have (https://docs.slack.dev/reference/block-kit/blocks/section-block)."""

_INLINE = re.compile(
    r"(?P<ticks>`{1,20})(?!`)(?P<code>.{1,1000}?)(?<!`)(?P=ticks)(?!`)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|<(?P<auto>(?:https?://|mailto:)[^<>\s]{1,2000})>"
    r"|(?P<comment><!--.{0,1000}?-->)"
    r"|!?\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}\](?:\([^()\s]{0,500}\))?){1,500})\]"
    r"(?:\(<?(?P<url>(?:[^()<>\s]|\([^()\s]{0,200}\)){1,1000})>?(?:\s{1,9}(?:\"[^\"]{0,200}\"|'[^']{0,200}'))?\)"
    r"|\[(?P<label>[^\[\]]{0,200})\])?"
    r"|(?:\*\*(?=\S)(?P<bold>.{1,500}?)(?<=\S)\*\*|__(?=\S)(?P<bolder>.{1,500}?)(?<=\S)__)"
    r"|~~(?=\S)(?P<struck>.{1,500}?)(?<=\S)~~"
    r"|(?<![\w*])\*(?=[^\s*])(?P<slanted>[^*]{1,500}?)(?<=\S)\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])(?P<leaning>[^_]{1,500}?)(?<=\S)_(?!\w)"
)
_ITEM = re.compile(r"(?P<indent>\s*)(?P<mark>[-*+]|[0-9]{1,9}[.)])\s+(?P<rest>.*)", re.DOTALL)
_FENCE = re.compile(r"\s*(?:(?:[-*+]|[0-9]{1,9}[.)])\s+)?(?:`{3,}|~{3,})[^`]*")
_ABROAD = ("http://", "https://", "mailto:")


def rendered(notes: bytes, style: Style, *, document: bytes = b"") -> str:
    """A version's notes for ``github``, ``slack`` (at most 3,000 characters) or as plain ``text``.

    ``document``: the whole changelog, where the definitions of links may stand that the notes refer to.
    """
    page = read(notes)
    elsewhere = read(document)
    known = {one.label: text_of(from_.url(one)) for from_ in (elsewhere, page) for one in reversed(from_.definitions)}
    if style == "github":
        return _completed(page, elsewhere, known)
    lines = "\n".join(_lines(page, _Slack(known) if style == "slack" else _Plain(known)))
    whole = re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
    return shortened(whole, SLACK_LIMIT) if style == "slack" else whole


def _completed(page: Page, elsewhere: Page, known: Mapping[str, str]) -> str:
    """Notes as they are, with the definitions that they refer to and that stand elsewhere."""
    text = text_of(page.document)
    own = {one.label for one in page.definitions}
    used = {normal(label.encode()) for label in re.findall(r"\[([^\[\]]{1,500})\]", text)} - own
    missing = [one for one in elsewhere.definitions if one.label in used]
    lines = list(dict.fromkeys(f"[{text_of(one.written)}]: {known[one.label]}" for one in missing))
    return "\n".join([text.rstrip("\n"), "", *lines, ""]) if lines else text


def _lines(page: Page, marks: _Plain) -> Iterator[str]:
    """The lines of notes in other marks; what was wrapped is one line again."""
    titles = {one.line: text_of(one.content) for one in page.headings}
    waiting: str | None = None
    for number, raw in enumerate(page.lines):
        line = text_of(raw).rstrip()
        kind = page.kinds[number]
        if kind == Kind.TEXT:
            item = _ITEM.fullmatch(line)
            if item is None and waiting is not None and not line.lstrip().startswith((">", "|")):
                waiting += " " + line.strip()
                continue
            if waiting is not None:
                yield marks.line(waiting)
            waiting = line
            continue
        if waiting is not None:
            yield marks.line(waiting)
            waiting = None
        if kind == Kind.CODE:
            yield "```" if _FENCE.fullmatch(line) else marks.plain(line)
        elif kind == Kind.BLANK:
            yield ""
        elif kind == Kind.HEADING and number in titles:
            yield marks.heading(titles[number])
    if waiting is not None:
        yield marks.line(waiting)


class _Plain:
    """Plain text: no marks, addresses in parentheses."""

    bullet = "-"

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def line(self, text: str) -> str:
        item = _ITEM.fullmatch(text)
        if item is None:
            quoted = re.match(r"\s*>\s?", text)
            return "> " + self.inline(text[quoted.end() :]) if quoted else self.inline(text.strip())
        mark = self.bullet if item["mark"] in "-*+" else item["mark"]
        return f"{item['indent']}{mark} {self.inline(item['rest'])}"

    def heading(self, text: str) -> str:
        return self.inline(text)

    def inline(self, text: str) -> str:
        """Text with the marks of this style in place of Markdown's."""
        pieces, at = [], 0
        for found in _INLINE.finditer(text):
            pieces += [self.plain(text[at : found.start()]), self._piece(found)]
            at = found.end()
        return "".join([*pieces, self.plain(text[at:])])

    def _piece(self, found: re.Match[str]) -> str:
        if found["code"] is not None:
            return self.code(found["code"])
        if found["auto"]:
            return self.link("", found["auto"])
        if found["text"] is not None:
            return self._linked(found)
        return self._marked(found)

    def _marked(self, found: re.Match[str]) -> str:
        if inner := found["bold"] or found["bolder"]:
            return self.marked("*", inner)
        if inner := found["slanted"] or found["leaning"]:
            return self.marked("_", inner)
        return self.marked("~", found["struck"]) if found["struck"] else self.plain(found["escaped"] or "")

    def _linked(self, found: re.Match[str]) -> str:
        label = found["label"] or found["text"]
        address = found["url"] or self.known.get(normal(label.encode("utf-8", "replace")))
        if address is None:
            return (
                self.plain("[") + self.inline(found["text"]) + self.plain(found[0][found.end("text") - found.start() :])
            )
        return self.link(found["text"], address)

    def link(self, text: str, address: str) -> str:
        if not text:
            return address
        shown = self.inline(text)
        return f"{shown} ({address})" if address.startswith(_ABROAD) and shown != address else shown

    def marked(self, mark: str, text: str) -> str:
        del mark
        return self.inline(text)

    def code(self, text: str) -> str:
        return text.strip()

    def plain(self, text: str) -> str:
        return text


class _Bare(_Plain):
    """Plain text without addresses, to stand in a link."""

    def link(self, text: str, address: str) -> str:
        return self.inline(text) or address


class _Slack(_Plain):
    """Slack's marks (https://docs.slack.dev/messaging/formatting-message-text)."""

    bullet = "•"

    def heading(self, text: str) -> str:
        shown = self.inline(text).replace("*", "")
        return f"*{shown}*" if shown else ""

    def link(self, text: str, address: str) -> str:
        if not address.startswith(_ABROAD):
            return self.inline(text)
        target = address.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
        shown = self.plain(_Bare(self.known).inline(text)).replace("|", "¦").strip()
        return f"<{target}|{shown}>" if shown else f"<{target}>"

    def marked(self, mark: str, text: str) -> str:
        return f"{mark}{self.inline(text)}{mark}"

    def code(self, text: str) -> str:
        return f"`{self.plain(text.strip())}`"

    def plain(self, text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, limit: int) -> str:
    """Slack's text within ``limit`` characters: cut between lines, or between words, and never inside a link."""
    if len(text) <= limit:
        return text
    at = text.rfind("\n", 0, limit - 8)
    if at < limit // 2:
        at = limit - 8
        if text.rfind("<", 0, at) > text.rfind(">", 0, at):
            at = text.rfind("<", 0, at)
        elif (space := text.rfind(" ", limit // 2, at)) > text.rfind(">", 0, at):
            at = space
    kept = re.sub(r"&[a-z]{0,3}$", "", text[:at]).rstrip()
    if (kept.count("\n```") + kept.startswith("```")) % 2:
        kept += "\n```"
    return kept + "\n…"
