"""Whether a migration can be taken back, as its tool sees it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from . import alembic, sql
from .files import Source
from .python import Called
from .state import listed, operations

_REVERSIBLE = frozenset({
    "CreateModel", "DeleteModel", "RenameModel", "AlterModelTable", "AlterModelTableComment", "AlterUniqueTogether",
    "AlterIndexTogether", "AlterOrderWithRespectTo", "AlterModelOptions", "AlterModelManagers", "AddField",
    "RemoveField", "AlterField", "RenameField", "AddIndex", "RemoveIndex", "RenameIndex", "AddConstraint",
    "RemoveConstraint", "AlterConstraint", "AddIndexConcurrently", "RemoveIndexConcurrently", "AddConstraintNotValid",
    "ValidateConstraint", "CreateCollation", "RemoveCollation",
})  # fmt: skip
"""Django's operations with ``reversible = True``, for whatever arguments."""


class WayBack(NamedTuple):
    """Whether a migration can be taken back; if not, why."""

    is_there: bool
    why: str = ""


def way_back(one: Source, texts: Mapping[str, str] | None = None) -> WayBack:
    """Whether a migration can be taken back. ``texts``: of the files that take SQL back, by their paths."""
    if one.kind == "django":
        stuck = [name for operation in operations(one.text) if (name := _stuck(operation))]
        return WayBack(not stuck, ", ".join(dict.fromkeys(stuck)))
    if one.kind == "alembic":
        return _downgrade(one)
    if one.kind == "sql":
        return _down(one, texts or {})
    return WayBack(False, "a file that cannot be read")


def _stuck(operation: Called | int) -> str:
    """The operation that has no way back; empty when it has one."""
    if isinstance(operation, int):
        return f"an operation that is computed (line {operation})"
    if operation.name == "SeparateDatabaseAndState":
        inner = listed(operation.argument(0, "database_operations"), operation.line)
        return ", ".join(name for one in inner if (name := _stuck(one)))
    if operation.name in _REVERSIBLE or operation.name.endswith("Extension"):
        return ""
    if operation.name == "RunPython":
        return "" if _is_given(operation, "reverse_code") else "RunPython without reverse_code"
    if operation.name == "RunSQL":
        return "" if _is_given(operation, "reverse_sql") else "RunSQL without reverse_sql"
    return f"{operation.name}, which is not known"


def _is_given(operation: Called, name: str) -> bool:
    return operation.value(1, name) is not None


def _downgrade(one: Source) -> WayBack:
    body, forward = alembic.function(one.text, "downgrade"), alembic.function(one.text, "upgrade")
    if body is None:
        return WayBack(False, "no downgrade()")
    if any(isinstance(line, ast.Raise) for line in body):
        return WayBack(False, "downgrade() raises")
    if _does_nothing(body) and not _does_nothing(forward or []):
        return WayBack(False, "downgrade() does nothing")
    return WayBack(True)


def _does_nothing(body: list[ast.stmt]) -> bool:
    quiet = ast.Pass | ast.Return
    return all(
        isinstance(one, quiet) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in body
    )


def _down(one: Source, texts: Mapping[str, str]) -> WayBack:
    up, down = sql.sections(one.text)
    if not sql.statements(up):
        return WayBack(True)
    if down is None and not one.down:
        return WayBack(False, "no SQL that takes it back")
    back = down if down is not None else texts.get(one.down, "")
    return WayBack(bool(sql.statements(back)), "the SQL that takes it back is empty")
