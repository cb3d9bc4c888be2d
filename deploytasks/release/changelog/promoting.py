"""What stands under Unreleased becomes a version, and every byte outside the lines that this takes stays as it is.

A heading is inserted below the one of what is unreleased, so that all below it belongs to the new version; the link of
what is unreleased begins at the new tag; and the new version gets a link like the others. The result is read again
before it is returned: taken back, the edits give the document that came in, byte for byte.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from . import bodies, headings, reading
from .edits import Edit, applied, taken_back
from .headings import Section, sections
from .linking import Tags, links
from .page import Kind, Page, normal, text_of
from .reader import read
from .refused import ChangelogRefused, listed


class Promotion(NamedTuple):
    """A changelog with a new version."""

    document: bytes
    """The whole new changelog."""
    section: bytes
    """What stands in the section of the new version, without the blank lines around it."""
    warnings: tuple[str, ...]


def promote(
    document: bytes,
    *,
    version: str,
    date: dt.date,
    tag: str,
    previous_tag: str | None,
    allow_empty: bool = False,
    unreleased: Sequence[str] = (),
    repository: str | None = None,
) -> Promotion:
    """What is unreleased becomes ``version`` (without prefix) of ``date``.

    ``tag`` and ``previous_tag``: as git has them; no previous one: this is the first release. ``unreleased``: what the
    heading may be called as well, such as ``Unveröffentlicht``. ``repository``: its address, for links where the
    changelog has some, but none that says how they are written. Raises ``ChangelogRefused``.
    """
    _refuse_encoding(document)
    page = read(document)
    found = sections(page, unreleased)
    source = _unreleased(page, found)
    model = _model(found, source)
    _refuse_known(page, found, model, version, tag)
    body = bodies.lines_of(page, found, source)
    if not allow_empty and bodies.says_nothing(page, body):
        raise ChangelogRefused(
            f"the changelog, line {source.heading.number}: nothing stands under {_shown(source)}",
            do="write down what changed, or release without it: --allow-empty",
        )
    linked = links(page, found, source, model, Tags(version, tag, previous_tag, repository))
    content = headings.written(model, version, date, linked.address)
    edits = [_heading(page, found, source, model, content), *linked.edits]
    new = applied(document, edits)
    section = _verified(page, new, edits, source, body, version, unreleased)
    warnings = (*_warnings(page, found, source, model, body, version, previous_tag), *linked.warnings)
    return Promotion(new, section, (*warnings, *reading.missing(content, model, version, date)))


def _shown(section: Section) -> str:
    return f"`{text_of(section.heading.content)}`"


def _unreleased(page: Page, found: Sequence[Section]) -> Section:
    """The section of what is unreleased, of which there must be one, above all versions that are out."""
    candidates = [one for one in found if one.title is None]
    if not candidates:
        raise _none(page, found)
    if len(candidates) > 1:
        lines = listed([one.heading.number for one in candidates])
        raise ChangelogRefused(
            f"the changelog has {len(candidates)} headings of what is unreleased: lines {lines}",
            do="leave one, above all versions",
        )
    source = candidates[0]
    dated = any(one.title and one.title.date for one in found)
    for one in found:
        above = one.title is not None and one.heading.line < source.heading.line
        if above and one.title and (one.title.date or not dated):
            raise ChangelogRefused(
                f"the changelog, line {source.heading.number}: {_shown(source)} stands below a version, "
                f"{_shown(one)} on line {one.heading.number}",
                do=f"move what is unreleased above line {one.heading.number}",
            )
    if headings.names_version(source.note) and not headings.is_date(source.note):
        raise ChangelogRefused(
            f"the changelog, line {source.heading.number}: {_shown(source)} names a version, and would go on naming it",
            do="take the version out of the heading: it is written into a heading of its own",
        )
    return source


def _refuse_encoding(document: bytes) -> None:
    """Refuse what has no lines, or other characters than anything here looks for."""
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ChangelogRefused("the changelog, line 1: this is UTF-16", do="save it as UTF-8")
    if b"\r" in document and b"\n" not in document:
        raise ChangelogRefused("the changelog, line 1: its lines end with CR alone", do="save it with LF or CRLF")


def _none(page: Page, found: Sequence[Section]) -> ChangelogRefused:
    above = found[0].heading.number if found else len(page.lines)
    do = f"add `## [Unreleased]` {'above' if found else 'at'} line {above}"
    similar = next((n for n, line in enumerate(page.lines) if b"unreleased" in line[:200].lower()), None)
    if similar is None:
        return ChangelogRefused(f"the changelog, lines 1–{len(page.lines)}: no heading `[Unreleased]`", do=do)
    shown = text_of(page.lines[similar].strip()[:80])
    if page.kinds[similar] in {Kind.CODE, Kind.COMMENT}:
        what = (
            f"no heading `[Unreleased]`: `{shown}` stands in a block of code or a comment, from which nothing is taken"
        )
        return ChangelogRefused(f"the changelog, line {similar + 1}: {what}", do=f"{do}, or end the block before it")
    return ChangelogRefused(
        f"the changelog, line {similar + 1}: no heading `[Unreleased]`, and `{shown}` is none",
        do=f"make line {similar + 1} `## [Unreleased]`, or {do}, or configure what the heading is called",
    )


def _refuse_known(page: Page, found: Sequence[Section], model: Section | None, version: str, tag: str) -> None:
    """Refuse a version that the changelog has already; one of something else, by its name, is another one."""
    ours = {b"", model.name if model else b""}
    for one in found:
        if one.version.casefold() == version.casefold() and one.name in ours:
            raise ChangelogRefused(
                f"the changelog, line {one.heading.number}: {version} has a section already, {_shown(one)}",
                do="choose another version, or take that section out",
            )
    names = {normal(name.encode()) for name in (version, f"v{version}", tag)}
    for definition in page.definitions:
        if definition.label in names:
            raise ChangelogRefused(
                f"the changelog, line {definition.line + 1}: {version} has a link already, and no section",
                do="choose another version, or take that link out: it is written with the section",
            )


def _model(found: Sequence[Section], source: Section) -> Section | None:
    """The section whose heading shows how a version is written: the newest one with a date, else the newest one."""
    versions = [one for one in found if one.title and one.heading.line > source.heading.line]
    return next((one for one in versions if one.title and one.title.date), versions[0] if versions else None)


def _heading(page: Page, found: Sequence[Section], source: Section, model: Section | None, content: bytes) -> Edit:
    """The heading of the new version, below that of what is unreleased, and not deeper than it if others are not."""
    levels = {one.heading.level for one in found if one.title}
    level = model.heading.level if model and source.heading.level not in levels else source.heading.level
    ending = page.ending(source.heading.last)
    at = page.end(source.heading.last)
    return Edit(at, at, ending + ending + headings.lines_of(content, model, level, ending))


def _verified(
    page: Page, new: bytes, edits: Sequence[Edit], source: Section, body: range, version: str, words: Sequence[str]
) -> bytes:
    """The new section, when the edits are all that changed and did what they should; else refuse."""
    if taken_back(new, edits, page.document) != page.document:
        raise _mistaken(source, "more would change than the lines of the release")
    changed = read(new)
    found = sections(changed, words)
    there = [one for one in found if one.title is None]
    begin = page.starts[source.heading.line]
    moved = sum(edit.new.count(b"\n") for edit in edits if edit.end <= begin)  # links that stand above it
    made = [one for one in found if one.version == version and one.heading.line == source.heading.last + moved + 2]
    if [one.heading.line for one in there] != [source.heading.line + moved] or not made:
        raise _mistaken(source, f"the heading of {version} would not be read as one")
    lines = bodies.lines_of(changed, found, made[0])
    first = page.starts[body.start] if body.start < len(page.lines) else len(page.document)
    last = first + len(bodies.whole(page, body))
    inside = [
        Edit(one.begin - first, one.end - first, one.new) for one in edits[1:] if first <= one.begin <= one.end < last
    ]
    if bodies.whole(changed, lines) != applied(page.document[first:last], inside):
        raise _mistaken(source, f"the section of {version} would not be what stands under {_shown(source)}")
    return bodies.cut(changed, lines)


def _mistaken(source: Section, what: str) -> ChangelogRefused:
    return ChangelogRefused(
        f"the changelog, line {source.heading.number}: {what}",
        do="make the release in the changelog by hand, and report this: it is a mistake in the program",
    )


def _warnings(
    page: Page,
    found: Sequence[Section],
    source: Section,
    model: Section | None,
    body: range,
    version: str,
    previous_tag: str | None,
) -> list[str]:
    """What a person should look at, though it is no reason to refuse."""
    number, warnings = source.heading.number, []
    if headings.is_date(source.note):
        warnings.append(f"line {number}: {_shown(source)} has a date, which stays there")
    if model and model.title and model.title.date and not re.fullmatch(rb"\d{4}-\d{2}-\d{2}", model.title.date):
        date = text_of(model.title.date)
        warnings.append(
            f"line {model.heading.number}: the last version has its date as {date}; the new one as YYYY-MM-DD"
        )
    if only := bodies.placeholder(page, body):
        warnings.append(f"line {number}: all that stands under {_shown(source)} is `{only}`")
    candidates = [one for one in found if one.version.startswith(f"{version}-")]
    if candidates:
        lines = listed([one.heading.number for one in candidates])
        warnings.append(
            f"{version} has what changed since its pre-releases; theirs stays in their sections, lines {lines}"
        )
    for one in found:
        if one.title and _order(one.version) > _order(version) > (0,):
            warnings.append(f"line {one.heading.number}: {one.version} is newer than {version}, and stands below it")
            break
    lines_of_breaks = bodies.breaking(page, body)
    if lines_of_breaks and previous_tag and _compatible(_order(previous_tag), _order(version)):
        warnings.append(f"line {lines_of_breaks[0]}: something breaks, and {version} is no new major version")
    return warnings


def _order(text: str) -> tuple[int, ...]:
    """Major, minor and patch in a version or a tag; ``(0,)`` when there are none."""
    found = re.search(r"(?<![0-9.])([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?![0-9.])", text)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _compatible(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether the step between two versions promises that nothing breaks, or is below 1.0.0."""
    return len(before) == len(after) == 3 and before[0] == after[0]
