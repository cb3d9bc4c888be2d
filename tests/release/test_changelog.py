"""A release made in a changelog: what no combination of traits shows, what is refused, and what is warned of."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

import pytest

from deploytasks.errors import GateRefused
from deploytasks.release.changelog import ChangelogRefused, categories, notes, promote

from .changelogs import DATE, Case, case

HUB = "https://github.com/o/r"


def marked(text: str) -> list[str]:
    """The marked lines of a case; the first line of the text is empty, and empty lines stay."""
    return [line or " " for line in text.removeprefix("\n").removesuffix("\n").split("\n")]


def promoted(one: Case, **more: object) -> tuple[bytes, tuple[str, ...]]:
    found = promote(
        one.before,
        version=one.version,
        date=DATE,
        tag=one.tag,
        previous_tag=one.previous_tag,
        **more,  # type: ignore[arg-type]
    )
    return found.document, found.warnings


CASES = {
    "links in headings": case(
        "",
        marked(
            f"""
 # Changelog
-## [Unreleased]({HUB}/compare/v1.1.0...HEAD)
+## [Unreleased]({HUB}/compare/v1.2.0...HEAD)
+
+## [1.2.0]({HUB}/compare/v1.1.0...v1.2.0) - 2026-11-23
 - A door.
 ## [1.1.0]({HUB}/compare/v1.0.0...v1.1.0) - 2026-05-04
 - Old.
"""
        ),
    ),
    "a link with a space before it": case(
        "",
        marked(
            f"""
-## [Unreleased] ({HUB}/compare/1.1.0...HEAD)
+## [Unreleased] ({HUB}/compare/v1.2.0...HEAD)
+
+## [1.2.0] - 2026-11-23
 - A door.
 ## [1.1.0] - 2026-05-04
"""
        ),
    ),
    "links in headings of versions only": case(
        "",
        marked(
            f"""
 # Unreleased
+
+# [v1.2.0]({HUB}/releases/tag/v1.2.0) - 2026-11-23
 - A door.
 # [v1.1.0]({HUB}/releases/tag/v1.1.0) - 2026-05-04
"""
        ),
    ),
    "links in headings that compare, and a definition": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0]({HUB}/compare/v1.1.0...v1.2.0) (2026-11-23)
 - A door.
 ## [1.1.0]({HUB}/compare/v1.0.0...v1.1.0) (2026-05-04)
-[unreleased]: {HUB}/compare/v1.1.0...HEAD
+[unreleased]: {HUB}/compare/v1.2.0...HEAD
"""
        ),
    ),
    "a linked heading around version and date": case(
        "",
        marked(
            f"""
 ## Unreleased
+
+## [v1.2.0 (2026-11-23)]({HUB}/tree/v1.2.0)
 - A door.
 ## [v1.1.0 (2026-05-04)]({HUB}/tree/v1.1.0)
"""
        ),
    ),
    "no version yet": case("", marked(" # Changelog\n \n ## [Unreleased]\n+\n+## [1.2.0] - 2026-11-23\n \n - A door.")),
    "no version yet, and a link": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.

 <!-- links -->
-[unreleased]: {HUB}/compare/4f2a9c1...HEAD
+[unreleased]: {HUB}/compare/v1.2.0...HEAD
+[1.2.0]: {HUB}/releases/tag/v1.2.0
"""
        ),
        previous_tag=None,
    ),
    "no version yet, and a link in the heading": case(
        "",
        marked(
            f"""
-## [Unreleased]({HUB}/compare/v0.0.0...HEAD)
+## [Unreleased]({HUB}/compare/v1.2.0...HEAD)
+
+## [1.2.0]({HUB}/releases/tag/v1.2.0) - 2026-11-23
 - A door.
"""
        ),
        previous_tag=None,
    ),
    "no version yet, on GitLab": case(
        "",
        marked(
            """
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
-[Unreleased]: https://gitlab.com/g/s/r/-/compare/main...main
+[Unreleased]: https://gitlab.com/g/s/r/-/compare/v1.2.0...main
+[1.2.0]: https://gitlab.com/g/s/r/-/tags/v1.2.0
"""
        ),
        previous_tag=None,
    ),
    "no version yet, on Bitbucket": case(
        "",
        marked(
            """
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
-[Unreleased]: https://bitbucket.org/o/r/branches/compare/HEAD..main
+[Unreleased]: https://bitbucket.org/o/r/branches/compare/HEAD..v1.2.0
+[1.2.0]: https://bitbucket.org/o/r/src/v1.2.0
"""
        ),
        previous_tag=None,
    ),
    "tags with slashes": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
 ## [1.1.0] - 2026-05-04
-[Unreleased]: {HUB}/compare/app/v1.1.0...release/next
+[Unreleased]: {HUB}/compare/app/v1.2.0...release/next
+[1.2.0]: {HUB}/compare/app/v1.1.0...app/v1.2.0
 [1.1.0]: {HUB}/compare/app/v1.0.0...app/v1.1.0
"""
        ),
        tag="app/v1.2.0",
        previous_tag="app/v1.1.0",
    ),
    "tags with slashes that are encoded": case(
        "",
        marked(
            """
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
-[Unreleased]: https://gitlab.com/o/r/-/compare/release%2F1.1.0...main
+[Unreleased]: https://gitlab.com/o/r/-/compare/release%2F1.2.0...main
+[1.2.0]: https://gitlab.com/o/r/-/compare/release%2F1.1.0...release%2F1.2.0
"""
        ),
        tag="release/1.2.0",
        previous_tag="release/1.1.0",
    ),
    "tags written with refs": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
-[Unreleased]: {HUB}/compare/refs/tags/v1.1.0...main
+[Unreleased]: {HUB}/compare/refs/tags/v1.2.0...main
+[1.2.0]: {HUB}/compare/refs/tags/v1.1.0...refs/tags/v1.2.0
"""
        ),
    ),
    "a pre-release": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0-rc.1] - 2026-11-23
 - A door.
 ## [1.1.0] - 2026-05-04
-[Unreleased]: {HUB}/compare/v1.1.0...HEAD
+[Unreleased]: {HUB}/compare/v1.2.0-rc.1...HEAD
+[1.2.0-rc.1]: {HUB}/compare/v1.1.0...v1.2.0-rc.1
 [1.1.0]: {HUB}/releases/tag/v1.1.0
"""
        ),
        version="1.2.0-rc.1",
        tag="v1.2.0-rc.1",
    ),
    "the final version after pre-releases": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
 ## [1.2.0-rc.2] - 2026-11-20
 - A hole.
 ## [1.2.0-rc.1] - 2026-11-19
-[Unreleased]: {HUB}/compare/v1.2.0-rc.2...HEAD
+[Unreleased]: {HUB}/compare/v1.2.0...HEAD
+[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0
 [1.2.0-rc.2]: {HUB}/compare/v1.2.0-rc.1...v1.2.0-rc.2
"""
        ),
    ),
    "a version without a date above the last one with one": case(
        "",
        marked(
            """
 ## Unreleased
+
+## [1.2.0] - 2026-11-23
 - A door.
 ## 1.1.1 (skipped)
 ## [1.1.0] - 2026-05-04
"""
        ),
    ),
    "versions without dates": case(
        "", marked(" # Unreleased\n+\n+# v1.2.0 - 2026-11-23\n - A door.\n # v1.1.0\n - Old.\n # v1.0.0")
    ),
    "minor versions deeper": case(
        "",
        marked(" ## Unreleased\n+\n+## [1.2.0] - 2026-11-23\n - A door.\n ### [1.1.1] - 2026-05-04\n ## [1.1.0]"),
    ),
    "versions above what is unreleased in level": case(
        "", marked(" ## Unreleased\n+\n+# 1.2.0 (2026-11-23)\n - A door.\n # 1.1.0 (2026-05-04)")
    ),
    "underlined headings of level one": case(
        "",
        marked(
            " Unreleased\n ==========\n+\n+1.2.0 (2026-11-23)\n+==================\n - A door.\n \n"
            " 1.1.0 (2026-05-04)\n ==================\n ## Old\n"
        ),
    ),
    "underlines of one length": case(
        "", marked(" Unreleased\n ---\n+\n+1.2.0 / 2026-11-23\n+-----\n - A door.\n \n 1.1.0 / 2026-05-04\n -----")
    ),
    "closing hashes": case(
        "", marked(" ## [Unreleased] ##\n+\n+## [1.2.0] - 2026-11-23 ##\n - A door.\n ## [1.1.0] - 2026-05-04 ##")
    ),
    "a codename between": case(
        "", marked(' ## Unreleased\n+\n+## 1.2.0 (2026-11-23)\n - A door.\n ## 1.1.0 "Door" (2026-05-04)')
    ),
    "a name in brackets that closes later": case(
        "",
        marked(
            f" ## Unreleased\n+\n+## [Release v1.2.0] - 2026-11-23\n - x\n ## [Release v1.1.0 Gold]({HUB}) - 2026-05-04"
        ),
    ),
    "marks behind the version": case(
        "", marked(" ## Unreleased\n+\n+## 1.2.0 (2026-11-23)\n - A door.\n ## 1.1.0 (2026-05-04) - BREAKING [YANKED]")
    ),
    "the same version of something else": case(
        "",
        marked(" ## Unreleased\n+\n+## [1.2.0] - 2026-11-23\n - A door.\n ## [1.1.0] - 2026-05-04\n ## Rust 1.2.0"),
    ),
    "a link that a line of text precedes": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
 ## [1.1.0] - 2026-05-04
 - Old.
-[Unreleased]: {HUB}/compare/v1.1.0...HEAD
+[Unreleased]: {HUB}/compare/v1.2.0...HEAD
+[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0
 [1.1.0]: {HUB}/releases/tag/v1.1.0
"""
        ),
    ),
    "a link below the heading": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
-[Unreleased]: {HUB}/compare/v1.1.0...HEAD
+[Unreleased]: {HUB}/compare/v1.2.0...HEAD
+[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0
 - A door.
 ## [1.1.0] - 2026-05-04
 [1.1.0]: {HUB}/compare/v1.0.0...v1.1.0
"""
        ),
    ),
    "links in each section": case(
        "",
        marked(
            f"""
 ## Unreleased
+
+## [1.2.0] - 2026-11-23
 - A door.

 ## [1.1.0] - 2026-05-04
 - Old.

+[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0
 [1.1.0]: {HUB}/compare/v1.0.0...v1.1.0

 ## 1.0.0 - 2026-05-03
"""
        ),
    ),
    "two links of one label": case(
        "",
        marked(
            f"""
 ## [Unreleased]
+
+## [1.2.0] - 2026-11-23
 - A door.
-[Unreleased]: {HUB}/compare/v1.1.0...HEAD
+[Unreleased]: {HUB}/compare/v1.2.0...HEAD
+[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0
 [unreleased]: {HUB}/compare/v0.1.0...HEAD
"""
        ),
    ),
    "only a title above": case(
        "", marked(" Changelog\n =========\n \n ## Unreleased\n+\n+## [1.2.0] - 2026-11-23\n - A door.")
    ),
    "a front matter": case(
        "",
        marked(
            " ---\n title: Changes\n ---\n \n ## Unreleased\n+\n+## 1.2.0 - 2026-11-23\n - x\n ## 1.1.0 - 2026-05-04"
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_cases(name: str, ending: bytes) -> None:
    """Exactly the expected lines change, whatever the lines end with; a second time is refused."""
    one = CASES[name]
    one = one._replace(before=one.before.replace(b"\n", ending), after=one.after.replace(b"\n", ending))
    document, _ = promoted(one)
    assert one.after.decode() == document.decode()
    with pytest.raises(ChangelogRefused, match="has a section already"):
        promoted(one._replace(before=document))


REFUSED = {
    "no heading": (b"# Changelog\n\n- A door.\n", "lines 1–4: no heading", "at line 4"),
    "an empty file": (b"", "lines 1–1: no heading", "add `## \\[Unreleased\\]`"),
    "no heading above versions": (b"# C\n\n## 1.1.0 - 2026-05-04\n- x\n", "no heading", "above line 3"),
    "a word that is none": (
        b"## master (unreleased)\n- x\n",
        "line 1: .*`## master \\(unreleased\\)` is none",
        "configure",
    ),
    "a version to come": (b"# C\n## [1.2.0] - Unreleased\n- x\n", "line 2: .*is none", "make line 2"),
    "no space behind the hashes": (
        b"# C\n##[Unreleased]\n- x\n",
        "line 2: .*is none",
        "make line 2 `## \\[Unreleased\\]`",
    ),
    "too deep": (b"#### [Unreleased]\n- x\n", "line 1: .*is none", "make line 1"),
    "in a fence": (b"# C\n```\n## [Unreleased]\n```\n- x\n", "line 3: .*block of code", "end the block"),
    "in a fence without an end": (b"```\n\n## [Unreleased]\n- x\n", "line 3: .*block of code", "end the block"),
    "in a comment": (b"<!--\n## [Unreleased]\n-->\n- x\n", "line 2: .*comment", "end the block"),
    "two of them": (b"## [Unreleased]\n- x\n## Unreleased\n- y\n", "2 headings .*lines 1, 3", "leave one"),
    "of two packages": (
        b"## [Unreleased - a]\n- x\n## [Unreleased - b]\n- y\n",
        "2 headings .*lines 1, 3",
        "leave one",
    ),
    "below a version": (
        b"# C\n## [1.1.0] - 2026-05-04\n- x\n## [Unreleased]\n- y\n",
        "line 4: .*line 2",
        "above line 2",
    ),
    "below versions without dates": (
        b"## 1.1.0\n- x\n## Unreleased\n- y\n## 1.0.0\n",
        "line 3: .*line 1",
        "above line 1",
    ),
    "a version behind the word": (b"## Unreleased (2.0.0)\n- x\n", "line 1: .*names a version", "take the version out"),
    "the version is there": (
        b"## Unreleased\n- x\n## [1.2.0] - 2026-05-04\n",
        "line 3: 1.2.0 has a section",
        "another",
    ),
    "the version is there with v": (b"## Unreleased\n- x\n## v1.2.0\n", "line 3: 1.2.0 has a section", "another"),
    "the version was taken back": (
        b"## Unreleased\n- x\n## ~~1.2.0~~ [YANKED]\n",
        "line 3: 1.2.0 has a section",
        "another",
    ),
    "the link is there": (
        b"## Unreleased\n- x\n\n[1.2.0]: https://x.y\n",
        "line 4: 1.2.0 has a link",
        "take that link out",
    ),
    "the link of the tag is there": (
        b"## Unreleased\n- x\n\n[V1.2.0]: https://x.y\n",
        "line 4: 1.2.0 has a link",
        "link",
    ),
    "nothing": (b"## [Unreleased]\n", "line 1: nothing stands", "--allow-empty"),
    "nothing, and no end": (b"## [Unreleased]", "line 1: nothing stands", "--allow-empty"),
    "headings": (
        b"## Unreleased\n\n### Added\n\n### Fixed\n----\n## 1.1.0 - 2026-05-04\n- x\n",
        "line 1: nothing",
        "--allow",
    ),
    "rules and comments": (
        b"## Unreleased\n<!-- add\n here -->\n***\n- - -\n## 1.1.0\n- x\n",
        "line 1: nothing",
        "--allow",
    ),
    "empty bullets": (
        b"## Unreleased\n### Added\n-\n*  \n- [ ]\n1.\n## 1.1.0\n- x\n",
        "line 1: nothing",
        "--allow-empty",
    ),
    "links": (b"## Unreleased\n\n[unreleased]: https://x.y/compare/a...b\n", "line 1: nothing", "--allow-empty"),
    "UTF-16": ("## Unreleased\n- x\n".encode("utf-16"), "line 1: .*UTF-16", "UTF-8"),
    "CR": (b"## Unreleased\r- x\r", "line 1: .*CR alone", "LF"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """What would take a guess is refused as a gate refuses, with the line and the remedy."""
    document, what, do = REFUSED[name]
    with pytest.raises(GateRefused) as refused:
        promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag="v1.1.0")
    assert re.search(what, refused.value.what), refused.value.what
    assert re.search(do, refused.value.do), refused.value.do
    assert refused.value.exit_code == 3


def test_empty_is_allowed_when_asked() -> None:
    """A release without a word: the headings that were there move, and nothing stays above them."""
    document = b"## [Unreleased]\n\n### Added\n\n## [1.1.0] - 2026-05-04\n- x"
    found = promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag="v1.1.0", allow_empty=True)
    assert found.document == document.replace(b"leased]\n", b"leased]\n\n## [1.2.0] - 2026-11-23\n")
    assert found.section == b"### Added\n"
    last = promote(
        b"x\r\n## [Unreleased]", version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=None, allow_empty=True
    )
    assert (last.document, last.section) == (b"x\r\n## [Unreleased]\r\n\r\n## [1.2.0] - 2026-11-23", b"")


@pytest.mark.parametrize(
    ("heading", "word"),
    [
        ("## [Unveröffentlicht]", "Unveröffentlicht"),
        ("## Не выпущено", "не выпущено"),
        ("## [未发布] - 2026-01-01", "未发布"),
        ("## master (unreleased)", "Master (unreleased)"),
        ("## [HEAD](https://x.y)", "HEAD"),
        ("Próxima versión\n---", "Próxima versión"),
    ],
)
def test_words_by_configuration(heading: str, word: str) -> None:
    """Another word, in another language, counts when it is configured, and not before."""
    for encoding in ("utf-8", "latin-1"):
        try:
            document = f"# C\n{heading}\n- x\n".encode(encoding)
        except UnicodeEncodeError:
            continue
        with pytest.raises(ChangelogRefused):
            promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=None)
        found = promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=None, unreleased=[word])
        assert found.section == b"- x\n"
        assert found.document.replace(b"\n\n## [1.2.0] - 2026-11-23", b"") == document
        assert notes(document, "Unreleased", unreleased=[word]) == b"- x\n"


def warnings_of(text: str, *, version: str = "1.2.0", previous: str | None = "v1.1.0") -> tuple[str, ...]:
    return promote(text.encode(), version=version, date=DATE, tag=f"v{version}", previous_tag=previous).warnings


@pytest.mark.parametrize(
    "body", ["- **Breaking:** no door.", "### Removed\n- A door.", "## Breaking changes\n\n- A door."]
)
def test_warns_of_breaks(body: str) -> None:
    """What breaks in a minor or patch version is warned of with its line; not in a major one, or in code."""
    text = f"## Unreleased\n\n{body}\n\n## 1.1.0 - 2026-05-04\n"
    assert warnings_of(text) == ("line 3: something breaks, and 1.2.0 is no new major version",)
    assert warnings_of(text, version="1.1.1")[-1:] == ("line 3: something breaks, and 1.1.1 is no new major version",)
    assert warnings_of(text, version="2.0.0") == ()
    assert warnings_of(text, previous=None) == ()
    assert warnings_of(f"## Unreleased\n- x\n```\n{body}\n```\n") == ()
    assert warnings_of("## Unreleased\n### Removed\n\n### Fixed\n- x\n") == ()


def test_warns_of_links_that_are_stale() -> None:
    """The link of the new version begins at git's last tag, wherever the old link began, and that is said."""
    text = f"## [Unreleased]\n- x\n\n[Unreleased]: {HUB}/compare/v1.0.4...HEAD\n"
    found = promote(text.encode(), version="1.2.0", date=DATE, tag="v1.2.0", previous_tag="v1.1.0")
    assert f"[1.2.0]: {HUB}/compare/v1.1.0...v1.2.0\n".encode() in found.document
    assert [one.split(":")[0] for one in found.warnings] == ["line 4"]
    assert "began at v1.0.4, git's last version is v1.1.0" in found.warnings[0]


def test_hotfix_line() -> None:
    """A version of an older line stands below what is unreleased, linked from the tag it comes from, with a warning."""
    text = f"## [Unreleased]\n- x\n## [2.0.0] - 2026-05-04\n\n[Unreleased]: {HUB}/compare/v2.0.0...HEAD\n"
    found = promote(text.encode(), version="1.1.1", date=DATE, tag="v1.1.1", previous_tag="v1.1.0")
    assert found.document.startswith(b"## [Unreleased]\n\n## [1.1.1] - 2026-11-23\n- x\n## [2.0.0]")
    assert f"[1.1.1]: {HUB}/compare/v1.1.0...v1.1.1\n".encode() in found.document
    assert "line 3: 2.0.0 is newer than 1.1.1, and stands below it" in found.warnings


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("## Unreleased\n- x\n\n[Unreleased]: https://x.y/z\n", "line 4: `https://x.y/z` compares nothing"),
        ("## [Unreleased] - 2026-01-02\n- x\n", "line 1: `[Unreleased] - 2026-01-02` has a date"),
        ("## Unreleased\n- x\n## 1.1.0 (6th May, 2026)\n", "line 3: the last version has its date as 6th May, 2026"),
        (
            "## Unreleased\n- x\n## 1.2.0-rc.1\n## 1.2.0-beta.1\n",
            "since its pre-releases; theirs stays in their sections, lines 3, 4",
        ),
        ("## Unreleased\n- No changes yet.\n", "line 1: all that stands under `Unreleased` is `- No changes yet.`"),
        ("## [Unreleased](https://x.y)\n- x\n", "no link for 1.2.0"),
    ],
)
def test_other_warnings(text: str, warning: str) -> None:
    """What a person should look at is said, with its line."""
    assert any(warning in one for one in warnings_of(text)), warnings_of(text)


@pytest.mark.parametrize(
    ("repository", "previous", "address"),
    [
        (HUB, "v1.1.0", f"{HUB}/compare/v1.1.0...v1.2.0"),
        (f"{HUB}.git", None, f"{HUB}/releases/tag/v1.2.0"),
        ("https://gitlab.com/o/r", "v1.1.0", "https://gitlab.com/o/r/-/compare/v1.1.0...v1.2.0"),
        ("https://gitlab.com/o/r/", None, "https://gitlab.com/o/r/-/tags/v1.2.0"),
        ("https://bitbucket.org/o/r", "v1.1.0", "https://bitbucket.org/o/r/branches/compare/v1.2.0..v1.1.0"),
    ],
)
def test_repository_of_links(repository: str, previous: str | None, address: str) -> None:
    """Where no link tells how they are written, the repository does; a changelog without links gets none."""
    document = b"## [Unreleased]\n- x\n\n[Unreleased]: https://x.y/tree/main\n"
    found = promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=previous, repository=repository)
    assert found.document.endswith(f"tree/main\n[1.2.0]: {address}\n".encode())
    plain = promote(
        document[:20], version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=previous, repository=repository
    )
    assert b"http" not in plain.document


@pytest.mark.parametrize(
    ("date", "written"),
    [
        ("2026/05/04", "(2026-11-23)"),
        ("04.05.2026", "(2026-11-23)"),
        ("May 4, 2026", "(2026-11-23)"),
        ("4 Aug 2026", "(2026-11-23)"),
    ],
)
def test_other_dates(date: str, written: str) -> None:
    """However the last version's date is written, the new one stands where it stood, as the standard has dates."""
    document = f"## Unreleased\n- x\n## 1.1.0 ({date})\n".encode()
    found = promote(document, version="1.2.0", date=DATE, tag="v1.2.0", previous_tag=None)
    assert found.document.split(b"\n")[2].decode() == f"## 1.2.0 {written}"


def test_notes() -> None:
    """One version's section as it is, with or without ``v``; what is unreleased as well; the foot's links stay out."""
    document = (
        b"# C\n\n## [Unreleased]\n\n- n\xe9w  \n\n## [v1.1.0]\n\n### Fixed\n\n- x\n\n"
        b"## [1.0.0] - 2026-01-01\n- y\n\n[1.0.0]: z\n"
    )
    assert [notes(document, name) for name in ("unreleased", "1.1.0", "v1.1.0", "1.0.0")] == [
        b"- n\xe9w  \n",
        b"### Fixed\n\n- x\n",
        b"### Fixed\n\n- x\n",
        b"- y\n",
    ]
    with pytest.raises(ChangelogRefused, match=r"no section 3\.0\.0") as refused:
        notes(document, "3.0.0")
    assert refused.value.do == "choose one of Unreleased, 1.1.0, 1.0.0"
    with pytest.raises(ChangelogRefused, match=r"2 sections 1\.0\.0: lines 1, 3"):
        notes(b"## 1.0.0\n- x\n## [1.0.0]\n- y\n", "1.0.0")
    with pytest.raises(ChangelogRefused, match="no section Unreleased"):
        notes(b"- x\n", "Unreleased")


def test_categories() -> None:
    """The categories that have something in them."""
    assert categories(b"### Added\n\n- x\n\n### Changed\n\n### Fixed\n* y \xff\n") == ("added", "fixed")
    assert categories(b"") == ()


def test_our_own() -> None:
    """This project's changelog: two lines come, and what stood there is the section."""
    document = (Path(__file__).parents[2] / "CHANGELOG.md").read_bytes()
    found = promote(document, version="99.0.0", date=DATE, tag="v99.0.0", previous_tag=None)
    assert found.document.count(b"\n\n## [99.0.0] - 2026-11-23") == 1
    assert found.document.replace(b"\n\n## [99.0.0] - 2026-11-23", b"") == document
    assert found.section == notes(document, "Unreleased") == notes(found.document, "99.0.0")


BIG = 300_000
SLOW = {
    "bullets": b"- A line of a usual length, with [a link](https://example.org) and `code` in it.\n",
    "blank lines": b"\n",
    "carriage returns": b"\r\n",
    "headings": b"## Fixed\n",
    "versions": b"## [1.0.0] - 2026-05-04\n",
    "fences": b"```\n",
    "fences in items": b"- ```\n  # x\n",
    "comments": b"<!-- x\n-->\n",
    "openings": b"<!--",
    "brackets": b"[",
    "labels": b"[a]: b\n",
    "bullets on one line": b"- ",
    "rules": b"- - - x",
    "hashes": b"# ",
    "spaces": b"    ",
    "ticks": b"`a``b```c",
    "stars": b"**a*",
    "digits": b"1.2.",
    "unreleased": b"Unreleased ",
    "addresses": b"[Unreleased]: https://x.y/compare/",
    "dots": b"/compare/..",
}


@pytest.mark.parametrize("name", SLOW)
def test_returns_from_anything(name: str) -> None:
    """Much of one thing, in lines or on one line, are read in a time that grows with their length."""
    bulk = SLOW[name] * (BIG // len(SLOW[name]))
    begun = time.process_time()
    for document in (b"## [Unreleased]\n- x\n" + bulk, bulk + b"\n## [Unreleased]\n- x\n"):
        try:
            promote(document, version="1.2.0", date=dt.date(2026, 1, 2), tag="v1.2.0", previous_tag="v1.1.0")
        except ChangelogRefused:
            continue
    assert time.process_time() - begun < 60  # seconds; anything quadratic takes hours
