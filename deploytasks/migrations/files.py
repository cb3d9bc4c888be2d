"""Which of a commit's files are migrations, what they are called, and in which order they come."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from .python import Code, literal, parsed

Kind = Literal["django", "alembic", "sql", "unread"]

_DOWN = re.compile(
    r"(\.down\.sql|[._-](down|revert|rollback|undo)\.sql)$|(^|/)(U[0-9][^/]*|(revert|verify|down)/[^/]*)\.sql$"
)
"""SQL that takes a migration back: ``x.down.sql``, Flyway's ``U4__x.sql``, Sqitch's ``revert/x.sql``."""


class Source(NamedTuple):
    """A migration and its text."""

    kind: Kind
    app: str
    """Django's app label, which is the folder above ``migrations`` unless the app says otherwise; else empty."""
    name: str
    """Without the app: the module's name, Alembic's revision, or the file's name."""
    path: str
    """Relative to the project."""
    text: str
    down: str = ""
    """The path of the SQL file that takes it back, if there is one."""
    after: tuple[str, ...] = ()
    """The full names of those it follows."""
    replaces: tuple[str, ...] = ()
    """The full names of those it stands for (Django's squashed migrations)."""

    @property
    def full(self) -> str:
        """``app.name``, or the name: what the tool writes down in the database."""
        return f"{self.app}.{self.name}" if self.app else self.name

    @property
    def shown(self) -> str:
        """For people: Alembic's file says more than its revision."""
        return PurePosixPath(self.path).stem if self.kind == "alembic" else self.full


def candidates(paths: Iterable[str], preset: str | None, globs: Sequence[str]) -> list[str]:
    """The paths that may be migrations. ``globs`` say it; else the folders that the preset's tool uses, or, without a
    preset, those of Django and Alembic."""
    if globs:
        return sorted(path for path in paths if any(_pattern(glob).fullmatch(path) for glob in globs))
    folders = {"django": ("migrations",), "alembic": ("versions",)}.get(preset or "", ("migrations", "versions"))
    return sorted(path for path in paths if _is_module_in(path, folders))


def sources(texts: Mapping[str, str]) -> list[Source]:
    """The migrations among files, by path → text; in the order in which they are applied, as far as that is known."""
    downs = {path: text for path, text in texts.items() if _DOWN.search(path)}
    found = [_source(path, text, downs) for path, text in sorted(texts.items()) if path not in downs]
    return in_order([one for one in found if one is not None])


def in_order(found: Iterable[Source]) -> list[Source]:
    """Each after those it follows; else by their names."""
    by_name = {one.full: one for one in sorted(found, key=lambda one: (one.app, one.name, one.path))}
    done: dict[str, Source] = {}
    for name in by_name:
        _visit(name, by_name, done, set())
    return list(done.values())


def named(told: str, known: Sequence[Source]) -> Source | None:
    """The migration that a tool means: by full name, name, path or the file's name."""
    for one in known:
        stem = PurePosixPath(one.path).name
        if told in (one.full, f"{one.app}/{one.name}", one.path, stem, stem.rpartition(".")[0], one.name):
            return one
    return None


def not_in(known: Collection[str], release: Sequence[Source]) -> list[Source]:
    """Those of a release that are not among known full names. One that stands for known ones alone is not new, nor are
    those that a known one stands for."""
    stood_for = {name for one in release if one.full in known for name in one.replaces}
    has = {*known, *stood_for}
    return [
        one
        for one in release
        if one.full not in has and not (one.replaces and all(name in has for name in one.replaces))
    ]


def applied(written: Collection[str], release: Sequence[Source]) -> set[str]:
    """All full names that are in a database which says ``written``: Alembic writes down the heads alone."""
    by_name = {one.full: one for one in release}
    found: set[str] = set()
    waiting = list(written)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in by_name and by_name[name].kind == "alembic":
            waiting += by_name[name].after
    return found


def _visit(name: str, by_name: Mapping[str, Source], done: dict[str, Source], above: set[str]) -> None:
    if name in done or name not in by_name or name in above:
        return
    for before in by_name[name].after:
        _visit(before, by_name, done, {*above, name})
    done[name] = by_name[name]


def _is_module_in(path: str, folders: Sequence[str]) -> bool:
    """Whether a path is a module that Django's or Alembic's loader would take for a migration."""
    parts = PurePosixPath(path).parts
    return path.endswith(".py") and len(parts) > 1 and parts[-2] in folders and parts[-1][0] not in "_~."


def _source(path: str, text: str, downs: Mapping[str, str]) -> Source | None:
    file = PurePosixPath(path)
    if file.suffix == ".sql":
        return Source("sql", "", file.name.removesuffix(".sql").removesuffix(".up"), path, text, _down_of(file, downs))
    if file.suffix != ".py":
        return Source("unread", "", file.stem, path, text)
    try:
        tree = parsed(text)
    except SyntaxError:
        return Source("unread", "", file.stem, path, text)
    if (revision := _assigned(tree, "revision")) and isinstance(revision, str):
        return Source("alembic", "", revision, path, text, after=_revisions(_assigned(tree, "down_revision")))
    migration = next((one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == "Migration"), None)
    if migration is None:
        return None  # a helper beside the migrations
    after, replaces = (_pairs(_assigned(migration, name)) for name in ("dependencies", "replaces"))
    app = file.parts[-3] if len(file.parts) > 2 else ""
    return Source("django", app, file.stem, path, text, after=after, replaces=replaces)


def _down_of(file: PurePosixPath, downs: Mapping[str, str]) -> str:
    stem = file.name.removesuffix(".sql").removesuffix(".up")
    wanted = {f"{stem}.down.sql", f"{stem}_down.sql", f"{stem}-down.sql", f"{stem}.revert.sql", f"{stem}.rollback.sql"}
    wanted |= {f"U{stem[1:]}.sql"} if stem[:1] == "V" else set()
    beside = {str(file.parent.parent / folder / f"{stem}.sql") for folder in ("revert", "down")}
    return next((path for path in sorted(downs) if path in beside or (PurePosixPath(path).name in wanted)), "")


def _assigned(tree: ast.Module | ast.ClassDef, name: str) -> object:
    """What a name is set to, in a module or a class; ``None`` when it is not."""
    for one in tree.body:
        if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in one.targets):
            return literal(one.value)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id == name and one.value:
            return literal(one.value)
    return None


def _pairs(found: object) -> tuple[str, ...]:
    """``[("app", "name")]`` as full names; what is computed says nothing."""
    if not isinstance(found, list | tuple):
        return ()
    return tuple(f"{one[0]}.{one[1]}" for one in found if isinstance(one, tuple | list) and len(one) == 2)


def _revisions(found: object) -> tuple[str, ...]:
    if isinstance(found, str) and not isinstance(found, Code):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list | tuple) else ()


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """A shell pattern over paths: ``**`` stands for any folders, ``*`` for any part of a name."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(piece, re.escape(piece)) for piece in pieces))
