"""Which rules the upgrade of an Alembic revision touches.

https://alembic.sqlalchemy.org/en/latest/ops.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from . import sql_judging
from .files import Source
from .python import Called, Code, called, literal, parsed
from .rules import Finding

_QUIET = frozenset({
    "create_table_comment", "drop_table_comment", "f", "get_context", "inline_literal",
})  # fmt: skip
_INTEGERS: Mapping[str, int] = {"SmallInteger": 2, "SMALLINT": 2, "Integer": 4, "INTEGER": 4, "INT": 4, "BigInteger": 8,
                                "BIGINT": 8}  # fmt: skip
_STRINGS = frozenset({"String", "VARCHAR", "Unicode", "CHAR", "NVARCHAR"})
_TEXTS = frozenset({"Text", "TEXT", "UnicodeText"})


class Seen(NamedTuple):
    """Where an operation stands."""

    path: str
    created: set[str]
    """Tables that the old release does not know, in lower case."""
    table: str = ""
    """The one of a ``batch_alter_table``."""
    handle: str = "op"
    """The name on which operations are called."""
    atomic: bool = True


class Column(NamedTuple):
    """A ``sa.Column`` as it stands there."""

    name: str
    type: str
    options: Mapping[str, object]
    more: tuple[str, ...]
    """The calls beside its name and type: ``ForeignKey``, ``Identity``, ``Computed``."""


def judged(source: Source, created: set[str], *, transactional: bool = True) -> list[Finding]:
    """What the ``upgrade`` of one revision touches."""
    body = function(source.text, "upgrade")
    if body is None:
        return [Finding(source.path, 1, "no upgrade()", "unread")]
    return list(_judged(body, Seen(source.path, created, atomic=transactional)))


def function(text: str, name: str) -> list[ast.stmt] | None:
    """The statements of a function of a module."""
    for one in parsed(text).body:
        if isinstance(one, ast.FunctionDef) and one.name == name:
            return one.body
    return None


def _judged(body: list[ast.stmt], seen: Seen) -> Iterator[Finding]:
    for one in body:
        if isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
            continue
        if isinstance(one, ast.With):
            yield from _inside(one, seen)
        elif isinstance(one, ast.If | ast.For | ast.While):
            yield from _judged(one.body, seen)
            yield from _judged(one.orelse, seen)
        elif isinstance(one, ast.Try):
            for part in (one.body, *(handler.body for handler in one.handlers), one.orelse, one.finalbody):
                yield from _judged(part, seen)
        elif isinstance(one, ast.Expr) and (call := called(one.value)) is not None:
            yield from _called(call, seen)
        elif not _is_harmless(one):
            yield _unread(one, seen)


def _is_harmless(one: ast.stmt) -> bool:
    """Whether a statement only names literals, tables for queries, or imports."""
    if isinstance(one, ast.Import | ast.ImportFrom | ast.Return):
        return True
    value = one.value if isinstance(one, ast.Assign | ast.AnnAssign) else None
    if value is None:
        return False
    return not any(isinstance(inner, ast.Call) for inner in ast.walk(value)) or ast.unparse(value).startswith(
        ("sa.table(", "sa.Table(", "table(", "sa.MetaData(", "sa.Enum(", "postgresql.ENUM(")
    )


def _unread(one: ast.stmt, seen: Seen) -> Finding:
    shown = ast.unparse(one).partition("\n")[0]
    return Finding(seen.path, one.lineno, f"{shown[:57]}…" if len(shown) > 58 else shown, "unread")


def _inside(one: ast.With, seen: Seen) -> Iterator[Finding]:
    """``with op.batch_alter_table("book") as batch:``, ``with op.get_context().autocommit_block():``."""
    for item in one.items:
        call = called(item.context_expr)
        if call is not None and call.name == "batch_alter_table":
            handle = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
            seen = seen._replace(table=call.text(0, "table_name").lower(), handle=handle)
        elif call is not None and call.name == "autocommit_block":
            seen = seen._replace(atomic=False)
        else:
            yield _unread(one, seen)
    yield from _judged(one.body, seen)


def _called(call: Called, seen: Seen) -> Iterator[Finding]:
    if call.name in _QUIET and call.owner in (seen.handle, "op"):
        return
    judge = _JUDGES.get(call.name)
    if judge is None or call.owner not in (seen.handle, "op") or not call.is_whole:
        yield Finding(seen.path, call.line, f"{call.owner}.{call.name}()".lstrip("."), "unread")
        return
    for what, rule in judge(call, seen):
        yield Finding(seen.path, call.line, f"{call.name} {what}".rstrip(), rule)


def _bare(text: str) -> str:
    return re.sub(r'.*\.|"', "", text).lower()


def _table(call: Called, seen: Seen, place: int, name: str = "table_name") -> tuple[str, int]:
    """The table that a call is about, and the place of the argument after it: in a batch it is not said."""
    if seen.table and call.owner == seen.handle:
        return seen.table, place
    return _bare(call.text(place, name)), place + 1


# -- operations: what they are about, and the rule -----------------------------------------------------

Touches = Iterator[tuple[str, str]]


def _create_table(call: Called, seen: Seen) -> Touches:
    seen.created.add(_bare(call.text(0, "table_name")))
    yield from ()


def _drop_table(call: Called, seen: Seen) -> Touches:
    name = _bare(call.text(0, "table_name"))
    if name not in seen.created:
        yield name, "drop-table"


def _rename_table(call: Called, seen: Seen) -> Touches:
    name = _bare(call.text(0, "old_table_name"))
    if name not in seen.created:
        yield name, "rename-table"


def _add_column(call: Called, seen: Seen) -> Touches:
    table, at = _table(call, seen, 0)
    if table in seen.created:
        return
    column = _column(call.argument(at, "column"))
    if column is None:
        yield table, "unread"
        return
    for rule in _added(column):
        yield f"{table}.{column.name}", rule


def _added(column: Column) -> Iterator[str]:
    is_filled_in = column.options.get("server_default") is not None or {"Identity", "Computed"} & set(column.more)
    if column.options.get("primary_key") is True:
        yield "change-key"
    elif column.options.get("nullable") is False and not is_filled_in:
        yield "add-required-column"
    if column.options.get("unique") is True or column.options.get("index") is True:
        yield "index"
    if "ForeignKey" in column.more:
        yield "foreign-key"
    default = str(column.options.get("server_default", "")).upper()
    if {"Identity", "Computed"} & set(column.more) or any(word in default for word in ("RANDOM", "UUID", "NEXTVAL")):
        yield "rewrite"


def _drop_column(call: Called, seen: Seen) -> Touches:
    table, at = _table(call, seen, 0)
    if table not in seen.created:
        yield f"{table}.{call.text(at, 'column_name')}", "drop-column"


def _alter_column(call: Called, seen: Seen) -> Touches:
    table, at = _table(call, seen, 0)
    if table in seen.created:
        return
    what = f"{table}.{call.text(at, 'column_name')}"
    options = {name: literal(value) for name, value in call.options.items()}
    if options.get("new_column_name") is not None:
        yield what, "rename-column"
    if options.get("nullable") is False:
        yield what, "set-not-null"
    if "server_default" in options and options["server_default"] in (None, False):
        yield what, "drop-default"
    if "type_" in options:
        rule = _retyped(call.options.get("existing_type"), call.options["type_"])
        yield from ((what, rule),) if rule else ()


def _retyped(old: ast.expr | None, new: ast.expr) -> str | None:
    before, wanted = _type(old), _type(new)
    if before is None or wanted is None:
        return "retype"
    if {before[0], wanted[0]} <= _STRINGS | _TEXTS:
        return "narrow-type" if _length(wanted) < _length(before) else None
    if before[0] in _INTEGERS and wanted[0] in _INTEGERS:
        old_size, new_size = _INTEGERS[before[0]], _INTEGERS[wanted[0]]
        return "narrow-type" if new_size < old_size else "rewrite" if new_size > old_size else None
    if before[0] != wanted[0]:
        return "change-type"
    return None if old is not None and ast.unparse(old) == ast.unparse(new) else "retype"


def _length(kind: tuple[str, float]) -> float:
    return float("inf") if kind[0] in _TEXTS else kind[1]


def _type(node: ast.expr | None) -> tuple[str, float] | None:
    """A type's name and length: ``sa.String(50)``, ``sa.String``."""
    if node is None:
        return None
    call = called(node)
    if call is None:
        return ast.unparse(node).rpartition(".")[2], float("inf")
    length = call.value(0, "length")
    return call.name, float("inf") if length is None else length if isinstance(length, int) else -1


def _column(node: ast.expr | None) -> Column | None:
    call = called(node) if node is not None else None
    if call is None or call.name != "Column" or not call.is_whole:
        return None
    more = tuple(inner.name for one in call.arguments[1:] if (inner := called(one)) is not None)
    kind = ast.unparse(call.arguments[1]) if len(call.arguments) > 1 else ""
    options = {name: literal(value) for name, value in call.options.items()}
    return Column(call.text(0, "name"), kind, options, more)


def _create_index(call: Called, seen: Seen) -> Touches:
    table, _ = _table(call, seen, 1)
    if table in seen.created:
        return
    is_online = call.value(99, "postgresql_concurrently") is True
    if call.value(99, "unique") is True:
        yield table, "unique"
    if not is_online:
        yield table, "index"
    elif seen.atomic:
        yield table, "in-a-transaction"


def _drop_index(call: Called, seen: Seen) -> Touches:
    if call.value(99, "postgresql_concurrently") is True and seen.atomic:
        yield call.text(0, "index_name"), "in-a-transaction"


def _constraint(*rules: str) -> Callable[[Called, Seen], Touches]:
    def judge(call: Called, seen: Seen) -> Touches:
        name = "source_table" if call.name == "create_foreign_key" else "table_name"
        table, _ = _table(call, seen, 1, name)
        is_unchecked = call.value(99, "postgresql_not_valid") is True
        for rule in rules:
            if table not in seen.created and not (is_unchecked and rule in ("foreign-key", "long-lock")):
                yield table, rule

    return judge


def _drop_constraint(call: Called, seen: Seen) -> Touches:
    table, _ = _table(call, seen, 1)
    if call.value(2, "type_") == "primary" and table not in seen.created:
        yield table, "change-key"


def _execute(call: Called, seen: Seen) -> Touches:
    text = execute_text(call)
    if text is None:
        yield "with SQL that is computed", "unread"
        return
    for touched in sql_judging.judged(text, seen.created, atomic=seen.atomic):
        yield touched.what, touched.rule


def execute_text(call: Called) -> str | None:
    """The SQL of ``op.execute``: a text, or one in ``sa.text(…)``; ``None`` when it is no literal."""
    node = call.argument(0, "sqltext")
    inner = called(node) if node is not None else None
    if inner is not None and inner.name in ("text", "DDL"):
        node = inner.argument(0, "text")
    found = literal(node) if node is not None else None
    return found if isinstance(found, str) and not isinstance(found, Code) else None


def _bulk_insert(call: Called, seen: Seen) -> Touches:
    """Into a table that a query object names: whether it is new cannot be seen."""
    yield "", "data"


_JUDGES: Mapping[str, Callable[[Called, Seen], Touches]] = {
    "create_table": _create_table,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
    "add_column": _add_column,
    "drop_column": _drop_column,
    "alter_column": _alter_column,
    "create_index": _create_index,
    "drop_index": _drop_index,
    "create_unique_constraint": _constraint("unique", "index"),
    "create_check_constraint": _constraint("constraint", "long-lock"),
    "create_exclude_constraint": _constraint("constraint", "long-lock"),
    "create_foreign_key": _constraint("constraint", "foreign-key"),
    "create_primary_key": _constraint("change-key"),
    "drop_constraint": _drop_constraint,
    "execute": _execute,
    "bulk_insert": _bulk_insert,
}
