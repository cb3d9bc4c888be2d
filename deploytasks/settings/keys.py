"""What may be written below ``deploy:``, read from the models: each key with its type, its default and its sentence.

The sentence of a key is the docstring below its field, so the model is the only place where it stands.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from pydantic.fields import FieldInfo  # noqa: TC002  # a named tuple says what it holds

from .base import Value
from .environment import Application, Environment
from .kinds import GROUPS, KINDS, model
from .rollout import Rollout
from .secrets_manager import KeptSecret
from .ssh import SshAccess
from .type_words import default_word, type_word
from .variables import Variable

SHARED: Mapping[type[Value], str] = {SshAccess: "ssh", Variable: "variable", KeptSecret: "secret"}
"""Models that several sections have as a key → the heading under which they are described, once."""


class Key(NamedTuple):
    """One key of a section."""

    path: str
    """Below its section: ``counts.preset``; ``checks[].name`` for a key of each entry of a list."""
    type: str
    """In the words of docs/configuration.md: ``duration``, ``list``, ``one of `a`, `b```."""
    default: str
    """As YAML has it; ``required``, or ``not set``."""
    sentence: str
    """What it means, as Markdown; it names pages as ``docs/gates.md#windows``."""
    field: FieldInfo
    """The field of the model."""


def parts() -> dict[str, tuple[type[Value], ...]]:
    """Each part of the configuration as its heading, and the models whose keys it has."""
    return {
        "`deploy`": (Application,),
        "`deploy.environments.NAME`": (Environment, Rollout),
        **{f"`{group}`": (model(target),) for group, target in GROUPS.items()},
        **{f"`{name}`": (shared,) for shared, name in SHARED.items()},
        **{
            f"`{section}`, kind `{kind}`": (model(to),)
            for section, known in KINDS.items()
            for kind, to in known.items()
        },
    }


def keys(of: type[Value]) -> list[Key]:
    """The keys of a model and of the models in it, in their order. ``kind`` is none: it is how the model was chosen."""
    return [key for key in _flat(of, of, "") if key.path != "kind"]


def _flat(of: type[Value], top: type[Value], before: str) -> Iterator[Key]:
    for name, field in of.model_fields.items():
        inner, is_list = model_in(field.annotation)
        path = f"{before}{field.alias or name}"
        sentence = top.means.get(path) or sentences(of).get(name, "")
        if inner is None or inner in SHARED or is_list or field.default is None:
            yield Key(path, type_word(field), default_word(field), sentence, field)
        if inner is not None and inner not in SHARED:
            yield from _flat(inner, top, f"{path}{'[]' if is_list else ''}.")


def model_in(annotation: Any) -> tuple[type[Value] | None, bool]:
    """The settings model in an annotation, if there is one, and whether there may be many."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation, False
    found = [model_in(inner)[0] for inner in get_args(annotation)]
    is_list = any(get_origin(one) is tuple for one in (annotation, *get_args(annotation)))
    return next(filter(None, found), None), is_list


@cache
def sentences(of: type[Value]) -> dict[str, str]:
    """Field → its sentence, as Markdown. What a class says itself goes before what it inherits."""
    found: dict[str, str] = {}
    for one in reversed(of.__mro__):
        if issubclass(one, Value):
            found.update(_written_in(one))
    return found


def _written_in(one: type[Value]) -> Iterator[tuple[str, str]]:
    """The docstrings below the fields of one class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _text(below)
            if text is not None:
                yield field.target.id, text


def _text(statement: ast.stmt) -> str | None:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return None
    return re.sub(r"\s+", " ", str(statement.value.value)).replace("``", "`").strip()
