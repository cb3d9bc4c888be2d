"""Which branches have a commit: as this clone knows, and as a remote says itself, now.

Nothing is kept of what a remote says: no reference moves, and what has to be fetched goes into a folder that is thrown
away.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from . import git, unattended

WITHIN = 8.0
"""Seconds for all that a remote is asked at once."""
_AT_ONCE = 20
"""Branches of a remote that are fetched aside, those first that had the commit when this clone fetched last."""


class Branch(NamedTuple):
    """A branch with its short name. ``remote``: the one that has it; empty for one of this clone."""

    name: str
    remote: str = ""

    def __str__(self) -> str:
        return f"{self.remote}/{self.name}" if self.remote else self.name


class Asked(NamedTuple):
    """What a remote said: ``found``, a branch or tag of it that has the commit, and whether that is all it may be.

    ``unsure``: why it may have it all the same, if nothing was found.
    """

    found: str | None
    unsure: str = ""


def is_commit(text: str) -> bool:
    """Whether this is a whole object name, and nothing that git could take for an option or a reference."""
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None


def remotes(repository: Path) -> Sequence[str]:
    """The names of the remotes of this clone."""
    return unattended.ask(repository, "remote").splitlines()


def containing(repository: Path, commit: str) -> Sequence[Branch]:
    """The branches of this clone, and those of remotes as they were fetched last, that have a commit.

    Raises ``GitRefused`` when this clone does not have it.
    """
    refs = unattended.ask(
        repository, "for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/heads", "refs/remotes"
    )
    known = sorted(remotes(repository), key=len, reverse=True)
    found = [_branch(ref, known) for ref in refs.splitlines()]
    return [branch for branch in found if branch is not None]


def at_remote(
    repository: Path,
    remote: str,
    commit: str,
    is_wanted: Callable[[str], bool],
    *,
    tags: bool = False,
) -> Asked:
    """Whether the remote has a commit on a branch that is wanted, or, if asked for, on a tag. Asks the remote itself.

    Branches that have moved on since they were fetched, or never were, are fetched aside.
    Raises ``Unreachable`` when there is no answer within ``WITHIN`` seconds.
    """
    until = time.monotonic() + WITHIN
    said = _tips(repository, remote, tags, until)
    tips = {name: tip for name, tip in said.items() if _is_tag(name) or is_wanted(name)}
    for name, tip in tips.items():
        if tip == commit:
            return Asked(name)
    known = _known(repository, {commit, *tips.values()}, until)
    if commit not in known:
        return Asked(None, "this clone does not have the commit: `git fetch`")
    found = _first_with(repository, commit, {name: tip for name, tip in tips.items() if tip in known})
    strange = [name for name, tip in tips.items() if tip not in known and not _is_tag(name)]
    if found is None and strange:
        likely = {branch.name for branch in containing(repository, commit) if branch.remote == remote}
        first = sorted(strange, key=lambda name: name not in likely)[:_AT_ONCE]
        found = _fetched_aside(repository, remote, commit, {name: tips[name] for name in first}, until)
    return Asked(found, _why_unsure(repository, len(strange) - _AT_ONCE) if found is None else "")


def _why_unsure(repository: Path, more: int) -> str:
    if more > 0:
        return f"{more} more branches there are not known here: `git fetch`"
    return "this clone is shallow: `git fetch --unshallow`" if git.is_shallow(repository) else ""


def _is_tag(name: str) -> bool:
    return name.startswith("tag ")


def _branch(ref: str, known: Iterable[str]) -> Branch | None:
    if ref.startswith("refs/heads/"):
        return Branch(ref.removeprefix("refs/heads/"))
    for remote in known:
        name = ref.removeprefix(f"refs/remotes/{remote}/")
        if name != ref:
            return Branch(name, remote) if name != "HEAD" else None
    return None  # of no remote of ours: a pull request that CI checked out, say


def _tips(repository: Path, remote: str, tags: bool, until: float) -> Mapping[str, str]:
    """The remote's branches, and its tags as ``tag NAME``, with the commits that they name."""
    kinds = ["--heads", "--tags"] if tags else ["--heads"]
    found: dict[str, str] = {}
    for one in unattended.ask(repository, "ls-remote", *kinds, "--", remote, until=until, remote=remote).splitlines():
        tip, _, ref = one.partition("\t")
        name = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else f"tag {ref[len('refs/tags/') :]}"
        found[name.removesuffix("^{}")] = tip  # of an annotated tag, the commit comes after the tag itself
    return found


def _known(repository: Path, names: Iterable[str], until: float) -> frozenset[str]:
    """Those of the commits that this clone has."""
    given = "\n".join(names) + "\n"
    said = unattended.ask(repository, "cat-file", "--batch-check=%(objectname) %(objecttype)", given=given, until=until)
    return frozenset(line.partition(" ")[0] for line in said.splitlines() if line.endswith(" commit"))


def _first_with(
    repository: Path, commit: str, tips: Mapping[str, str], objects: Mapping[str, str] | None = None
) -> str | None:
    """The first name whose history has the commit. Asked of all together first: there may be thousands."""
    given = "\n".join([commit, *(f"^{tip}" for tip in tips.values())]) + "\n"
    if not tips or unattended.ask(repository, "rev-list", "--max-count=1", "--stdin", given=given, more=objects):
        return None
    for name, tip in tips.items():
        alone = f"{commit}\n^{tip}\n"
        if not unattended.ask(repository, "rev-list", "--max-count=1", "--stdin", given=alone, more=objects):
            return name
    return None


def _fetched_aside(repository: Path, remote: str, commit: str, tips: Mapping[str, str], until: float) -> str | None:
    """The first of these branches that has the commit; what is missing of them is fetched into a folder of its own."""
    ours = (repository / unattended.ask(repository, "rev-parse", "--git-path", "objects").strip("\n")).resolve()
    with tempfile.TemporaryDirectory(prefix="deploytasks-") as aside:
        quoted = '"' + str(ours).replace("\\", "\\\\").replace('"', '\\"') + '"'
        objects = {"GIT_OBJECT_DIRECTORY": aside, "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted}
        unattended.ask(
            repository, "-c", "fetch.writeCommitGraph=false", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            "--refmap=", "--no-prune", "--no-auto-maintenance", "--no-recurse-submodules", "--", remote,
            *(f"refs/heads/{name}" for name in tips), until=until, remote=remote, more=objects,
        )  # fmt: skip
        return _first_with(repository, commit, tips, objects)
