"""Decide a release: which version, from where, with which bytes; or say why there can be none. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import changelog, checkout, files, git, upstream, versions
from .checkout import Checkout, refused
from .cut import Cut, Line
from .edits import Edit, with_version
from .upstream import Upstream

if TYPE_CHECKING:
    from semver import Version

    from ..settings.release import Release as Rules


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line."""

    bump: str
    message: str
    pre: str | None = None
    from_tag: str | None = None
    push: bool = False
    allow_empty: bool = False
    first: bool = False


@dataclass(frozen=True)
class _Place:
    """Where the release is cut. ``root``: the project's folder, at the top or below it."""

    at: Checkout
    root: Path
    position: versions.Position
    upstream: Upstream | None
    tags: frozenset[str]
    """Of all branches, here and at the remote."""


def decide(
    root: Path, rules: Rules, prefix: str, wanted: Wanted, now: datetime, exclude: Sequence[Path] = ()
) -> Cut | Line:
    """The release, or the hotfix line that must be begun first. ``exclude``: folders of ours in the work tree.

    Raises ``GateRefused`` where no release can be cut, ``UsageError`` for what was asked wrongly; git's and the
    changelog's own errors as they are.
    """
    if wanted.from_tag is not None and versions.parse(wanted.from_tag, prefix) is None:
        raise UsageError(f"--from-tag {wanted.from_tag}: a version tag such as {prefix}1.2.3 is needed")
    place = _look(root, rules, prefix, wanted, exclude)
    current, from_tag = place.position.newest, wanted.from_tag
    if from_tag is not None and f"{prefix}{current}" != from_tag:
        return _line(place, rules, prefix, wanted, from_tag)
    if current is None:
        _refuse_first(place, prefix, wanted)
    target = versions.following(current, wanted.bump, wanted.pre)
    _refuse_taken(place, f"{prefix}{target}")
    if place.upstream is not None:
        upstream.refuse_behind(place.at, place.upstream)
    _refuse_nothing_new(place, prefix, wanted)
    return _cut(place, rules, prefix, wanted, target, now)


# -- looking -------------------------------------------------------------------------------------------------


def _look(root: Path, rules: Rules, prefix: str, wanted: Wanted, exclude: Sequence[Path]) -> _Place:
    allowed = (*rules.branch, rules.hotfix_branch.replace("{version}", "*")) if rules.branch else ()
    at = checkout.look(root, () if wanted.from_tag else allowed)
    inside = [path.resolve() for path in exclude]
    top = at.top.resolve()
    checkout.refuse_dirty(
        at, [str(path.relative_to(top)) for path in inside if path != top and path.is_relative_to(top)]
    )
    there = upstream.ask(at, rules.remote)
    if wanted.push and (there is None or there.silent):
        why = there.silent if there else f"there is no remote {rules.remote}"
        raise refused(f"nothing can be pushed: {why}", "mend that, or leave --push out")
    tags = frozenset(git.tags(at.top)) | (there.tags if there else frozenset())
    return _Place(at, root, versions.position(at.top, at.head, prefix), there, tags)


def _line(place: _Place, rules: Rules, prefix: str, wanted: Wanted, tag: str) -> Line:
    """The hotfix line that begins at an older tag."""
    at = place.at
    if git.commit_of(at.top, tag) is None:
        raise refused(f"there is no tag {tag} here", "git fetch --tags, or choose another one")
    target = versions.following(versions.parse(tag, prefix), wanted.bump, wanted.pre)
    _refuse_taken(place, f"{prefix}{target}")
    branch = rules.hotfix_branch.replace("{version}", str(target))
    if git.items(at.top, "for-each-ref", "--format=%(refname)%00", f"refs/heads/{branch}"):
        raise refused(f"the branch {branch} is there already, and is not checked out", f"git switch {branch}")
    return Line(at.top, branch, tag)


# -- refusing ------------------------------------------------------------------------------------------------


def _refuse_first(place: _Place, prefix: str, wanted: Wanted) -> None:
    """A clone without tags looks like a repository that never had a release. The remote tells, or somebody does."""
    elsewhere = versions.known(place.tags, prefix)
    if elsewhere and not wanted.first:
        raise refused(
            f"the history of {place.at.branch} has no version, but {prefix}{elsewhere[0]} is known",
            "git fetch --tags; or say --first, if this is another line",
        )
    if place.upstream is not None and place.upstream.silent and not wanted.first:
        raise refused(
            f"there is no version yet, and {place.upstream.silent}",
            "say --first, if this is the first release",
        )


def _refuse_taken(place: _Place, tag: str) -> None:
    if tag not in place.tags:
        return
    at = place.at
    if git.commit_of(at.top, tag) is None and place.upstream is not None:
        raise refused(f"the tag {tag} exists at {place.upstream.name}", f"git fetch {place.upstream.name} --tags")
    raise refused(f"the tag {tag} exists already", f"git show {tag}; raise another part, or switch to its branch")


def _refuse_nothing_new(place: _Place, prefix: str, wanted: Wanted) -> None:
    """The end of a pre-release needs no commit after it."""
    newest = place.position.newest
    if newest is None or place.position.distance or wanted.allow_empty or (newest.prerelease and wanted.pre is None):
        return
    raise refused(
        f"there is nothing since {prefix}{newest}: no commit after it on {place.at.branch}",
        "commit what is to be released; or say --allow-empty",
    )


# -- deciding ------------------------------------------------------------------------------------------------


def _cut(place: _Place, rules: Rules, prefix: str, wanted: Wanted, target: Version, now: datetime) -> Cut:
    at, newest = place.at, place.position.newest
    when = now.astimezone() if rules.date == "local" else now
    version, tag = str(target), f"{prefix}{target}"
    promotion = _promoted(place, rules, wanted, version, tag, f"{prefix}{newest}" if newest else None, when)
    documents = _documents(place, rules, version, promotion.document)
    edits = [_edit(place, name, document) for name, document in documents.items()]
    released = [one for one in versions.known(place.tags, prefix) if not one.prerelease]
    there = place.upstream
    return Cut(
        id=os.urandom(6).hex(),
        top=at.top,
        git_dir=at.git_dir,
        branch=at.branch,
        head=at.head,
        version=version,
        tag=tag,
        previous=str(newest) if newest else None,
        bump=wanted.bump,
        edits=tuple(edit for edit in edits if edit.before != edit.after),
        message=wanted.message.strip(),
        notes=promotion.section,
        when=f"{int(now.timestamp())} {now.astimezone():%z}",
        remote=there.name if there else None,
        remote_ref=there.ref if there else at.ref,
        sign=rules.sign,
        within=rules.within,
        push=wanted.push,
        is_prerelease=bool(target.prerelease),
        is_older_line=bool(released and released[0] > target),
        asks=_question(newest, target),
        warnings=(*promotion.warnings, *_warnings(place, prefix, target)),
    )


def _promoted(
    place: _Place, rules: Rules, wanted: Wanted, version: str, tag: str, previous: str | None, when: datetime
) -> changelog.Promotion:
    document = files.content(place.root / rules.changelog)
    if document is None:
        raise refused(f"there is no {rules.changelog}", "write one, with a heading `## [Unreleased]`, and commit it")
    address = upstream.web_address(place.upstream.url) if place.upstream else None
    return changelog.promote(
        document,
        version=version,
        date=when.date(),
        tag=tag,
        previous_tag=previous,
        allow_empty=wanted.allow_empty,
        unreleased=rules.unreleased,
        repository=address,
    )


def _documents(place: _Place, rules: Rules, version: str, promoted: bytes) -> dict[str, bytes]:
    """The changelog, and the files that say the version; one with two such lines is named twice, and changed once."""
    documents = {rules.changelog: promoted}
    for each in rules.version_files:
        document = documents.get(each.file)
        if document is None:
            document = files.content(place.root / each.file)
        if document is None:
            raise refused(f"deploy.release.version_files: there is no {each.file}", "mend the path")
        documents[each.file] = with_version(document, each.pattern, version, each.file)
    return documents


def _edit(place: _Place, name: str, after: bytes) -> Edit:
    """An edit of a file of the project, which must be as the commit has it."""
    at, file = place.at, (place.root / name).resolve()
    if not file.is_relative_to(at.top.resolve()):
        raise refused(f"{name} leads out of the repository", "keep the file itself there")
    path = file.relative_to(at.top.resolve()).as_posix()
    found = git.items(at.top, "ls-tree", "-z", "--full-tree", at.head, "--", f":(top,literal){path}")
    if not found:
        raise refused(f"{name} is not tracked by git", f"git add {name} && git commit")
    mode, _, blob = found[0].split("\t")[0].split()
    before = files.content(file) or b""
    if _blob(at, path, before) != blob:
        raise refused(
            f"{name} is not as the commit has it, and git was told not to look", "git update-index --really-refresh"
        )
    return Edit(path, mode, before, after, blob, _blob(at, path, after))


def _blob(at: Checkout, path: str, document: bytes) -> str:
    """The number that git would give to this content of this file."""
    return git.ask(at.top, "hash-object", f"--path={path}", "--stdin", given=document).decode().strip()


def _question(newest: Version | None, target: Version) -> str:
    """What is worth a second thought."""
    if newest is not None and newest.major == 0 and target.major > 0:
        return f"{newest} becomes {target}: from 1.0.0 on, what breaks others needs a new major version"
    return ""


def _warnings(place: _Place, prefix: str, target: Version) -> list[str]:
    found = []
    if place.upstream is not None and place.upstream.silent:
        found.append(f"{place.upstream.silent}: whether it has newer commits, or {prefix}{target}, is not known")
    if place.position.newest is None:
        found.append(f"this is the first release: it begins at {target}")
    others = sum(tag.startswith(prefix) and versions.parse(tag, prefix) is None for tag in place.tags)
    if others:
        found.append(f"{others} tags that begin with {prefix!r} are no versions, and were passed over")
    return found
