"""Which migrations a release brings that the release before it did not have."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from ..errors import DeployError, GateRefused, UsageError

if TYPE_CHECKING:
    from ..ledger.projections import Succeeded
    from ..migrations.files import Source
    from ..settings.base import Value
    from .subject import Subject

_ANSWER = 6.0
"""Seconds for the database to say what is applied; without its answer, everything counts as pending."""


class Pending(NamedTuple):
    """The migrations that this release brings, in the order in which they are applied."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    """Relative to the project; a name that a command printed may have none."""
    why: str
    """How it was found out, for people."""
    sources: tuple[Source, ...] = ()
    known: tuple[Source, ...] = ()
    """The release's migrations that the database has already."""
    is_first: bool = False
    """Whether no release serves users yet, and nothing is applied: nobody must live with what comes."""
    is_unsure: bool = False
    """Whether the database would have known, and did not answer."""

    @property
    def unread(self) -> tuple[str, ...]:
        """The names that no file of the release has."""
        found = {one.shown for one in self.sources}
        return tuple(name for name in self.names if name not in found)


_lock = threading.Lock()
_known: WeakKeyDictionary[Subject, tuple[threading.Lock, list[Pending | DeployError]]] = WeakKeyDictionary()


def pending(of: Subject) -> Pending:
    """The migrations that would be applied; found out once for each subject, in whatever thread asks first.

    Raises ``DeployError``, each time, when it cannot be found out.
    """
    with _lock:
        lock, found = _known.setdefault(of, (threading.Lock(), []))
    with lock:
        if not found:
            try:
                found.append(_looked(of))
            except DeployError as error:
                found.append(error)
    if isinstance(found[0], DeployError):
        raise found[0]
    return found[0]


def section(of: Subject) -> Value | None:
    """What stands under ``database:``."""
    return of.world.settings.sections.get("database")


def said(of: Subject, name: str) -> str | None:
    """A text below ``database:``."""
    found = getattr(section(of), name, None)
    return found if isinstance(found, str) and found else None


def live(of: Subject) -> Succeeded | None:
    """The release that serves users now, as far as the ledger knows: the last that ended well and was not taken back.

    Raises ``Unreachable``.
    """
    succeeded = of.standing.succeeded
    return succeeded[-1] if succeeded else None


# -- how -------------------------------------------------------------------------------------------


def _looked(of: Subject) -> Pending:
    from ..migrations.files import not_in

    if of.release is None:
        return Pending((), (), "no release yet")
    there = _tree(of)
    mine = there.migrations(of.release.commit, dirty=of.release.dirty)
    if (command := said(of, "pending")) is not None:
        return _as_told(command, mine, of)
    _require_known(of, mine)
    if not mine:
        return Pending((), (), "the release has no migrations")
    before = live(of)
    if before is None:
        return _as_applied(mine, of, "nothing is live yet")
    commit = before.commit or _commit_of(of, before)
    try:
        theirs = there.migrations(commit, dirty=False) if commit else None
    except DeployError:
        theirs = None
    if theirs is None:
        return _as_applied(mine, of, f"the commit of {before.version}, which is live, is not in this clone")
    new = not_in({one.full for one in theirs}, mine)
    return _made(new, mine, f"compared with {before.version}, which is live ({commit[:12]})")


def _made(new: Sequence[Source], release: Sequence[Source], why: str) -> Pending:
    names = {one.full for one in new}
    known = tuple(one for one in release if one.full not in names)
    return Pending(tuple(one.shown for one in new), tuple(one.path for one in new), why, tuple(new), known)


def _as_told(command: str, mine: Sequence[Source], of: Subject) -> Pending:
    """What the configured command prints decides; a file is found for it where there is one."""
    from ..migrations.files import in_order, named
    from . import commands

    printed = [line.strip() for line in commands.output(of.world, command, {}).splitlines() if line.strip()]
    pairs = [(name, named(name, mine)) for name in dict.fromkeys(printed)]
    found = in_order(one for _, one in pairs if one is not None)
    made = _made(found, mine, "the command `database.pending` says so")
    return made._replace(names=(*made.names, *(name for name, one in pairs if one is None)))


def _as_applied(mine: Sequence[Source], of: Subject, reason: str) -> Pending:
    """Compared with what the database says is applied; all of them, when it does not."""
    from ..migrations.files import applied, not_in

    if said(of, "preset") is None:
        why = "without `database.preset` the database cannot be asked"
        return _made(mine, mine, f"{reason}, and {why}: all of the release's migrations count")
    written = _written(of)
    if isinstance(written, str):
        why = f"{reason}, and {written}: all of the release's migrations count"
        return _made(mine, mine, why)._replace(is_unsure=True)
    made = _made(not_in(applied(written, mine), mine), mine, f"{reason}: compared with what the database says")
    return made._replace(is_first=not written and live(of) is None)


def _written(of: Subject) -> Sequence[str] | str:
    """What the preset's tool has written down in the database; or why that is not known."""
    came: list[Sequence[str] | str] = []

    def ask() -> None:
        try:
            database = of.world.database
            came.append(database.applied() if database is not None else "there is no database")
        except (DeployError, OSError) as error:
            came.append(f"the database does not say what is applied ({getattr(error, 'what', error)})")

    asking = threading.Thread(target=ask, name="ask what is applied", daemon=True)
    asking.start()
    asking.join(_ANSWER)
    return came[0] if came else f"the database does not answer within {_ANSWER:g} s"


def _require_known(of: Subject, mine: Sequence[Source]) -> None:
    """A command that migrates must have migrations somewhere."""
    if mine or not said(of, "migrate") or said(of, "preset") or getattr(section(of), "migrations", ()):
        return
    raise GateRefused(
        "`database.migrate` is configured, and which files are migrations is not known",
        do="say `database.preset`, `database.migrations` (patterns) or `database.pending` (a command)",
    )


def _commit_of(of: Subject, before: Succeeded) -> str:
    """The commit of what was installed with this content."""
    placed = of.standing.releases.values()
    return next((one.commit for one in placed if one.digest == before.digest and one.commit), "")


class Tree:
    """The project's files, as a commit or the work tree has them, under paths relative to the project."""

    def __init__(self, root: Path, source: str, preset: str | None, globs: Sequence[str]) -> None:
        from ..release import git

        try:
            self._top = git.top(root)
        except UsageError as error:
            raise GateRefused(error.what, do=error.do) from error
        top, inside = self._top.resolve(), root.resolve()
        self._root = inside.relative_to(top).as_posix() if inside.is_relative_to(top) else "."
        made_of = (root / source).resolve()
        is_inside = made_of.is_relative_to(inside) and not globs
        self._source = made_of.relative_to(inside).as_posix() if is_inside else "."
        self._preset, self._globs = preset, globs

    def migrations(self, commit: str, *, dirty: bool) -> list[Source]:
        """Those of a commit, or of the work tree when it is ``dirty``. Raises ``DeployError``."""
        from ..migrations.files import candidates, sources
        from ..release import tree

        at = None if dirty else commit
        known = self._known(tree.paths(self._top, at))
        found = candidates(known, self._preset, self._globs)
        texts = tree.texts(self._top, at, [known[path] for path in found])
        return sources({path: texts[known[path]] for path in found if known[path] in texts})

    def text(self, commit: str, path: str, *, dirty: bool) -> str | None:
        """One file of the project."""
        from ..release import tree

        full = path if self._root == "." else f"{self._root}/{path}"
        return tree.texts(self._top, None if dirty else commit, [full]).get(full)

    def _known(self, paths: Sequence[str]) -> Mapping[str, str]:
        """Relative to the project → relative to the top, of what the release is made of."""
        before = "" if self._root == "." else f"{self._root}/"
        below = "" if self._source == "." else f"{self._source}/"
        inside = {path[len(before) :]: path for path in paths if path.startswith(before)}
        return {short: path for short, path in inside.items() if short.startswith(below)}


def _tree(of: Subject) -> Tree:
    settings, database = of.world.settings, section(of)
    globs = tuple(getattr(database, "migrations", ()))
    return Tree(of.world.site.root, settings.source, said(of, "preset"), globs)


def text_of(of: Subject, path: str) -> str | None:
    """A file of the project as the release's commit has it; ``None`` when it is not there. Raises ``DeployError``."""
    release = of.release
    return None if release is None else _tree(of).text(release.commit, path, dirty=release.dirty)
