"""Reading Python without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple


class Code(str):
    """What is no literal: its source."""

    __slots__ = ()


class Called(NamedTuple):
    """A call: the name without what stands before it, the arguments, and where it is."""

    name: str
    owner: str
    """What stands before the name: ``migrations`` of ``migrations.AddField``."""
    arguments: tuple[ast.expr, ...]
    options: dict[str, ast.expr]
    line: int
    is_whole: bool = True
    """Whether all arguments stand there: neither ``*`` nor ``**``."""

    def argument(self, place: int, name: str) -> ast.expr | None:
        """An argument by its place or its name."""
        return self.arguments[place] if place < len(self.arguments) else self.options.get(name)

    def value(self, place: int, name: str, default: object = None) -> object:
        """The literal that an argument is, or its ``Code``; the default when it is not there."""
        found = self.argument(place, name)
        return default if found is None else literal(found)

    def text(self, place: int, name: str) -> str:
        """An argument that is a literal text; else empty."""
        found = self.value(place, name)
        return found if isinstance(found, str) and not isinstance(found, Code) else ""


def parsed(text: str) -> ast.Module:
    """The module. Raises ``SyntaxError`` for what is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in somebody's migration is no matter of ours
        try:
            return ast.parse(text)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error)) from error


def literal(node: ast.expr) -> object:
    """The value of a literal; of anything else its source, as ``Code``. Lists and tuples hold such values."""
    if isinstance(node, ast.Tuple):
        return tuple(literal(one) for one in node.elts)
    if isinstance(node, ast.List | ast.Set):
        return [literal(one) for one in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {str(literal(key)): literal(one) for key, one in zip(node.keys, node.values, strict=True) if key}
    try:
        found: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return Code(ast.unparse(node))
    return found


def called(node: ast.AST) -> Called | None:
    """The call that a node is."""
    if not isinstance(node, ast.Call):
        return None
    owner, _, name = ast.unparse(node.func).rpartition(".")
    is_whole = not any(isinstance(one, ast.Starred) for one in node.args) and all(one.arg for one in node.keywords)
    options = {one.arg: one.value for one in node.keywords if one.arg}
    return Called(name, owner, tuple(node.args), options, node.lineno, is_whole)


def elements(node: ast.expr | None) -> Iterator[ast.expr | None]:
    """The elements of a list, a tuple, or of several that are added; ``None`` for what is computed."""
    if isinstance(node, ast.List | ast.Tuple):
        for one in node.elts:
            yield from elements(one.value) if isinstance(one, ast.Starred) else (one,)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from elements(node.left)
        yield from elements(node.right)
    else:
        yield None
