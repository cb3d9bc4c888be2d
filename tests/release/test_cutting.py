"""A release that is cut: which version, which bytes, which commit and tag."""

from __future__ import annotations

from pathlib import Path

import pytest
from semver import Version

from deploytasks.errors import GateRefused, UsageError
from deploytasks.release import making, taking_back
from deploytasks.release.cut import Cut, Line
from deploytasks.release.upstream import web_address
from deploytasks.release.versions import following

from .cutter import cut, decide
from .ground import CHANGELOG, Ground, ground

__all__ = ["ground"]

VERSION_FILE = {"version_files": [{"file": "pyproject.toml", "pattern": 'version = "{version}"'}]}


@pytest.mark.parametrize(
    ("current", "bump", "pre", "expected"),
    [
        (None, "patch", None, "0.1.0"),
        (None, "minor", None, "0.1.0"),
        (None, "major", None, "1.0.0"),
        (None, "minor", "rc", "0.1.0-rc.1"),
        ("1.2.3", "patch", None, "1.2.4"),
        ("1.2.3", "minor", None, "1.3.0"),
        ("1.2.3", "major", None, "2.0.0"),
        ("1.2.0-rc.1", "patch", None, "1.2.0"),
        ("1.2.0-rc.1", "minor", None, "1.2.0"),
        ("1.2.0-rc.1", "final", None, "1.2.0"),
        ("1.2.0-rc.1", "major", None, "2.0.0"),
        ("1.2.1-rc.1", "minor", None, "1.3.0"),
        ("2.0.0-rc.1", "major", None, "2.0.0"),
        ("1.1.0", "minor", "rc", "1.2.0-rc.1"),
        ("1.2.0-rc.9", "minor", "rc", "1.2.0-rc.10"),
        ("1.2.0-rc.1", "patch", "rc", "1.2.0-rc.2"),
        ("1.2.0-beta.4", "minor", "rc", "1.2.0-rc.1"),
        ("1.2.0-rc.1", "major", "rc", "2.0.0-rc.1"),
    ],
)
def test_the_next_version(current: str | None, bump: str, pre: str | None, expected: str) -> None:
    """What semver says comes next; a pre-release is finished by the part that it belongs to."""
    assert str(following(Version.parse(current) if current else None, bump, pre)) == expected


@pytest.mark.parametrize(
    ("current", "bump", "pre", "error"),
    [
        ("1.2.0", "final", None, GateRefused),
        (None, "final", None, GateRefused),
        ("1.2.0-rc.2", "minor", "beta", GateRefused),
        ("1.2.0-rc1", "minor", "rc", GateRefused),
        ("1.2.0", "Minor", None, UsageError),
        ("1.2.0", "minor", "rc.1", UsageError),
        ("1.2.0", "minor", "dev", UsageError),
        ("1.2.0", "minor", "", UsageError),
        ("1.2.0-rc.1", "final", "rc", UsageError),
    ],
)
def test_no_next_version(current: str | None, bump: str, pre: str | None, error: type[Exception]) -> None:
    """What would sort before what is released, and words that mean nothing, are refused."""
    with pytest.raises(error):
        following(Version.parse(current) if current else None, bump, pre)


def test_a_release(ground: Ground) -> None:
    """One commit of exactly the changelog and the version file, and an annotated tag with the notes."""
    before = ground.git("rev-parse", "HEAD")
    found, made = cut(ground.path, **VERSION_FILE)
    assert (found.version, found.previous, made.commit) == ("0.1.0", None, ground.git("rev-parse", "HEAD"))
    assert ground.git("rev-parse", "HEAD^") == before
    assert ground.git("show", "--format=%B", "--name-only", "HEAD").split("\n") == [
        "Release 0.1.0", "", "Words", "", "", "CHANGELOG.md", "pyproject.toml",
    ]  # fmt: skip
    assert ground.git("cat-file", "-t", "v0.1.0") == "tag"
    assert ground.git("tag", "--list", "--format=%(contents)", "v0.1.0") == "0.1.0\n\nWords\n\n### Added\n\n- A thing."
    head, day = CHANGELOG.split(b"\n\n###")[0], ground.git("log", "-1", "--format=%cd", "--date=format:%Y-%m-%d")
    assert ground.text() == CHANGELOG.replace(head, head + f"\n\n## [0.1.0] - {day}".encode())
    assert b'version = "0.1.0"\n\n[tool.x]\ntarget-version = "py311"' in ground.text("pyproject.toml")
    assert ground.git("status", "--porcelain") == ""
    assert ground.leftovers() == []


def test_one_after_the_other(ground: Ground) -> None:
    """Each follows the newest of this history; the next steps push, or undo, exactly this."""
    cut(ground.path)
    ground.entry()
    found, _ = cut(ground.path, "patch")
    assert (found.version, found.previous, found.is_prerelease) == ("0.1.1", "0.1.0", False)
    steps = dict(found.next_steps("main"))
    assert steps["push"] == "git push --atomic origin main v0.1.1"
    ground.git("tag", "--delete", "v0.1.1")
    ground.git("reset", "--keep", steps["undo"].split()[-1])
    assert ground.git("rev-parse", "HEAD") == found.head


def test_pre_releases_to_the_end(ground: Ground) -> None:
    """rc.1, rc.2, and the final version, for which nothing new needs to be committed."""
    cut(ground.path)
    ground.entry()
    assert cut(ground.path, "minor", pre="rc")[0].version == "0.2.0-rc.1"
    ground.entry("- More.")
    found = cut(ground.path, "minor", pre="rc")[0]
    assert (found.version, found.is_prerelease) == ("0.2.0-rc.2", True)
    with pytest.raises(GateRefused, match="nothing stands under"):
        decide(ground.path, "final")
    assert cut(ground.path, "final", allow_empty=True)[0].version == "0.2.0"


def test_tags_of_others_are_passed_over(ground: Ground) -> None:
    """A tag that is no version counts for nothing, and that it was passed over is said."""
    for tag in ("v2", "vnext", "v1.2.3.4", "deploy-2024-01-01", "v9.9.9+build"):
        ground.git("tag", tag)
    found = decide(ground.path)
    assert isinstance(found, Cut)
    assert found.version == "0.1.0"
    assert any(line.startswith("4 tags that begin with 'v'") for line in found.warnings)


def test_a_hotfix_line(ground: Ground) -> None:
    """--from-tag begins a branch at an older tag; the next version there is the older line's, and not the latest."""
    cut(ground.path)
    ground.entry()
    cut(ground.path, "minor")
    ground.push()
    line = decide(ground.path, "patch", from_tag="v0.1.0", branch=["main"])
    assert isinstance(line, Line)
    assert (line.branch, line.tag) == ("hotfix/0.1.1", "v0.1.0")
    making.begin(line)
    assert ground.git("symbolic-ref", "--short", "HEAD") == "hotfix/0.1.1"
    assert ground.git("rev-parse", "HEAD") == ground.git("rev-parse", "v0.1.0^{commit}")
    with pytest.raises(GateRefused, match=r"there is nothing since v0\.1\.0"):
        decide(ground.path, "patch", from_tag="v0.1.0", branch=["main"])
    ground.entry("- Mended.")
    found, _ = cut(ground.path, "patch", from_tag="v0.1.0", branch=["main"])
    assert (found.version, found.previous, found.is_older_line) == ("0.1.1", "0.1.0", True)
    assert dict(found.next_steps("main"))["forward"] == "git switch main && git merge v0.1.1"
    assert b"## [0.2.0]" not in ground.text()


def test_a_hotfix_line_that_is_there(ground: Ground) -> None:
    """A branch of that name that is not checked out is not made again; and a tag that is not there begins nothing."""
    cut(ground.path)
    ground.entry()
    cut(ground.path, "minor")
    ground.git("branch", "hotfix/0.1.1", "v0.1.0")
    with pytest.raises(GateRefused, match="is there already") as refusal:
        decide(ground.path, "patch", from_tag="v0.1.0")
    assert refusal.value.do == "git switch hotfix/0.1.1"
    with pytest.raises(GateRefused, match=r"no tag v0\.0\.9"):
        decide(ground.path, "patch", from_tag="v0.0.9")
    with pytest.raises(UsageError):
        decide(ground.path, "patch", from_tag="main")


def test_from_zero_to_one_is_asked(ground: Ground) -> None:
    """1.0.0 promises something: somebody has to agree."""
    cut(ground.path)
    ground.entry()
    found = decide(ground.path, "major")
    assert isinstance(found, Cut)
    assert found.asks.startswith("0.1.0 becomes 1.0.0")
    patch = decide(ground.path, "patch")
    assert isinstance(patch, Cut)
    assert patch.asks == ""


def test_deciding_changes_nothing(ground: Ground) -> None:
    """What --plan needs touches no file of the repository, not even the index."""
    before = ground.snapshot()
    found = decide(ground.path, push=True, **VERSION_FILE)
    assert isinstance(found, Cut)
    assert ground.snapshot() == before
    assert found.differences()[1].split("\n")[5:8] == ['-version = "0.0.1"', '+version = "0.1.0"', " "]
    quoted = [f"':(top,literal){name}'" for name in ("CHANGELOG.md", "pyproject.toml")]
    assert found.commands() == [
        f"git commit --quiet --only --cleanup=whitespace --file=- -- {' '.join(quoted)}",
        "git tag --annotate --cleanup=whitespace --file=- v0.1.0 COMMIT",
        "git push --quiet --atomic --no-follow-tags origin COMMIT:refs/heads/main refs/tags/v0.1.0",
    ]


@pytest.mark.parametrize(
    "name", ["CHANGES.md", "docs/my changes.md", "Änderungen.md", "a*b[c].md", ":(top)odd.md", "-dash.md"]
)
def test_unusual_names(ground: Ground, name: str) -> None:
    """Blanks, other letters, and what git or a shell would take for something else."""
    ground.write("docs/keep", "")
    ground.git("mv", "--", "CHANGELOG.md", name if not name.startswith(":") else f"./{name}")
    ground.write("aXbc.md", "not meant")
    ground.commit()
    found, _ = cut(ground.path, changelog=name)
    assert found.paths == (name,)
    assert ground.git("-c", "core.quotePath=false", "show", "--format=", "--name-only", "HEAD").strip('"') == name
    assert ground.git("status", "--porcelain") == ""


def test_a_project_below_the_top(ground: Ground) -> None:
    """In a repository with several projects, files are those of the project, and tags have its prefix."""
    ground.commit("v9.0.0")
    ground.write("shop/CHANGELOG.md", CHANGELOG.decode())
    ground.commit()
    found, _ = cut(ground.path / "shop")
    assert (found.paths, found.version) == (("shop/CHANGELOG.md",), "9.1.0")
    assert ground.text() == CHANGELOG


@pytest.mark.parametrize("attribute", ["", "* text eol=crlf", "* text=auto"])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_line_ends_stay(ground: Ground, attribute: str, end: bytes) -> None:
    """CRLF stays CRLF in the work tree, whatever git makes of it in the commit; so does a last line without an end."""
    (ground.path / "CHANGELOG.md").write_bytes(
        CHANGELOG.replace(b"\n", b"\r\n").rstrip(b"\r\n") + end.replace(b"\n", b"\r\n")
    )
    ground.write(".gitattributes", f"{attribute}\n")
    ground.commit()
    ground.git("add", "--renormalize", ".")
    ground.commit()
    before = ground.text()
    found, _ = cut(ground.path)
    added = ground.text().replace(f"\r\n\r\n## [{found.version}] - {_day(ground)}".encode(), b"", 1)
    assert added == before
    assert ground.git("status", "--porcelain") == ""


def _day(ground: Ground) -> str:
    return ground.git("log", "-1", "--format=%cd", "--date=format:%Y-%m-%d")


def test_a_changelog_of_older_days(ground: Ground) -> None:
    """Latin-1 stays Latin-1 in the file, and is UTF-8 in the tag."""
    (ground.path / "CHANGELOG.md").write_bytes(CHANGELOG.replace(b"A thing", "Geändert".encode("latin-1")))
    ground.commit()
    cut(ground.path)
    assert "Geändert".encode("latin-1") in ground.text()
    assert "- Geändert." in ground.git("cat-file", "tag", "v0.1.0")


def test_modes_and_links_stay(ground: Ground) -> None:
    """An executable changelog stays one; one behind a link is committed where it is."""
    (ground.path / "CHANGELOG.md").rename(ground.path / "docs.md")
    (ground.path / "CHANGELOG.md").symlink_to("docs.md")
    (ground.path / "docs.md").chmod(0o755)
    ground.commit()
    found, _ = cut(ground.path)
    assert found.paths == ("docs.md",)
    assert (ground.path / "CHANGELOG.md").is_symlink()
    assert (ground.path / "docs.md").stat().st_mode & 0o777 == 0o755


def test_other_work_tree(ground: Ground, tmp_path: Path) -> None:
    """In a linked work tree a release is cut as anywhere."""
    other = tmp_path / "linked"
    ground.git("worktree", "add", "--quiet", "-b", "next", str(other))
    found, made = cut(other)
    assert (found.branch, ground.git("rev-parse", "next")) == ("next", made.commit)
    assert taking_back.mend(other) is None


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ('versio = "{version}"', "no line looks"),
        ('{version}"', "no line looks"),
        ("k = {version}", "lines 1, 2 look"),
    ],
)
def test_a_version_line_must_be_one(ground: Ground, pattern: str, count: str) -> None:
    """A pattern that fits no line, or several, changes nothing."""
    ground.write("versions", "k = 1.0.0\nk = 2.0.0\n")
    ground.commit()
    with pytest.raises(GateRefused, match=count):
        decide(ground.path, version_files=[{"file": "versions", "pattern": pattern}])


def test_a_long_line_is_no_trap(ground: Ground) -> None:
    """A line that almost looks like the pattern is passed over at once."""
    ground.write("versions", "k = 1.0" + "a" * 5000 + "!\nk = 2.0.0;\n")
    ground.commit()
    found = decide(ground.path, version_files=[{"file": "versions", "pattern": "k = {version};"}])
    assert isinstance(found, Cut)
    assert found.edits[1].after.endswith(b"!\nk = 0.1.0;\n")


def test_the_version_in_the_changelog_itself(ground: Ground) -> None:
    """A changelog that names the current version elsewhere gets both changes in one."""
    (ground.path / "CHANGELOG.md").write_bytes(CHANGELOG.replace(b"# Changelog\n", b"# Changelog\n\nNewest: 0.0.1\n"))
    ground.commit()
    found, _ = cut(ground.path, version_files=[{"file": "CHANGELOG.md", "pattern": "Newest: {version}"}])
    assert found.paths == ("CHANGELOG.md",)
    assert ground.text().startswith(b"# Changelog\n\nNewest: 0.1.0\n\n## [Unreleased]\n\n## [0.1.0] - ")


def test_two_versions_in_one_file(ground: Ground) -> None:
    """Two lines of one file, each with a pattern of its own."""
    ground.write("package.json", '{\n  "version": "0.0.1",\n  "lock": "0.0.1"\n}\n')
    ground.commit()
    patterns = [{"file": "package.json", "pattern": f'"{key}": "{{version}}"'} for key in ("version", "lock")]
    cut(ground.path, version_files=patterns)
    assert ground.text("package.json") == b'{\n  "version": "0.1.0",\n  "lock": "0.1.0"\n}\n'


def test_push(ground: Ground) -> None:
    """Commit and tag arrive together; the branch there may have another name."""
    ground.git("push", "--quiet", "origin", "main:trunk")
    ground.git("branch", "--set-upstream-to=origin/trunk")
    found, made = cut(ground.path, push=True)
    there = ground.refs(ground.remote)
    assert f"refs/heads/trunk {made.commit}\n" in there
    assert f"refs/heads/main {found.head}\n" in there
    assert "refs/tags/v0.1.0 " in there


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:octo/library.git", "https://github.com/octo/library"),
        ("ssh://git@ssh.github.com:443/octo/library.git", "https://github.com/octo/library"),
        ("https://ann:secret@github.com/octo/library", "https://github.com/octo/library"),
        ("https://git.example:8443/octo/library.git/", "https://git.example:8443/octo/library"),
        ("git@gitlab.example:group/sub/library.git", "https://gitlab.example/group/sub/library"),
        ("/srv/git/library.git", None),
        ("../library", None),
        ("file:///srv/git/library.git", None),
        ("origin", None),
        ("", None),
    ],
)
def test_the_web_address_of_a_remote(url: str, expected: str | None) -> None:
    """For links and for GitHub's page: without user, password and the port of SSH."""
    assert web_address(url) == expected


def test_links(ground: Ground) -> None:
    """A changelog with links gets one for the new version, as git knows the version before."""
    hub = b"https://github.com/octo/library"
    link = b"\n[unreleased]: " + hub + b"/compare/v0.0.9...HEAD\n[0.0.9]: " + hub + b"/releases/tag/v0.0.9\n"
    (ground.path / "CHANGELOG.md").write_bytes(CHANGELOG + b"\n## [0.0.9] - 2020-01-01\n\n- Old.\n" + link)
    ground.commit("v0.0.9")
    ground.commit()
    cut(ground.path)
    assert ground.text().endswith(
        b"\n[unreleased]: " + hub + b"/compare/v0.1.0...HEAD\n[0.1.0]: " + hub + b"/compare/v0.0.9...v0.1.0\n"
        b"[0.0.9]: " + hub + b"/releases/tag/v0.0.9\n"
    )  # fmt: skip
