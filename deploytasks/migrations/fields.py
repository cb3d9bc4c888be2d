"""Django's fields as a migration writes them down, and what it means for others when one comes or changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .python import Code, called, literal

_VARCHAR: Mapping[str, int | None] = {
    "CharField": None, "CommaSeparatedIntegerField": None, "EmailField": 254, "SlugField": 50, "URLField": 200,
    "FileField": 100, "ImageField": 100, "FilePathField": 100,
}  # fmt: skip
"""Field → its length when none is said."""
_TEXTS = frozenset({"TextField"})
_BYTES: Mapping[str, int] = {
    "SmallIntegerField": 2, "PositiveSmallIntegerField": 2, "IntegerField": 4, "PositiveIntegerField": 4,
    "BigIntegerField": 8, "PositiveBigIntegerField": 8,
    "SmallAutoField": 2, "AutoField": 4, "BigAutoField": 8,
}  # fmt: skip
_RELATIONS = frozenset({"ForeignKey", "OneToOneField", "ParentalKey"})
_NOT_IN_THE_DATABASE = frozenset({
    "blank", "choices", "editable", "error_messages", "help_text", "limit_choices_to", "on_delete", "related_name",
    "related_query_name", "validators", "verbose_name", "default", "auto_now", "auto_now_add", "auto_created",
    "serialize", "upload_to", "storage", "db_comment", "allow_unicode", "protocol", "unpack_ipv4", "encoder", "decoder",
    "db_tablespace", "parent_link", "swappable", "width_field", "height_field", "path", "match", "recursive",
    "allow_files", "allow_folders", "preserve_default", "to_field",
})  # fmt: skip
"""Options that change nothing in the schema (django/db/backends/base/schema.py, ``_field_should_be_altered``)."""
_COMPARED = frozenset({
    "null", "unique", "primary_key", "db_index", "db_column", "db_default", "db_collation", "db_constraint",
    "max_length", "max_digits", "decimal_places", "to",
})  # fmt: skip
"""Options that are compared one by one."""


class Field(NamedTuple):
    """A field: its class, and its options as literals or ``Code``."""

    kind: str
    options: Mapping[str, object]

    @property
    def is_table(self) -> bool:
        """Whether it is a table of its own, and no column."""
        return self.kind == "ManyToManyField"

    @property
    def is_relation(self) -> bool:
        """Whether it refers to another table."""
        return self.kind in _RELATIONS

    @property
    def is_key(self) -> bool:
        """Whether it is the primary key."""
        return self.options.get("primary_key") is True

    @property
    def is_null(self) -> bool:
        """Whether it may be null."""
        return self.options.get("null") is True

    @property
    def is_unique(self) -> bool:
        """Whether no two rows may have the same."""
        return self.options.get("unique") is True or self.kind == "OneToOneField" or self.is_key

    @property
    def has_index(self) -> bool:
        """Whether it has an index, unique ones left aside."""
        default = self.kind in _RELATIONS or self.kind == "SlugField"
        return bool(self.options.get("db_index", default)) and not self.is_unique

    @property
    def is_filled_in(self) -> bool:
        """Whether the database itself fills it in."""
        return "db_default" in self.options or self.kind == "GeneratedField"

    def column(self, name: str) -> str:
        """What its column is called."""
        given = self.options.get("db_column")
        return str(given) if given else f"{name}_id" if self.is_relation else name


def read(node: ast.expr | None) -> Field | None:
    """The field that a call makes; ``None`` when it is none."""
    call = called(node) if node is not None else None
    if call is None or not call.is_whole:
        return None
    options = {name: literal(value) for name, value in call.options.items()}
    if call.arguments and call.name in (*_RELATIONS, "ManyToManyField"):
        options["to"] = literal(call.arguments[0])
    return Field(call.name, options)


def added(field: Field) -> Iterator[str]:
    """The rules that a new field touches in a table which others already write to."""
    if field.is_table:
        return
    if field.is_key:
        yield "change-key"
    elif not field.is_null and not field.is_filled_in:
        yield "add-column-default-dropped" if _has_default(field) else "add-required-column"
    if field.is_unique or field.has_index:
        yield "index"
    if field.is_relation and field.options.get("db_constraint") is not False:
        yield "foreign-key"
    if _is_computed_for_each_row(field):
        yield "rewrite"


def changed(name: str, old: Field, new: Field, *, is_new: bool) -> Iterator[str]:
    """The rules that a change of a field touches. ``is_new``: the old release does not know the column, and writes
    rows without it."""
    if old.is_table or new.is_table:
        if old.is_table != new.is_table:
            yield "change-type"
        return
    yield from _retyped(old, new, is_new=is_new)
    if old.column(name) != new.column(name) and not is_new:
        yield "rename-column"
    if old.is_key != new.is_key:
        yield "change-key"
    if old.is_null and not new.is_null and not (is_new and new.is_filled_in):
        yield "set-not-null"
    if old.is_filled_in and not new.is_filled_in and not new.is_null:
        yield "drop-default"
    if new.is_unique and not old.is_unique:
        yield "unique"
    if new.has_index and not old.has_index:
        yield "index"
    if new.is_relation and old.options.get("db_constraint") is False and new.options.get("db_constraint") is not False:
        yield "constraint"


def _retyped(old: Field, new: Field, *, is_new: bool) -> Iterator[str]:
    rule = _type(old, new)
    if rule is not None and not (is_new and rule in ("narrow-type", "change-type", "retype")):
        yield rule


def _type(old: Field, new: Field) -> str | None:
    if old.kind in _BYTES and new.kind in _BYTES:
        return _number(old, new)
    if old.kind in (*_VARCHAR, *_TEXTS) and new.kind in (*_VARCHAR, *_TEXTS):
        return "narrow-type" if _length(new) < _length(old) else _collation(old, new)
    if old.is_relation and new.is_relation:
        return "change-type" if str(old.options.get("to")).lower() != str(new.options.get("to")).lower() else None
    if old.kind != new.kind:
        return "change-type"
    if old.kind == "DecimalField":
        return _decimal(old, new)
    return "retype" if _own(old) != _own(new) else _collation(old, new)


def _number(old: Field, new: Field) -> str | None:
    is_auto = "Auto" in old.kind, "Auto" in new.kind
    if is_auto[0] != is_auto[1]:
        return "change-type"
    if _BYTES[new.kind] < _BYTES[old.kind] or ("Positive" in new.kind and "Positive" not in old.kind):
        return "narrow-type"
    return "rewrite" if _BYTES[new.kind] > _BYTES[old.kind] else None


def _decimal(old: Field, new: Field) -> str | None:
    digits, places = (tuple(one.options.get(name) for one in (old, new)) for name in ("max_digits", "decimal_places"))
    if not all(isinstance(one, int) for one in (*digits, *places)):
        return None if _own(old) == _own(new) and digits[0] == digits[1] and places[0] == places[1] else "retype"
    before, after = int(str(digits[0])) - int(str(places[0])), int(str(digits[1])) - int(str(places[1]))
    if after < before or int(str(places[1])) < int(str(places[0])):
        return "narrow-type"
    return "rewrite" if places[0] != places[1] else None


def _length(field: Field) -> float:
    given = None if field.kind in _TEXTS else field.options.get("max_length", _VARCHAR[field.kind])
    return given if isinstance(given, int) else float("inf") if given is None else -1


def _collation(old: Field, new: Field) -> str | None:
    return "retype" if old.options.get("db_collation") != new.options.get("db_collation") else None


def _own(field: Field) -> dict[str, object]:
    """Options that only this kind of field understands."""
    known = _NOT_IN_THE_DATABASE | _COMPARED
    return {name: value for name, value in field.options.items() if name not in known}


def _has_default(field: Field) -> bool:
    names = ("default", "auto_now", "auto_now_add")
    return any(name in field.options for name in names)


def _is_computed_for_each_row(field: Field) -> bool:
    """Whether PostgreSQL has to write each row anew: a stored generated column, or a default that is volatile."""
    if field.kind == "GeneratedField":
        return field.options.get("db_persist") is not False
    default = field.options.get("db_default")
    return isinstance(default, Code) and any(word in default for word in ("Random", "UUID", "NextVal", "Func("))
