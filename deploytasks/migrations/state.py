"""The models as a sequence of Django's migrations leaves them, as far as that can be read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .fields import Field, read
from .files import Source
from .python import Called, called, elements, literal, parsed

Key = tuple[str, str]
"""App label and model name, in lower case."""


class Model(NamedTuple):
    """A model. ``is_whole``: whether all of its fields could be read."""

    name: str
    fields: Mapping[str, Field]
    options: Mapping[str, object]
    is_whole: bool = True

    def lacks(self, field: str) -> bool:
        """Whether it surely has no such field."""
        return self.is_whole and field not in self.fields

    @property
    def has_no_table(self) -> bool:
        """Whether migrations leave the database alone: a proxy, or a model that something else manages."""
        return self.options.get("managed") is False or self.options.get("proxy") is True


State = Mapping[Key, Model]


def operations(text: str, name: str = "operations") -> list[Called | int]:
    """The operations of a migration's module; the number of its line for each that is computed."""
    for one in parsed(text).body:
        if isinstance(one, ast.ClassDef) and one.name == "Migration":
            for line in one.body:
                given = _value_of(line, name)
                if given is not None:
                    return listed(given, line.lineno)
    return []


def listed(node: ast.expr | None, line: int) -> list[Called | int]:
    """The operations in a list."""
    if node is None:
        return []
    found = [(one, called(one) if one is not None else None) for one in elements(node)]
    return [call if call is not None else getattr(one, "lineno", line) for one, call in found]


def is_atomic(text: str) -> bool:
    """Whether the migration runs in a transaction."""
    for one in parsed(text).body:
        if isinstance(one, ast.ClassDef) and one.name == "Migration":
            for line in one.body:
                given = _value_of(line, "atomic")
                if given is not None:
                    return literal(given) is not False
    return True


def state_of(migrations: Iterable[Source]) -> State:
    """The models after these migrations."""
    state: State = {}
    for one in migrations:
        if one.kind == "django":
            for operation in operations(one.text):
                if isinstance(operation, Called):
                    state = after(state, one.app, operation)
    return state


def after(state: State, app: str, operation: Called) -> State:
    """The models after one more operation; one that is not known changes none."""
    if operation.name == "SeparateDatabaseAndState":
        for inner in listed(operation.argument(1, "state_operations"), operation.line):
            state = after(state, app, inner) if isinstance(inner, Called) else state
        return state
    change = _CHANGES.get(operation.name)
    return change(state, app, operation) if change else state


def key(app: str, model: str) -> Key:
    """The key of a model."""
    return app.lower(), model.lower()


# -- how -------------------------------------------------------------------------------------------


def _value_of(line: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(line, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in line.targets):
        return line.value
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id == name:
        return line.value
    return None


def _create(state: State, app: str, call: Called) -> State:
    name = call.text(0, "name")
    fields: dict[str, Field] = {}
    is_whole = call.is_whole
    for one in elements(call.argument(1, "fields")):
        pair = one.elts if isinstance(one, ast.Tuple) and len(one.elts) == 2 else None
        field = read(pair[1]) if pair else None
        title = literal(pair[0]) if pair else None
        if field is None or not isinstance(title, str):
            is_whole = False
        else:
            fields[title] = field
    given = call.value(2, "options", {})
    options = given if isinstance(given, Mapping) else {}
    return {**state, key(app, name): Model(name, fields, options, is_whole)}


def _delete(state: State, app: str, call: Called) -> State:
    gone = key(app, call.text(0, "name"))
    return {known: model for known, model in state.items() if known != gone}


def _rename(state: State, app: str, call: Called) -> State:
    old, new = call.text(0, "old_name"), call.text(1, "new_name")
    model = state.get(key(app, old))
    if model is None:
        return state
    rest = {known: one for known, one in state.items() if known != key(app, old)}
    return {**rest, key(app, new): model._replace(name=new)}


def _put(state: State, app: str, call: Called) -> State:
    model = state.get(key(app, call.text(0, "model_name")))
    if model is None:
        return state
    field, name = read(call.argument(2, "field")), call.text(1, "name")
    if field is None or not name:
        return _with(state, app, model._replace(is_whole=False))
    return _with(state, app, model._replace(fields={**model.fields, name: field}))


def _remove(state: State, app: str, call: Called) -> State:
    model = state.get(key(app, call.text(0, "model_name")))
    if model is None:
        return state
    gone = call.text(1, "name")
    return _with(state, app, model._replace(fields={name: one for name, one in model.fields.items() if name != gone}))


def _rename_field(state: State, app: str, call: Called) -> State:
    model = state.get(key(app, call.text(0, "model_name")))
    if model is None:
        return state
    old, new = call.text(1, "old_name"), call.text(2, "new_name")
    fields = {new if name == old else name: one for name, one in model.fields.items()}
    return _with(state, app, model._replace(fields=fields))


def _options(state: State, app: str, call: Called) -> State:
    model = state.get(key(app, call.text(0, "name")))
    if model is None:
        return state
    names = {"AlterModelTable": ("table", "db_table"), "AlterUniqueTogether": ("unique_together", "unique_together")}
    names["AlterIndexTogether"] = ("index_together", "index_together")
    if call.name in names:
        given, name = names[call.name]
        return _with(state, app, model._replace(options={**model.options, name: call.value(1, given)}))
    given_options = call.value(1, "options", {})
    more = given_options if isinstance(given_options, Mapping) else {}
    kept = {name: value for name, value in model.options.items() if name != "managed" or name in more}
    return _with(state, app, model._replace(options={**kept, **more}))


def _with(state: State, app: str, model: Model) -> State:
    return {**state, key(app, model.name): model}


_CHANGES: Mapping[str, Callable[[State, str, Called], State]] = {
    "CreateModel": _create,
    "DeleteModel": _delete,
    "RenameModel": _rename,
    "AddField": _put,
    "AlterField": _put,
    "RemoveField": _remove,
    "RenameField": _rename_field,
    "AlterModelTable": _options,
    "AlterModelOptions": _options,
    "AlterUniqueTogether": _options,
    "AlterIndexTogether": _options,
}
