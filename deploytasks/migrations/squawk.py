"""What squawk says about the SQL of migrations, in our own rules. https://squawkhq.com."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from . import alembic, django, sql, sql_judging
from .files import Source
from .python import Called, called
from .rules import Finding
from .state import listed, operations

_STYLE = (
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-repack",
    "prefer-robust-stmts", "prefer-text-field", "prefer-timestamp-tz", "require-lock-timeout",
    "require-statement-timeout", "require-timeout-settings", "adding-field-with-default", "ban-char-field",
    "ban-concurrent-index-creation-in-transaction", "require-concurrent-index-deletion", "identifier-too-long",
    "transaction-nesting", "ban-uncommitted-transaction",
)  # fmt: skip
"""Rules about taste, about servers before PostgreSQL 11, and those that cannot be judged from the SQL alone."""

ARGUMENTS = ("--reporter", "json", "--assume-in-transaction", "--exclude", ",".join(_STYLE), "--stdin-filepath")
"""How it is called; then a name for what it reads from stdin."""

_MEANS: Mapping[str, str] = {
    "ban-drop-column": "drop-column",
    "ban-drop-table": "drop-table",
    "ban-drop-database": "drop-object",
    "ban-drop-view": "drop-object",
    "ban-drop-function": "drop-object",
    "ban-drop-type": "drop-object",
    "ban-drop-schema": "drop-object",
    "ban-drop-sequence": "drop-object",
    "ban-drop-domain": "drop-object",
    "ban-drop-extension": "drop-object",
    "ban-revoke": "drop-object",
    "renaming-column": "rename-column",
    "renaming-table": "rename-table",
    "renaming-object": "rename-table",
    "ban-set-schema": "rename-table",
    "changing-column-type": "retype",
    "adding-required-field": "add-required-column",
    "adding-not-nullable-field": "set-not-null",
    "ban-truncate-cascade": "lose-rows",
    "constraint-missing-not-valid": "constraint",
    "adding-foreign-key-constraint": "foreign-key",
    "disallowed-unique-constraint": "index",
    "require-concurrent-index-creation": "index",
    "require-concurrent-reindex": "long-lock",
    "require-concurrent-partition-detach": "long-lock",
    "adding-serial-primary-key-field": "rewrite",
    "syntax-error": "unread",
}
"""Its rule → ours; any other one that somebody has switched on changes what happens."""
_QUIET = frozenset({"ban-drop-not-null", "ban-drop-constraint", "ban-drop-index", "ban-set-default"})
"""Rules about what the old release does not notice."""
_NO_SQL = "CANNOT BE WRITTEN AS SQL"
"""How Django's ``sqlmigrate`` says that Python does it."""


class Piece(NamedTuple):
    """Some SQL, and where it is from."""

    source: Source
    line: int
    """In the source, of the SQL's first line; of what was printed, 0."""
    text: str


def pieces(one: Source, printed: str | None = None) -> list[Piece]:
    """The SQL of a migration: what ``database.sql`` printed, or what stands in it as literals."""
    if printed is not None:
        return [Piece(one, 0, printed)]
    if one.kind == "sql":
        return [Piece(one, 1, sql.sections(one.text)[0])]
    if one.kind == "django":
        return [
            Piece(one, each.line, text) for each in _run_sql(operations(one.text)) for text in django.sql_of(each) or ()
        ]
    if one.kind == "alembic":
        return [Piece(one, each.line, text) for each in _executed(one) if (text := alembic.execute_text(each))]
    return []


def asked(known: Sequence[Piece]) -> str:
    """All pieces in one text: what one makes, the next may use. Each statement ends."""
    return "".join(f"{piece.text.rstrip()}\n;\n" for piece in known)


def told(answer: str, known: Sequence[Piece]) -> list[Finding]:
    """What squawk answered, as findings. Raises ``ValueError`` for what is no answer of its."""
    given = json.loads(answer)
    if not isinstance(given, list):
        raise ValueError("no list")
    return [found for each in given if (found := _finding(each, known)) is not None]


def merged(own: Sequence[Finding], theirs: Sequence[Finding], read: Collection[str] = ()) -> list[Finding]:
    """Our findings with squawk's beside them, and those of squawk's that we do not have.

    ``read``: the paths of migrations whose own source was read as well. There we know what the old release knows, and
    SQL does not: unless something could not be read, only squawk's locks are added.
    """
    unread = {one.path for one in own if one.rule == "unread"}
    rules = {(one.path, one.rule) for one in own}
    found = [one._replace(by=one.by or _by(one, theirs)) for one in own]
    for one in theirs:
        is_known = one.path in read and one.path not in unread and one.verdict != "locks"
        if (one.path, one.rule) not in rules and not is_known:
            found.append(one)
    return found


def read_from(printed: Mapping[str, str], own: Sequence[Finding], created: set[str]) -> list[Finding]:
    """The findings, where SQL says what could not be read in a migration's own source."""
    found = list(own)
    for path, text in printed.items():
        unread = [one for one in found if one.path == path and one.rule == "unread"]
        if not unread or _NO_SQL in text.upper():
            continue
        known = {one.rule for one in found if one.path == path}
        found = [one for one in found if one not in unread]
        more = [
            Finding(path, unread[0].line, f"SQL {what}", rule) for rule, what, _ in sql_judging.judged(text, created)
        ]
        found += [one for one in more if one.rule not in known - {"unread"}]
    return found


def _finding(each: object, known: Sequence[Piece]) -> Finding | None:
    if not isinstance(each, Mapping) or each.get("rule_name") in _QUIET:
        return None
    name, at = str(each.get("rule_name")), int(each.get("line", 0))
    piece, line = _piece_at(at, known)
    text = piece.text.splitlines()
    said = " ".join(text[line].split()) if line < len(text) else str(each.get("message", ""))
    if name == "constraint-missing-not-valid" and "UNIQUE" in said.upper():
        return None  # there is no NOT VALID for it: disallowed-unique-constraint says what there is
    where = piece.line + line if piece.source.kind == "sql" else piece.line or 1
    by = f"squawk {name}" if name == "syntax-error" else f"squawk {name}, https://squawkhq.com/docs/{name}"
    return Finding(
        piece.source.path, where, f"{said[:57]}…" if len(said) > 58 else said, _MEANS.get(name, "behavior"), by
    )


def _piece_at(line: int, known: Sequence[Piece]) -> tuple[Piece, int]:
    """The piece with a line of the whole text, and the line in it; both from 0."""
    begin = 0
    for piece in known:
        length = piece.text.rstrip().count("\n") + 2
        if line < begin + length:
            return piece, line - begin
        begin += length
    return known[-1], 0


def _by(one: Finding, theirs: Sequence[Finding]) -> str:
    return next((each.by for each in theirs if each.path == one.path and each.rule == one.rule), "")


def _run_sql(given: Sequence[Called | int]) -> Iterator[Called]:
    for one in given:
        if isinstance(one, Called) and one.name == "RunSQL":
            yield one
        elif isinstance(one, Called) and one.name == "SeparateDatabaseAndState":
            yield from _run_sql(listed(one.argument(0, "database_operations"), one.line))


def _executed(one: Source) -> Iterator[Called]:
    for line in alembic.function(one.text, "upgrade") or ():
        for node in ast.walk(line):
            call = called(node)
            if call is not None and call.name == "execute":
                yield call
