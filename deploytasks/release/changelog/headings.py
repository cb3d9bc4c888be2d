"""Which headings begin a section, and how the heading of a new version is written: as those that are there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from .page import Heading, Page, text_of

_LONGEST = 500
"""Bytes. A longer heading is none of a section."""

_ISO = rb"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_MONTH = rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = rb"[0-9]{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    rb"(?<![0-9])(?:" + _ISO + rb"|[0-9]{4}[./][0-9]{1,2}[./][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}"
    rb"|(?:" + _DAY + rb"\.?[ ])?" + _MONTH + rb"\.?,?[ ](?:" + _DAY + rb",?[ ])?[0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
_BETWEEN = rb"(?:[\s()\[\]{}<>*_~`|/,.:;@=-]|\xe2\x80[\x90-\x95]|\xc2[\xa0\xb7]|[\x96\x97])"
"""What may stand between a version and its date: space, marks and dashes, in UTF-8, Latin-1 or Windows-1252."""
_SEPARATOR = re.compile(_BETWEEN + rb"*(?:released?(?:[ ](?:date|on))?[ :]{1,2}" + _BETWEEN + rb"*)?", re.IGNORECASE)
_TRAILING = re.compile(_BETWEEN + rb"*$")
_CLOSING = re.compile(rb"[)\]}>*_~`]*(?:(?<=\])\([^()\s]*\))?")

_VERSION = (
    rb"[0-9]+(?:\.(?:[0-9]+|x\b))+"
    rb"(?:[-.]?[a-z][0-9a-z]*(?:[.-][0-9a-z]+)*|-[0-9][0-9a-z]*(?:\.[0-9a-z-]+)*)?(?:\+[0-9a-z.-]+)?"
)
_TITLE = re.compile(
    rb"(?P<lead>(?:[*_~`]|\\?\[)*)"
    rb"(?P<name>(?:version|release|ver\.?)[ ]|[@a-z][@a-z0-9_/.+-]*[ @/-])??"
    rb"(?P<v>v\.?[ ]?)?(?P<version>" + _VERSION + rb"|[0-9]+)(?![0-9a-z])"
    rb"(?P<close>[*_~`]*\\?\]?[*_~`]*)"
    rb"(?P<link>\([^()\s]*\)|\[[^\[\]]*\])?(?P<after>[*_~`]*)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_NAME = re.compile(rb"(?:version|release|ver\.?)[ ]", re.IGNORECASE)
_REST = re.compile(rb"(?:[\s({\[*_~|,:;/=\"-]|\xe2\x80|\xc2[\xa0\xb7]|[\x96\x97])*(?P<word>[0-9a-z])?", re.IGNORECASE)

_WORDS = ("unreleased", "unreleased changes", "unreleased version")
_NUMBER = re.compile(r"[0-9]+\.[0-9x]")


class Title(NamedTuple):
    """The parts of a version's heading, all of them as they are written."""

    lead: bytes
    name: bytes
    v: bytes
    version: bytes
    close: bytes
    link: bytes
    """``(address)``, ``[label]``, or nothing."""
    after: bytes
    separator: bytes
    """Between version and date; empty when there is no date."""
    date: bytes
    closing: bytes


class Section(NamedTuple):
    """A section of a changelog: its heading, and the title of a version (``None``: what is unreleased)."""

    heading: Heading
    title: Title | None
    note: str = ""
    """What stands behind the word ``Unreleased``."""

    @property
    def version(self) -> str:
        return self.title.version.decode("latin-1") if self.title else ""

    @property
    def name(self) -> bytes:
        """What stands before the version, unless it only says that it is one: ``Version``, ``Release``."""
        return b"" if self.title is None or _PLAIN_NAME.fullmatch(self.title.name) else self.title.name.strip()

    @property
    def label(self) -> bytes:
        """What its link is looked up by, when the heading is ``[label]`` or ``[text][label]``; else empty."""
        content = self.heading.content
        if (self.title and self.title.link.startswith(b"(")) or not content.startswith((b"[", b"**[")):
            return b""
        if self.title and len(self.title.link) > 2:
            return self.title.link[1:-1]
        found = re.match(rb"(?:\*\*)?\[([^\[\]]*)\](\(|\[([^\[\]]+)\])?", content)
        if found is None or found[2] == b"(":
            return b""
        return found[3] or found[1]

    @property
    def address(self) -> tuple[int, int] | None:
        """Where the address of a heading ``[text](address)`` stands, as columns of its content."""
        found = re.search(rb"\](?:\(([^()\s]*)|[ ]\((https?://[^()\s]*))\)", self.heading.content)
        return found.span(found.lastindex or 1) if found else None


def sections(page: Page, words: Sequence[str] = ()) -> list[Section]:
    """The sections of a changelog from the top: versions, and whatever is called one of ``words`` or Unreleased."""
    names = {*_WORDS, *(_plain(word) for word in words)}
    unreleased = {heading.line: note for heading in page.headings if (note := _unreleased(heading, names)) is not None}
    level = min((heading.level for heading in page.headings if heading.line in unreleased), default=2)
    found = []
    for heading in page.headings:
        if heading.line in unreleased:
            found.append(Section(heading, None, unreleased[heading.line]))
        elif title := _title(heading, max(2, level)):
            found.append(Section(heading, title))
    return found


def _plain(words: str) -> str:
    return " ".join(re.sub(r"[\[\]*_`~\\]", " ", words).casefold().split())


def _unreleased(heading: Heading, names: set[str]) -> str | None:
    """What stands behind the word in a heading of what is unreleased, a date or a remark; ``None`` for others."""
    if heading.level > 3 or len(heading.content) > _LONGEST:
        return None
    text = re.sub(r"<!--.*?-->", "", text_of(heading.content)).strip()
    without_link = re.sub(r"(?<=\])(?:\([^()\s]*\)|[ ]\(https?://[^()\s]*\)|\[[^\[\]]*\])", "", text)
    if _plain(without_link) in names or _plain(without_link).rstrip(":") in names:
        return ""
    begins = re.match(r"(?::\w{1,30}:|[^\w:]|[_:])*", without_link)
    bare = without_link[begins.end() if begins else 0 :]
    for name in sorted(names, key=len, reverse=True):
        if _plain(bare[: len(name)]) == name:
            rest = bare[len(name) :].lstrip("]\\*_`~")
            if re.match(r"\s*(?:[^\w\s]|$)", rest) and len(rest) <= 80:
                return rest.strip()
    return None


def names_version(note: str) -> bool:
    """Whether a remark behind ``Unreleased`` names a version, which the heading would go on naming."""
    return bool(_NUMBER.search(note))


def is_date(note: str) -> bool:
    """Whether a remark has a date in it."""
    return bool(_DATE.search(note.encode()))


def _title(heading: Heading, high: int) -> Title | None:
    """The parts of a heading that names a version; ``high``: down to which level words may follow it."""
    found = _TITLE.match(heading.content) if len(heading.content) <= _LONGEST else None
    if found is None:
        return None
    rest = found["rest"]
    date = _DATE.search(rest)
    if not _names(found, rest, dated=date is not None, high=heading.level <= high):
        return None
    separator, when, closing = b"", b"", b""
    if date:
        before = rest[: date.start()]
        whole, trailing = _SEPARATOR.fullmatch(before), _TRAILING.search(before)
        separator = whole[0] if whole else (trailing[0].lstrip(b')]}>*_~`"') if trailing else b" ")
        when = date[0]
        tail = _CLOSING.match(rest, date.end())
        closing = tail[0] if tail else b""
    link = found["link"] or b""
    return Title(
        found["lead"],
        found["name"] or b"",
        found["v"] or b"",
        found["version"],
        found["close"],
        link,
        found["after"],
        separator or (b" " if when else b""),
        when,
        closing,
    )


def _names(found: re.Match[bytes], rest: bytes, *, dated: bool, high: bool) -> bool:
    """Whether a heading that begins like one with a version is one: ``3.8 is no longer supported`` is not."""
    follows = _REST.match(rest)
    clean = follows is not None and (follows["word"] is None or follows.end() > 1)  # nothing, or a mark before words
    if b"." not in found["version"]:
        return (dated and clean and _at_once(rest)) or (b"]" in found["close"] and not rest.strip())
    if dated:
        return True
    spaced = rest[:1] in {b" ", b"\t"} and bool(re.match(rb"[ \t]+[0-9a-z]", rest, re.IGNORECASE))
    if found["name"] and not _PLAIN_NAME.fullmatch(found["name"]):
        return high and not spaced
    return (clean and not spaced) or high


def _at_once(rest: bytes) -> bool:
    date = _DATE.search(rest)
    return date is not None and date.start() > 0 and bool(_SEPARATOR.fullmatch(rest[: date.start()]))


def written(model: Section | None, version: str, date: dt.date, address: bytes) -> bytes:
    """The content of the heading of a new version, in the style of ``model``; ``address`` where that one has one."""
    new, when = version.encode(), date.isoformat().encode()
    if model is None or model.title is None:
        return b"[" + new + b"]" + (b"(" + address + b")" if address else b"") + b" - " + when
    title = model.title
    link = title.link
    if link.startswith(b"("):
        link = b"(" + address + b")" if address else b""
    elif link:
        link = link.replace(title.version, new)
    closing = title.closing
    if closing.endswith(b")") and b"](" in closing:
        closing = closing[: closing.index(b"](") + 1] + (b"(" + address + b")" if address else b"")
    close = title.close
    if b"[" in title.lead and b"]" not in close + closing:  # closed by what is not copied
        close = b"]" + close
    separator = title.separator or b" - "
    return title.lead + title.name + title.v + new + close + link + title.after + separator + when + closing


def lines_of(content: bytes, model: Section | None, level: int, ending: bytes) -> bytes:
    """A heading in the form of ``model``: behind hashes, or underlined as far as it, or that one, is long."""
    if model is None or not model.heading.underline or level > 2:
        hashes = model.heading.hashes if model else b""
        return b"#" * level + b" " + content + hashes
    mark, length = b"=" if level == 1 else b"-", len(model.heading.underline)
    if length == len(text_of(model.heading.content)):
        length = len(text_of(content))
    return content + ending + mark * max(length, 1)
