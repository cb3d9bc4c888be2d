"""The artifact of a release: which one is meant, and its archive, made once and found again by its digest."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from semver import Version

from .. import durable
from ..errors import GateRefused, Unreachable, UsageError
from ..ports import Release, release_name
from . import archive, contents, git, versions
from .archive import Entry


def describe(
    root: Path,
    source: str,
    version: str | None = None,
    *,
    tag_prefix: str = "v",
    artifacts: Path,
    beside: Path | None = None,
) -> Release:
    """The release of what is checked out, or of a ``version``. Writes nothing anywhere.

    ``source`` is the folder that becomes the release, relative to ``root``; ``artifacts`` the folder of archives,
    where ``Release.archive`` points whether it is built already or not. A version is looked for as the tag
    ``<tag_prefix><version>``, then among the archives. ``beside``: a file of ours that lies in the work tree and is no
    change to it. Raises ``UsageError``.
    """
    repository = git.top(root)
    folder = _folder(repository, root, source)
    if version:
        return _of_version(repository, folder, version, tag_prefix, artifacts)
    commit = git.head(repository)
    exclude = left_out(repository, artifacts, beside)
    dirty = git.is_dirty(repository, folder, exclude)
    digest = archive.digest(_entries(repository, folder, commit, exclude, dirty=dirty))
    name = versions.version(versions.position(repository, commit, tag_prefix), digest if dirty else None)
    return Release(name, commit, digest, _path(artifacts, name, digest), dirty)


def changed(root: Path, source: str, *, artifacts: Path, beside: Path | None = None) -> str:
    """The files that make what is checked out dirty, the first of them by name. Arguments as of ``describe``."""
    repository = git.top(root)
    return git.named(
        git.changed(repository, _folder(repository, root, source), left_out(repository, artifacts, beside))
    )


def digest_of_commit(root: Path, source: str, commit: str) -> str:
    """The digest that the archive of a commit has, whatever lies in the work tree or among the archives.

    Raises ``UsageError`` when the commit, or its source, is not in this clone.
    """
    repository = git.top(root)
    return archive.digest(contents.of_commit(repository, commit, _folder(repository, root, source)))


def build(
    root: Path, source: str, release: Release, artifacts: Path, *, tag_prefix: str = "v", beside: Path | None = None
) -> Release:
    """The same release, with its archive in ``artifacts``, whole. One that is there already is verified and kept.

    Raises ``GateRefused`` when the content is no longer what was described, ``Unreachable`` when the folder cannot
    be written.
    """
    del tag_prefix  # the commit is known by now
    made = release._replace(archive=_path(artifacts, release.version, release.digest))
    try:
        if not _is_whole(made):
            _write(made, root, source, artifacts, beside)
        return made
    except OSError as error:
        what = f"cannot write {made.archive}: {error.strerror or error}"
        raise Unreachable(
            what, state="nothing was changed", do="make room, or mend the folder's permissions"
        ) from error


def built(artifacts: Path) -> list[Release]:
    """The releases whose archives are in a folder, the last made first."""
    notes = sorted(artifacts.glob("*.json"), key=lambda note: note.stat().st_mtime, reverse=True)
    found = (_from_note(note, artifacts) for note in notes)
    return [release for release in found if release]


def _of_version(repository: Path, folder: str, asked: str, prefix: str, artifacts: Path) -> Release:
    plain = asked[len(prefix) :] if versions.parse(asked, prefix) and prefix else asked
    made = built(artifacts)
    if Version.is_valid(plain):
        commit = git.commit_of(repository, f"{prefix}{plain}")
        if commit:
            digest = archive.digest(contents.of_commit(repository, commit, folder))
            return Release(plain, commit, digest, _path(artifacts, plain, digest))
        for release in made:
            if release.version == plain:
                return release
    known = [str(version) for version in versions.known(git.tags(repository), prefix)]
    near = _nearby(plain, [*known, *(release.version for release in made)])
    raise UsageError(
        f"there is no version {asked}: no tag {prefix}{plain}, and no archive of it",
        do=f"choose one of: {', '.join(near)}" if near else f"make one: git tag {prefix}1.0.0",
    )


def _nearby(asked: str, known: list[str]) -> list[str]:
    """At most five versions that may have been meant: the most alike, then the newest."""
    return list(dict.fromkeys([*difflib.get_close_matches(asked, known, 3), *known[:5]]))[:5]


def _write(release: Release, root: Path, source: str, artifacts: Path, beside: Path | None) -> None:
    repository = git.top(root)
    exclude = left_out(repository, artifacts, beside)
    entries = _entries(repository, _folder(repository, root, source), release.commit, exclude, dirty=release.dirty)
    durable.make_folder(artifacts)
    aside = artifacts / f".{os.getpid()}-{os.urandom(4).hex()}"
    try:
        with aside.open("wb") as sink:
            digest = archive.write(entries, sink)
            sink.flush()
            os.fsync(sink.fileno())
        if digest != release.digest:
            raise GateRefused(
                f"{source} changed while {release.version} was being built",
                state="nothing was changed", do="run it again when nobody writes there",
            )  # fmt: skip
        aside.replace(release.archive)
    finally:
        with suppress(OSError):
            aside.unlink()
    _note(release, artifacts)


def _note(release: Release, artifacts: Path) -> None:
    """Write beside the archive what its name does not say."""
    facts = {"version": release.version, "commit": release.commit, "digest": release.digest, "dirty": release.dirty}
    with durable.written_aside(artifacts, json.dumps(facts, indent=2).encode()) as aside:
        aside.replace(artifacts / f"{release.name}.json")
    durable.sync_folder(artifacts)


def _from_note(note: Path, artifacts: Path) -> Release | None:
    try:
        facts = json.loads(note.read_bytes())
        version, digest = str(facts["version"]), str(facts["digest"])
        path = _path(artifacts, version, digest)
        return (
            Release(version, str(facts["commit"]), digest, path, bool(facts["dirty"])) if Path(path).exists() else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not ours, or going away


def _is_whole(release: Release) -> bool:
    note = Path(release.archive).with_name(f"{release.name}.json")
    try:
        with Path(release.archive).open("rb") as file:
            hashed = sha256()
            while block := file.read(1 << 20):
                hashed.update(block)
    except FileNotFoundError:
        return False
    return hashed.hexdigest() == release.digest and note.exists()


def _entries(repository: Path, folder: str, commit: str, exclude: list[str], *, dirty: bool) -> Iterator[Entry]:
    if dirty:
        return contents.of_work_tree(repository, folder, exclude)
    return contents.of_commit(repository, commit, folder)


def _folder(repository: Path, root: Path, source: str) -> str:
    """The source relative to the top of the repository."""
    full = (root / source).resolve()
    if not full.is_relative_to(repository.resolve()):
        raise UsageError(
            f"deploy.source: {source} is outside of the repository {repository}", do="choose a folder inside of it"
        )
    return full.relative_to(repository.resolve()).as_posix()


def left_out(repository: Path, artifacts: Path, beside: Path | None) -> list[str]:
    """What is no part of the work tree, relative to the top: the state folder (an archive must not hold archives), and
    a file of ours that no commit has."""
    top = repository.resolve()
    state = artifacts.resolve().parent
    inside = [path.relative_to(top).as_posix() for path in (state,) if path != top and path.is_relative_to(top)]
    own = beside.resolve() if beside else top
    if own == top or not own.is_relative_to(top) or git.is_known(repository, own.relative_to(top).as_posix()):
        return inside
    return [*inside, own.relative_to(top).as_posix()]


def _path(artifacts: Path, version: str, digest: str) -> str:
    return str(artifacts.absolute() / f"{release_name(version, digest)}.tar.gz")
