"""Make a release that was decided: files, commit, tag, push; all of it, or nothing."""

from __future__ import annotations

from typing import NamedTuple

from .. import interrupt
from ..errors import DeployError, GateRefused, TakenBack, WayBackFailed
from . import changing, files, journal, taking_back, tracks
from .checkout import branch_of, refused
from .cut import Cut, Line
from .tracks import Entry

_AS_BEFORE = "taken back: branch, index, files and tags are as they were"


class Made(NamedTuple):
    """What was made. ``told``: what else is worth knowing."""

    commit: str
    told: tuple[str, ...] = ()


def begin(line: Line) -> None:
    """Begin a hotfix line: make its branch and check it out. Raises ``GitFailed``."""
    changing.change(line.top, *line.command[1:])


def make(cut: Cut) -> Made:
    """Make it. Raises ``GateRefused`` when the checkout is no longer what was looked at, ``TakenBack`` when something
    failed (all is as it was), ``WayBackFailed`` when that could not be taken back. An interrupt takes it back, too.

    To be called while nobody else makes one here (``journal.alone``).
    """
    if branch_of(cut.top) != cut.branch or tracks.tip(cut) != cut.head:
        raise refused(f"{cut.branch} has changed since it was looked at", "look again: run this again")
    written: list[str] = []
    is_pushing = False
    try:
        journal.write(cut)
        commit = _make_here(cut, written)
        if cut.push:
            journal.write(cut, pushing=True)
            is_pushing = True
            _change(cut, *cut.push_command(commit))
    except BaseException as error:
        with interrupt.held_off():
            if is_pushing and (commit := taking_back.is_at_remote(cut) or ""):
                return _out_already(cut, commit, error)
            _take_back(cut, written, error)
        raise
    journal.end(cut.git_dir)
    return Made(commit)


def _make_here(cut: Cut, written: list[str]) -> str:
    """Files, commit and tag; the commit."""
    for edit in cut.edits:
        file = cut.top / edit.path
        if files.content(file) != edit.before:
            raise GateRefused(f"somebody writes into {edit.path} just now", do="run this again")
        written.append(edit.path)
        files.replace(file, edit.after, cut.id)
    _change(cut, *cut.commit_command(), text=cut.commit_text)
    commit = tracks.our_commit(cut)
    if commit is None:
        raise TakenBack(f"git made no commit on {cut.branch} that can be found again", do="look at the hooks")
    _refuse_another(cut, commit)
    _change(cut, *cut.tag_command(commit), text=cut.tag_text)
    tag = tracks.our_tag(cut)
    if tag is None:
        raise TakenBack(f"git made no tag {cut.tag} that can be found again", do="look at the hooks")
    for kind, number in (("commit", commit), ("tag", tag)):
        if tracks.must_be_signed(cut, kind) and not tracks.is_signed(cut, kind, number):
            raise TakenBack(
                f"git did not sign the {kind}", do="git config user.signingKey, gpg.format; is the key there?"
            )
    return commit


def _refuse_another(cut: Cut, commit: str) -> None:
    """Raise ``TakenBack`` when the commit is not the one that was decided."""
    before = tracks.parent(cut, commit)
    if before != cut.head:
        raise TakenBack(f"somebody committed {before[:12]} to {cut.branch} meanwhile", do="run this again")
    found = tracks.changed(cut, before, commit)
    wanted = {edit.path: Entry(edit.mode, edit.blob_after) for edit in cut.edits}
    if found != wanted:
        names = sorted(path for path in {*found, *wanted} if found.get(path) != wanted.get(path))
        raise TakenBack(f"a hook changed what is committed: {', '.join(names)}", do="let it leave these files alone")


def _change(cut: Cut, *arguments: str, text: bytes = b"") -> None:
    marks = {changing.MARK: cut.id, "GIT_COMMITTER_DATE": cut.when, "GIT_AUTHOR_DATE": cut.when}
    marks["GIT_REFLOG_ACTION"] = cut.action
    changing.change(cut.top, *arguments, text=text, within=cut.within, variables=marks)


def _out_already(cut: Cut, commit: str, error: BaseException) -> Made:
    """The push failed, or was interrupted, after the remote had taken it."""
    journal.end(cut.git_dir)
    if isinstance(error, Exception):
        return Made(commit, (f"the push failed, but {cut.remote} has it: {error}",))
    raise WayBackFailed(
        f"interrupted, when {cut.remote} had {cut.tag} already",
        state=f"{cut.version} is released and pushed",
        do="nothing; or release another version after it",
    ) from error


def _take_back(cut: Cut, written: list[str], error: BaseException) -> None:
    """Take it back, and raise what the error means then; an interrupt, or a bug, is left to the caller."""
    try:
        told = taking_back.take_back(cut, written)
    except WayBackFailed as failed:
        raise WayBackFailed(f"{_what(error)}; then: {failed.what}", state=failed.state, do=failed.do) from error
    journal.end(cut.git_dir)
    state = "; ".join((_AS_BEFORE, *told))
    if isinstance(error, GateRefused):
        raise GateRefused(error.what, state=state, do=error.do) from error
    if isinstance(error, DeployError | OSError):
        do = getattr(error, "do", "") or "mend that, and run this again"
        raise TakenBack(_what(error), state=state, do=do) from error


def _what(error: BaseException) -> str:
    if isinstance(error, DeployError):
        return error.what
    return str(error) or type(error).__name__
