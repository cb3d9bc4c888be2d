"""The links of a release: what is unreleased begins at the new tag, and the new version gets a link as others have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .edits import Edit
from .headings import Section
from .links import Comparison, between_tags, comparison, retagged
from .page import Definition, Page, normal, text_of


class Links(NamedTuple):
    """What becomes of a changelog's links."""

    edits: tuple[Edit, ...]
    address: bytes
    """Where the heading of the new version leads; empty when it has no address of its own."""
    warnings: tuple[str, ...]


class _Link(NamedTuple):
    """Where the link of a section stands: as a definition, or in the heading (``None``)."""

    definition: Definition | None
    line: int
    begin: int
    """In the document."""
    address: bytes


class Tags(NamedTuple):
    """The version to release, its tag and the one before, and where the repository is."""

    version: str
    tag: str
    previous: str | None
    repository: str | None


def links(page: Page, found: Sequence[Section], source: Section, model: Section | None, tags: Tags) -> Links:
    """The edits of links for a release; ``model``: the section whose heading the new one is written like."""
    known = {one.label: one for one in reversed(page.definitions)}
    own = _link(page, known, source, ("unreleased",))
    versions = [(one, link) for one in found if one.title and (link := _of_version(page, known, one))]
    newest = next(((one, link) for one, link in versions if one.heading.line > source.heading.line), None)
    compared = comparison(own.address) if own else None
    warnings = _warnings(own, compared, tags)
    edits = [_moved(own, compared, tags.tag)] if own and compared else []
    inline = _in_heading(model) if model else bool(own and own.definition is None)
    defined = [link.definition for _, link in versions if link.definition]
    wanted = inline or bool(defined) or bool(own and own.definition)
    address = _address(compared, newest, tags) if wanted else b""
    if wanted and not address:
        warnings.append(f"no link for {tags.version}: nothing here tells how its address is written; add one by hand")
    if address and not inline:
        at = own.definition if own else None
        edits.append(_defined(page, at, defined, _label(model, newest, tags.version), address))
    return Links(tuple(edits), address if inline else b"", tuple(warnings))


def _in_heading(section: Section) -> bool:
    title = section.title
    return title is not None and (title.link.startswith(b"(") or b"](" in title.closing)


def _of_version(page: Page, known: Mapping[str, Definition], section: Section) -> _Link | None:
    return _link(page, known, section, (section.version.casefold(), f"v{section.version}".casefold()))


def _link(page: Page, known: Mapping[str, Definition], section: Section, labels: Sequence[str]) -> _Link | None:
    """The link of a section: the address in its heading, or the definition of its label, or of one of ``labels``."""
    heading = section.heading
    if span := section.address:
        column = page.lines[heading.line].index(heading.content)
        return _Link(None, heading.line, page.starts[heading.line] + column + span[0], heading.content[slice(*span)])
    for label in (normal(section.label), *labels):
        if label and (one := known.get(label)):
            return _Link(one, one.line, page.starts[one.url_line] + one.begin, page.url(one))
    return None


def _warnings(own: _Link | None, compared: Comparison | None, tags: Tags) -> list[str]:
    if own is None:
        return []
    if compared is None:
        return [f"line {own.line + 1}: `{text_of(own.address[:200])}` compares nothing, and stays as it is"]
    if compared.since in {tags.previous, tags.tag} or not tags.previous:
        return []
    told = f"line {own.line + 1}: what is unreleased began at {compared.since}, git's last version is {tags.previous}"
    return [f"{told}: the link of {tags.version} begins there"]


def _moved(own: _Link, compared: Comparison, tag: str) -> Edit:
    """The older side of the link of what is unreleased: the new tag."""
    begin, end = compared.older
    return Edit(own.begin + begin, own.begin + end, compared.since_tag(tag))


def _address(compared: Comparison | None, newest: tuple[Section, _Link] | None, tags: Tags) -> bytes:
    """Where the new version's link leads: what changed since git's previous tag; in a first release, its tag."""
    like = compared or (comparison(newest[1].address) if newest else None)
    address = b""
    if like:
        address = like.between(tags.previous, tags.tag) if tags.previous else like.of_tag(tags.tag)
    elif newest:
        address = retagged(newest[1].address, newest[0].version, tags.version, tags.tag)
    return address or between_tags(tags.repository, tags.previous, tags.tag)


def _label(model: Section | None, newest: tuple[Section, _Link] | None, version: str) -> bytes:
    """The label of the new version's link: what its heading names, else as that of the newest version."""
    old, written = b"", b""
    if model and model.title and model.label and not (model.title.date and model.title.date in model.label):
        old, written = model.title.version, model.label
    elif newest and newest[0].title and newest[1].definition:
        old, written = newest[0].title.version, newest[1].definition.written
    return written.replace(old, version.encode()) if old and old in written else version.encode()


def _defined(page: Page, own: Definition | None, versions: Sequence[Definition], label: bytes, address: bytes) -> Edit:
    """A definition in the style and order of those that are there: newest first, or oldest first."""
    newest = versions[0] if versions else None
    line = _formed(page, newest or own, label, address)
    if own and (newest is None or own.line < newest.line):
        return _after(page, own, line)
    assert newest is not None, "a link is only defined where there are others"
    rising = newest.line > min(one.line for one in versions)
    if own and (rising or len(versions) == 1):
        return _before(page, own, line)
    return _after(page, newest, line) if rising else _before(page, newest, line)


def _formed(page: Page, like: Definition | None, label: bytes, address: bytes) -> bytes:
    """A definition written like another one."""
    if like is None or like.url_line != like.line:
        return b"[" + label + b"]: " + address
    line = page.lines[like.line]
    gap = line[line.index(b"]:") + 2 : like.begin]
    close = b">" if gap.endswith(b"<") else b""
    return line[: line.index(b"[")] + b"[" + label + b"]:" + gap + address + close


def _after(page: Page, definition: Definition, line: bytes) -> Edit:
    at = page.end(definition.url_line)
    return Edit(at, at, page.ending(definition.url_line) + line)


def _before(page: Page, definition: Definition, line: bytes) -> Edit:
    at = page.starts[definition.line]
    return Edit(at, at, line + page.ending(definition.line))
