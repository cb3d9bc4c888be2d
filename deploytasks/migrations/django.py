"""Which rules the operations of a Django migration touch.

https://docs.djangoproject.com/en/5.2/ref/migration-operations/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from . import fields, sql_judging
from .files import Source
from .python import Called, Code
from .rules import Finding
from .state import Model, State, after, is_atomic, key, listed, operations

_QUIET = frozenset({
    "CreateModel", "AlterModelOptions", "AlterModelManagers", "AlterModelTableComment", "RemoveIndex", "RenameIndex",
    "RemoveConstraint", "ValidateConstraint", "CreateCollation", "AlterConstraint",
})  # fmt: skip
"""Operations that the old release does not notice."""
_EXTENSIONS = "Extension"
"""How the names of PostgreSQL's extensions end (django.contrib.postgres.operations)."""


@dataclass(frozen=True)
class Seen:
    """What is known when an operation comes: the models for the release that serves users, and by now."""

    live: State
    now: State
    created: set[str] = field(default_factory=set)
    """Tables that the old release does not know, in lower case."""
    path: str = ""
    app: str = ""
    atomic: bool = True
    transactional: bool = True
    """Whether the database cannot do some things in a transaction."""

    def is_new(self, model: str) -> bool:
        """Whether the old release surely does not know a model's table, or migrations leave its table alone."""
        known = self.live.get(key(self.app, model))
        now = self.now.get(key(self.app, model))
        return (now is not None and now.has_no_table) or (known is None and self.table(model) in self.created)

    def table(self, model: str) -> str:
        """The name of a model's table."""
        now = self.now.get(key(self.app, model))
        given = now.options.get("db_table") if now else None
        return str(given or f"{self.app}_{model}").lower().strip('"')

    def model(self, name: str) -> Model | None:
        """A model as it is by now."""
        return self.now.get(key(self.app, name))

    def lacks(self, table: str, column: str) -> bool:
        """Whether the old release knows a table of this app, and surely not this column of it."""
        for (app, name), model in self.live.items():
            own = str(model.options.get("db_table") or f"{self.app}_{name}").lower().strip('"')
            if app == self.app.lower() and own == table:
                return model.is_whole and column not in {
                    one.column(field).lower() for field, one in model.fields.items() if not one.is_table
                }
        return False

    def never_had(self, model: str, column: str) -> bool:
        """Whether the old release surely does not know a field of a model that it knows."""
        known = self.live.get(key(self.app, model))
        return known is not None and known.lacks(column)


def judged(source: Source, seen: Seen) -> tuple[list[Finding], Seen]:
    """What the operations of one migration touch, and what is known afterwards."""
    seen = replace(seen, path=source.path, app=source.app, atomic=is_atomic(source.text))
    found: list[Finding] = []
    for one in operations(source.text):
        more, seen = _judged(one, seen)
        found += more
    return found, seen


def _judged(one: Called | int, seen: Seen) -> tuple[list[Finding], Seen]:
    if isinstance(one, int):
        return [Finding(seen.path, one, "an operation that is computed", "unread")], seen
    if one.name == "SeparateDatabaseAndState":
        return _separate(one, seen)
    return list(_found(one, seen)), _past(one, seen)


def _past(one: Called, seen: Seen) -> Seen:
    """What is known after an operation."""
    now = after(seen.now, seen.app, one)
    if one.name == "CreateModel":
        name = one.text(0, "name")
        seen.created.add(replace(seen, now=now).table(name))
    return replace(seen, now=now)


def _separate(one: Called, seen: Seen) -> tuple[list[Finding], Seen]:
    found: list[Finding] = []
    database = seen
    for inner in listed(one.argument(0, "database_operations"), one.line):
        more, database = _judged(inner, database)
        found += more
    return found, replace(seen, now=after(seen.now, seen.app, one))


def _found(one: Called, seen: Seen) -> Iterator[Finding]:
    if one.name in _QUIET or one.name.endswith(_EXTENSIONS):
        return
    judge = _JUDGES.get(one.name)
    if judge is None or not one.is_whole:
        yield Finding(seen.path, one.line, one.name, "unread")
        return
    yield from judge(one, seen)


def _of(one: Called, seen: Seen, what: str, *rules: str) -> Iterator[Finding]:
    for rule in rules:
        yield Finding(seen.path, one.line, f"{one.name} {what}".rstrip(), rule)


def _model_of(one: Called, seen: Seen, place: str = "model_name") -> tuple[str, str]:
    """A model's name, and how it is shown."""
    name = one.text(0, place)
    return name, f"{seen.app}.{name}"


# -- operations ------------------------------------------------------------------------------------


def _delete_model(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen, "name")
    if not (seen.is_new(name) or (seen.live and _is_gone(name, seen))):
        yield from _of(one, seen, shown, "drop-table")


def _is_gone(name: str, seen: Seen) -> bool:
    """Whether the old release knows the app, and has no such model any more: its state was removed before."""
    return key(seen.app, name) not in seen.live and any(app == seen.app.lower() for app, _ in seen.live)


def _rename_model(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen, "old_name")
    model = seen.model(name)
    if not seen.is_new(name) and not (model and model.options.get("db_table")):
        yield from _of(one, seen, shown, "rename-table")


def _alter_table(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen, "name")
    model, wanted = seen.model(name), one.value(1, "table")
    default = f"{seen.app}_{name}".lower()
    is_same = model is not None and str(wanted or default).lower() == seen.table(name)
    if not seen.is_new(name) and not is_same:
        yield from _of(one, seen, shown, "rename-table")


def _together(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen, "name")
    argument = "unique_together" if one.name == "AlterUniqueTogether" else "index_together"
    model, wanted = seen.model(name), one.value(1, argument)
    before = model.options.get(argument) if model else None
    if isinstance(wanted, Code) and wanted in ("set()", "frozenset()"):
        return
    if wanted and _sets(wanted) - _sets(before) and not seen.is_new(name):
        yield from _of(one, seen, shown, *(("unique", "index") if argument == "unique_together" else ("index",)))


def _sets(given: object) -> set[str]:
    """The groups of fields in such an option; a single group may stand there without its list."""
    if not isinstance(given, list | tuple):
        return set() if given is None else {str(given)}
    groups = given if any(isinstance(one, list | tuple) for one in given) else [given]
    return {",".join(map(str, one)) for one in groups if isinstance(one, list | tuple)}


def _order(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen, "name")
    if not seen.is_new(name):
        has_order = bool(one.value(1, "order_with_respect_to"))
        yield from _of(one, seen, shown, "add-column-default-dropped" if has_order else "drop-column")


def _add_field(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    column = one.text(1, "name")
    what = f"{shown}.{column}"
    made = fields.read(one.argument(2, "field"))
    if seen.is_new(name):
        return
    yield from _of(one, seen, what, *(("unread",) if made is None else fields.added(made)))


def _remove_field(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    column = one.text(1, "name")
    if not seen.is_new(name) and not seen.never_had(name, column):
        yield from _of(one, seen, f"{shown}.{column}", "drop-column")


def _rename_field(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    column, new = one.text(1, "old_name"), one.text(2, "new_name")
    model = seen.model(name)
    before = model.fields.get(column) if model else None
    is_same = before is not None and not before.is_table and before.column(column) == before.column(new)
    if not (seen.is_new(name) or seen.never_had(name, column) or is_same):
        yield from _of(one, seen, f"{shown}.{column}", "rename-column")


def _alter_field(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    column = one.text(1, "name")
    what = f"{shown}.{column}"
    model, wanted = seen.model(name), fields.read(one.argument(2, "field"))
    before = model.fields.get(column) if model else None
    if seen.is_new(name):
        return
    if before is None or wanted is None:
        yield from _of(one, seen, f"{what} (what it was before cannot be read)", "unread")
        return
    is_new = seen.never_had(name, column)
    yield from _of(one, seen, what, *fields.changed(column, before, wanted, is_new=is_new))


def _add_index(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    if not seen.is_new(name):
        yield from _of(one, seen, shown, "index")


def _concurrently(one: Called, seen: Seen) -> Iterator[Finding]:
    if seen.atomic:
        yield from _of(one, seen, one.text(0, "model_name"), "in-a-transaction")


def _add_constraint(one: Called, seen: Seen) -> Iterator[Finding]:
    name, shown = _model_of(one, seen)
    if seen.is_new(name):
        return
    given = one.value(1, "constraint")
    is_unique = isinstance(given, Code) and "UniqueConstraint" in given.partition("(")[0]
    is_unchecked = one.name == "AddConstraintNotValid"
    rules = ("unique", "index") if is_unique else ("constraint",) if is_unchecked else ("constraint", "long-lock")
    yield from _of(one, seen, shown, *rules)


def _run_python(one: Called, seen: Seen) -> Iterator[Finding]:
    code = one.value(0, "code")
    if not str(code).endswith("RunPython.noop"):
        yield from _of(one, seen, str(code), "data")


def _run_sql(one: Called, seen: Seen) -> Iterator[Finding]:
    texts = sql_of(one)
    if texts is None:
        yield from _of(one, seen, "with SQL that is computed", "unread")
        return
    for text in texts:
        atomic = seen.atomic and seen.transactional
        for touched in sql_judging.judged(text, seen.created, atomic=atomic, lacks=seen.lacks):
            yield Finding(seen.path, one.line, f"RunSQL {touched.what}", touched.rule)


def sql_of(one: Called) -> list[str] | None:
    """The SQL of a ``RunSQL``; ``None`` when it is no literal."""
    return sql_texts(one.value(0, "sql"))


def sql_texts(given: object) -> list[str] | None:
    """The texts in an argument of ``RunSQL``: one, or a list of texts and of pairs of text and parameters."""
    if isinstance(given, Code):
        return [] if given.endswith("RunSQL.noop") else None
    if isinstance(given, str):
        return [given]
    found: list[str] = []
    for one in given if isinstance(given, list | tuple) else (None,):
        text = one[0] if isinstance(one, list | tuple) and one else one
        if not isinstance(text, str) or isinstance(text, Code):
            return None
        found.append(text)
    return found


def _remove_collation(one: Called, seen: Seen) -> Iterator[Finding]:
    yield from _of(one, seen, one.text(0, "name"), "drop-object")


_JUDGES: Mapping[str, Callable[[Called, Seen], Iterator[Finding]]] = {
    "DeleteModel": _delete_model,
    "RenameModel": _rename_model,
    "AlterModelTable": _alter_table,
    "AlterUniqueTogether": _together,
    "AlterIndexTogether": _together,
    "AlterOrderWithRespectTo": _order,
    "AddField": _add_field,
    "RemoveField": _remove_field,
    "RenameField": _rename_field,
    "AlterField": _alter_field,
    "AddIndex": _add_index,
    "AddIndexConcurrently": _concurrently,
    "RemoveIndexConcurrently": _concurrently,
    "AddConstraint": _add_constraint,
    "AddConstraintNotValid": _add_constraint,
    "RunPython": _run_python,
    "RunSQL": _run_sql,
    "RemoveCollation": _remove_collation,
}
