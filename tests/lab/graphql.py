"""As much of GraphQL as is needed to answer honestly: one operation, variables, aliases, arguments, selections.

What is not understood is refused, so that nothing is sent that no test has understood: no fragments, no directives, and
arguments that are variables only, since values written into a document are how injections begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<variable>\$[A-Za-z_]\w*)|(?P<mark>[{}()\[\]:,!=]))")


class NotGraphQL(Exception):
    """What is wrong with a document."""


@dataclass
class Field:
    """One field of a selection. ``arguments``: name → name of the variable."""

    name: str
    alias: str
    arguments: dict[str, str] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)


@dataclass
class Operation:
    """``kind``: ``query`` or ``mutation``. ``variables``: name → type, as it is written."""

    kind: str
    variables: dict[str, str]
    fields: list[Field]


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise NotGraphQL(f"syntax error before: {text[at : at + 20]!r}")
            self.tokens.append(found.group().strip())
            at = found.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        found = self.peek()
        if not found or (wanted and found != wanted):
            raise NotGraphQL(f"syntax error before: {found!r}, expected {wanted or 'more'!r}")
        self.at += 1
        return found

    def name(self) -> str:
        found = self.take()
        if not re.fullmatch(r"[A-Za-z_]\w*", found):
            raise NotGraphQL(f"syntax error before: {found!r}, expected a name")
        return found

    def variable(self) -> str:
        found = self.take()
        if not found.startswith("$"):
            raise NotGraphQL(f"a value is written out where a variable belongs: {found!r}")
        return found[1:]

    def has(self, mark: str) -> bool:
        if self.peek() == mark:
            self.at += 1
            return True
        return False


def parse(text: str) -> Operation:
    """The one operation of a document. Raises ``NotGraphQL``."""
    reader = _Reader(text)
    kind = reader.name()
    if kind not in ("query", "mutation"):
        raise NotGraphQL(f"neither a query nor a mutation: {kind}")
    variables: dict[str, str] = {}
    if reader.has("("):
        while not reader.has(")"):
            name = reader.variable()
            reader.take(":")
            variables[name] = reader.name() + ("!" if reader.has("!") else "")
            reader.has(",")
    fields = _fields(reader)
    if reader.peek():
        raise NotGraphQL(f"something follows the operation: {reader.peek()!r}")
    return Operation(kind, variables, fields)


def _fields(reader: _Reader) -> list[Field]:
    reader.take("{")
    found: list[Field] = []
    while not reader.has("}"):
        found.append(_field(reader))
        reader.has(",")
    if not found:
        raise NotGraphQL("an empty selection")
    names = [each.alias for each in found]
    if len(set(names)) < len(names):
        raise NotGraphQL("two fields of one name conflict: use aliases")
    return found


def _field(reader: _Reader) -> Field:
    alias = name = reader.name()
    if reader.has(":"):
        name = reader.name()
    made = Field(name, alias)
    if reader.has("("):
        while not reader.has(")"):
            argument = reader.name()
            reader.take(":")
            made.arguments[argument] = reader.variable()
            reader.has(",")
    if reader.peek() == "{":
        made.fields = _fields(reader)
    return made


SCALARS: dict[str, Any] = {"Int": int, "Seconds": int, "String": str, "Nrql": str, "EpochMilliseconds": int}
"""What a variable's value is, by its type. ``Seconds`` are whole ones."""


def is_of(value: Any, type_: str) -> bool:
    """Whether a value is of a scalar type; ``null`` where there is no ``!``."""
    if value is None:
        return not type_.endswith("!")
    wanted = SCALARS.get(type_.rstrip("!"))
    return wanted is None or (isinstance(value, wanted) and not isinstance(value, bool))


def check(operation: Operation, variables: Mapping[str, Any], known: Mapping[str, Mapping[str, str]]) -> None:
    """Variables are declared, given, of their types and used where a field has an argument of that type. ``known``:
    field → argument → type. Raises ``NotGraphQL``."""
    if set(variables) != set(operation.variables):
        raise NotGraphQL(f"variables {sorted(variables)} were given, {sorted(operation.variables)} are declared")
    for name, kind in operation.variables.items():
        if not is_of(variables[name], kind):
            raise NotGraphQL(f"${name} is no {kind}: {variables[name]!r}")
    used: set[str] = set()
    for each in _every(operation.fields):
        used.update(each.arguments.values())
        _fits(each, operation.variables, known.get(each.name, {}))
    if unused := set(operation.variables) - used:
        raise NotGraphQL(f"declared and unused: {sorted(unused)}")


def _every(fields: Sequence[Field]) -> Iterator[Field]:
    for each in fields:
        yield each
        yield from _every(each.fields)


def _fits(of: Field, declared: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    for argument, variable in of.arguments.items():
        if variable not in declared or declared[variable].rstrip("!") != wanted.get(argument, "").rstrip("!"):
            raise NotGraphQL(f"{of.name}({argument}: ${variable}) is not what it takes")
    if missing := [name for name, kind in wanted.items() if kind.endswith("!") and name not in of.arguments]:
        raise NotGraphQL(f"{of.name} needs {missing}")


def selected(found: Any, fields: Sequence[Field]) -> Any:
    """What was asked for of an object or a list of them. Raises ``NotGraphQL`` for a field that is not there."""
    if isinstance(found, list) and fields:
        return [selected(each, fields) for each in found]
    if not fields:
        return found
    for each in fields:
        if each.name not in found:
            raise NotGraphQL(f"Cannot query field {each.name!r}")
    return {each.alias: selected(found[each.name], each.fields) for each in fields}
