"""A release that failed, taken back: tag, branch, index and files, each only where it still is as we made it.

Nothing here forgets what somebody else did meanwhile: references move by compare-and-swap, and a file that somebody
wrote into is kept beside. Every step may be done twice: whoever dies here leaves the journal, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import DeployError, GateRefused, WayBackFailed
from . import changing, files, git, journal, locks, tracks, upstream
from .checkout import branch_of, git_dir_of
from .cut import Cut
from .edits import Edit
from .tracks import Entry


class Mended(NamedTuple):
    """What became of a release whose maker was killed."""

    cut: Cut
    commit: str | None
    """The release's, if it is made after all: the remote had it already."""
    told: tuple[str, ...]
    """What else is worth knowing."""


def mend(folder: Path) -> Mended | None:
    """Take back what somebody was making when they were killed, or find that it is made. ``None``: nothing was.

    Raises ``GateRefused`` when that cannot be done now, with what to do.
    """
    top, git_dir = git_dir_of(folder)
    found = journal.read(top, git_dir)
    if found is None:
        return None
    locks.wait_for_survivors(found.cut)
    told: tuple[str, ...] = ()
    try:
        commit = is_at_remote(found.cut) if found.pushing else None
        if commit is None:
            told = take_back(found.cut)
    except WayBackFailed as error:
        raise GateRefused(error.what, state=error.state, do=error.do) from error
    journal.end(git_dir)
    return Mended(found.cut, commit, told)


def is_at_remote(cut: Cut) -> str | None:
    """Our commit, if the remote has our tag. Raises ``WayBackFailed`` when nobody can tell."""
    assert cut.remote is not None  # it was pushed there
    mine = tracks.our_tag(cut)
    commit = git.commit_of(cut.top, cut.tag) if mine else None
    try:
        there = upstream.references(cut.top, cut.remote, f"refs/tags/{cut.tag}")
    except DeployError as error:
        push = " ".join(("git", *cut.push_command(commit or "COMMIT")))
        raise WayBackFailed(
            f"whether {cut.remote} has {cut.tag} is not known: {error.what}",
            state=f"commit and tag {cut.tag} are here, in {cut.branch}; nothing of them was taken back",
            do=f"when it answers: `inv create-release` looks again, and finishes or takes back; or by hand: {push}",
        ) from error
    return commit if mine is not None and there.get(f"refs/tags/{cut.tag}") == mine else None


def take_back(cut: Cut, written: Collection[str] = ()) -> tuple[str, ...]:
    """Take a release back; what else is worth knowing. Raises ``WayBackFailed``, with what is left.

    ``written``: the files that we have just written. What a hook has made of those goes, too; where that is not known,
    a file that is neither as it was nor as we write it belongs to somebody else, and stays.
    """
    try:
        locks.free(cut)
        _forget_tag(cut)
        base = _move_branch_back(cut)
        told = _restore(cut, base, written)
    except (DeployError, OSError) as error:
        if isinstance(error, WayBackFailed):
            raise
        what = getattr(error, "what", "") or str(error)
        raise WayBackFailed(
            f"the release of {cut.version} could not be taken back: {what}",
            state=f"it is half made: look at `git status`, `git log -1` and the tag {cut.tag}",
            do=getattr(error, "do", "") or "mend that, then `inv create-release` takes it back before anything else",
        ) from error
    return told


def _forget_tag(cut: Cut) -> None:
    mine = tracks.our_tag(cut)
    if mine is not None:
        _change(cut, "update-ref", "-d", f"refs/tags/{cut.tag}", mine)


def _move_branch_back(cut: Cut) -> str:
    """Take our commit off the branch; the commit that the branch names then."""
    commit, tip = tracks.our_commit(cut), tracks.tip(cut)
    if commit is None:
        return tip or cut.head
    if commit != tip:
        journal.end(cut.git_dir)  # no way back from there by itself: the next one begins anew
        raise WayBackFailed(
            f"{cut.branch} has commits upon {commit[:12]}, the commit of {cut.version}",
            state=f"that commit stays; there is no tag {cut.tag}",
            do=f"git revert {commit[:12]}, or make the tag by hand",
        )
    before = tracks.parent(cut, commit)
    _change(cut, "update-ref", "-m", f"{cut.subject}: taken back", f"refs/heads/{cut.branch}", before, commit)
    return before


def _restore(cut: Cut, base: str, written: Collection[str]) -> tuple[str, ...]:
    """Give index and files what ``base`` has, where they have what we wrote."""
    at = branch_of(cut.top)
    if at != cut.branch:
        raise WayBackFailed(
            f"{at or 'no branch'} is checked out now, and {cut.version} was being cut on {cut.branch}",
            state=f"{cut.branch} is as it was; {', '.join(cut.paths)} may still say {cut.version}",
            do=f"git switch {cut.branch}; then `inv create-release` puts the files back",
        )
    wanted, staged, told = tracks.in_tree(cut, base), tracks.in_index(cut), []
    for edit in cut.edits:
        _unstage(cut, edit, wanted, staged)
        told.append(_put_back(cut, edit, _content(cut, edit, base, wanted), is_ours=edit.path in written))
    _refresh(cut)
    return tuple(filter(None, told))


def _unstage(cut: Cut, edit: Edit, wanted: Mapping[str, Entry], staged: Mapping[str, Entry]) -> None:
    entry = wanted.get(edit.path, Entry(edit.mode, edit.blob_before))
    found = staged.get(edit.path)
    if found is not None and found != entry and found.blob == edit.blob_after:
        _change(cut, "update-index", "--cacheinfo", f"{entry.mode},{entry.blob},{edit.path}")


def _content(cut: Cut, edit: Edit, base: str, wanted: Mapping[str, Entry]) -> bytes:
    """The file as ``base`` has it; somebody else may have committed another one meanwhile."""
    entry = wanted.get(edit.path)
    if entry is None or entry.blob == edit.blob_before:
        return edit.before
    return git.ask(cut.top, "cat-file", "--filters", f"{base}:{edit.path}")


def _put_back(cut: Cut, edit: Edit, content: bytes, *, is_ours: bool) -> str:
    """Write the file as it was; what somebody should know about it."""
    file = cut.top / edit.path
    files.aside(file, cut.id).unlink(missing_ok=True)
    found = files.content(file)
    if found == content:
        return ""
    if found == edit.after:
        files.replace(file, content, cut.id)
        return ""
    if not is_ours:
        return f"{edit.path} was changed by somebody else meanwhile: it is left as it is"
    kept = None if found is None else journal.keep(cut, edit.path, found)
    files.replace(file, content, cut.id)
    return f"what a hook, or somebody, made of {edit.path} meanwhile is kept as {kept}" if kept else ""


def _refresh(cut: Cut) -> None:
    """Let the index know that files are as it says; that others differ is no failure."""
    try:
        _change(cut, "update-index", "-q", "--refresh")
    except changing.GitFailed:
        return


def _change(cut: Cut, *arguments: str) -> None:
    changing.change(cut.top, *arguments, apart=True)
