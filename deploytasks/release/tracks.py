"""What of a release is in the repository: found by what it carries, for whoever made it may have died before saying."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import git
from .cut import Cut

_SIGNED = re.compile(
    rb"^(?:gpgsig(?:-sha256)? )?-----BEGIN (?:PGP|SSH|SIGNED) (?:SIGNATURE|MESSAGE)-----$", re.MULTILINE
)
_FAR = 200
"""How many commits upon ours are looked through."""


class Entry(NamedTuple):
    """A file in a tree, or in the index."""

    mode: str
    blob: str


def tip(cut: Cut) -> str | None:
    """The commit that the branch names now."""
    return _line(cut, "rev-parse", "--verify", "--quiet", f"refs/heads/{cut.branch}^{{commit}}")


def our_commit(cut: Cut) -> str | None:
    """The release commit, if the branch has it: at its tip, or below what others have committed since."""
    at = tip(cut)
    if at is None or at == cut.head:
        return None
    newer = git.ask(cut.top, "rev-list", f"--max-count={_FAR}", at, f"^{cut.head}").decode().split()
    told = [commit for commit in newer if _is_ours(cut, commit)]
    logged = [commit for commit in newer if not told and commit in _logged(cut)]
    return next(iter(told or reversed(logged)), None)


def _logged(cut: Cut) -> list[str]:
    """The commits that the branch's log says are ours, or of a hook of ours; there may be no log."""
    found = _line(cut, "log", "--walk-reflogs", f"--max-count={_FAR}", "--format=%H %gs", f"refs/heads/{cut.branch}")
    lines = (line.partition(" ") for line in (found or "").split("\n"))
    return [commit for commit, _, said in lines if said.startswith(f"{cut.action}:")]


def _is_ours(cut: Cut, commit: str) -> bool:
    """Made in the second of ours, and either with our words or with exactly our content.

    Hooks may change the words; somebody else may commit in the same second.
    """
    told = git.ask(cut.top, "show", "--no-patch", "--format=%ct%n%P%n%B", commit).decode(errors="replace")
    when, parents, words = told.split("\n", 2)
    if when != cut.when.split()[0] or len(parents.split()) != 1:
        return False
    return cut.subject in words.split("\n") or changed(cut, parents, commit) == {
        edit.path: Entry(edit.mode, edit.blob_after) for edit in cut.edits
    }


def parent(cut: Cut, commit: str) -> str:
    """The commit before."""
    return git.line(cut.top, "rev-parse", "--verify", f"{commit}^1")


def changed(cut: Cut, before: str, after: str) -> dict[str, Entry]:
    """The files in which two commits differ, as the second has them."""
    found = git.items(cut.top, "diff-tree", "-r", "-z", "--no-renames", before, after)
    pairs = zip(found[::2], found[1::2], strict=True)
    return {path: Entry(facts.split()[1], facts.split()[3]) for facts, path in pairs}


def our_tag(cut: Cut) -> str | None:
    """The tag object, if there is one and it is ours."""
    found = _line(cut, "rev-parse", "--verify", "--quiet", f"refs/tags/{cut.tag}")
    if found is None or _line(cut, "cat-file", "-t", found) != "tag":
        return None
    header = git.ask(cut.top, "cat-file", "tag", found).decode(errors="replace").partition("\n\n")[0]
    tagger = next((line for line in header.split("\n") if line.startswith("tagger ")), "")
    return found if tagger.endswith(f"> {cut.when}") else None


def must_be_signed(cut: Cut, kind: str) -> bool:
    """Whether a commit or a tag is to be signed: as deploy.release says, or else git's own configuration."""
    if cut.sign is not None:
        return cut.sign
    return _line(cut, "config", "--type=bool", "--get", f"{kind}.gpgSign") == "true"


def is_signed(cut: Cut, kind: str, number: str) -> bool:
    """Whether an object carries a signature. Git 2.39 makes a tag without one where ssh-keygen has failed."""
    return bool(_SIGNED.search(git.ask(cut.top, "cat-file", kind, number)))


def in_tree(cut: Cut, commit: str) -> dict[str, Entry]:
    """The files of a release, as a commit has them."""
    paths = (f":(top,literal){path}" for path in cut.paths)
    listed = git.items(cut.top, "ls-tree", "-z", "--full-tree", commit, "--", *paths)
    rows = (row.split("\t", 1) for row in listed)
    return {path: Entry(facts.split()[0], facts.split()[2]) for facts, path in rows}


def in_index(cut: Cut) -> dict[str, Entry]:
    """The same, as the index has them."""
    paths = (f":(top,literal){path}" for path in cut.paths)
    rows = (row.split("\t", 1) for row in git.items(cut.top, "ls-files", "-z", "--stage", "--full-name", "--", *paths))
    return {path: Entry(*facts.split()[:2]) for facts, path in rows}


def _line(cut: Cut, *arguments: str) -> str | None:
    try:
        return git.line(cut.top, *arguments)
    except git.GitRefused:
        return None
