"""docs/configuration.md says what deploytasks/settings says."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import pytest
import yaml
from pages import ROOT, headings, rows, table
from pydantic import TypeAdapter

from deploytasks.settings.base import Value, fraction, seconds
from deploytasks.settings.environment import Application, Environment
from deploytasks.settings.kinds import DEFAULTS, GROUPS, KINDS, REQUIRED, model
from deploytasks.settings.rollout import Rollout
from deploytasks.settings.secrets_manager import KeptSecret
from deploytasks.settings.ssh import SshAccess
from deploytasks.settings.variables import Variable

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PAGE = ROOT / "docs" / "configuration.md"

MODELS: dict[str, tuple[type[Value], ...]] = {
    "`deploy`": (Application,),
    "`deploy.environments.NAME`": (Environment, Rollout),
    **{f"`{group}`": (model(target),) for group, target in GROUPS.items()},
    "`ssh`": (SshAccess,),
    "`variable`": (Variable,),
    "`secret`": (KeptSecret,),
    **{f"`{section}`, kind `{kind}`": (model(target),) for section in KINDS for kind, target in KINDS[section].items()},
}
"""Heading → the models whose keys are described below it."""

SHARED: tuple[type[Value], ...] = (SshAccess, Variable, KeptSecret)
"""Models that several sections have as a key: described once, below a heading of their own."""

NOT_IN_A_MODEL = {("`deploy`", "environments")}


class Key(NamedTuple):
    """A key as the models have it."""

    heading: str
    path: str
    field: FieldInfo


def flat(heading: str, of: type[Value], before: str = "") -> Iterator[Key]:
    """The keys of a model and of the models in it. ``kind`` has its line in the heading."""
    for name, field in of.model_fields.items():
        inner, is_list = _model_in(field.annotation)
        path = f"{before}{field.alias or name}"
        if inner is None or inner in SHARED or is_list or field.default is None:
            yield Key(heading, path, field)
        if inner is not None and inner not in SHARED:
            yield from flat(heading, inner, f"{path}{'[]' if is_list else ''}.")


def _model_in(annotation: Any) -> tuple[type[Value] | None, bool]:
    """The settings model in an annotation, if there is one, and whether there may be many."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation, False
    found = [_model_in(inner)[0] for inner in get_args(annotation)]
    is_list = any(get_origin(one) is tuple for one in (annotation, *get_args(annotation)))
    return next(filter(None, found), None), is_list


KEYS = [key for heading, models in MODELS.items() for of in models for key in flat(heading, of) if key.path != "kind"]
BY_NAME = {(key.heading, key.path): key for key in KEYS}


def written() -> dict[tuple[str, str], tuple[str, ...]]:
    """The lines of the page: (heading, key) → type, default, meaning."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for heading, cells in _tables():
        assert (heading, cells[0]) not in found, f"twice: {cells[0]} under {heading}"
        found[heading, cells[0].strip("`")] = cells[1:]
    return found


def _tables() -> Iterator[tuple[str, tuple[str, ...]]]:
    return ((row.heading, row.cells) for row in rows(PAGE) if len(row.cells) == 4 and row.heading in MODELS)


def test_every_model_has_its_heading() -> None:
    """No part of the configuration is missing on the page, and none is there that the models do not know."""
    parts = [heading for heading in headings(PAGE) if heading.startswith("`")]
    assert sorted(MODELS) == sorted(parts)


def test_every_key_has_a_line_and_every_line_a_key() -> None:
    """The page has exactly the keys that the models have."""
    assert sorted({*BY_NAME, *NOT_IN_A_MODEL}) == sorted(written())


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.heading} {key.path}")
def test_defaults_are_equal(key: Key) -> None:
    """What the page calls a default is what the model takes when nothing is said."""
    default = written()[key.heading, key.path][1]
    if default in ("required", "not set"):
        expected = "required" if key.field.is_required() else "not set" if key.field.default is None else None
        assert expected == default
        return
    assert not key.field.is_required()
    assert key.field.default == _validated(key.field, yaml.safe_load(default.strip("`")))


def _validated(field: FieldInfo, given: object) -> object:
    """What a field makes of what was given."""
    annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    return adapter.validate_python(given)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.heading} {key.path}")
def test_types_are_right(key: Key) -> None:
    """The page calls a duration what takes `90s`, a share what takes `2%`, a list what takes a list."""
    assert _kinds(key.field) >= {written()[key.heading, key.path][0]}


TEXTS = {"text", "path", "command", "address", "URL", "page"}
WORDS = {bool: "true or false", int: "whole number", float: "number", tuple: "list", Mapping: "map"}


def _kinds(field: FieldInfo) -> set[str]:
    """The words that the page may use for a field's type."""
    readers = [getattr(one, "func", None) for one in (*field.metadata, *_metadata_in(field.annotation))]
    bare = _bare(field.annotation)
    if seconds in readers:
        return {"duration"}
    if fraction in readers:
        return {"share"}
    if issubclass(bare, Value):
        return {"map"}
    return {WORDS[bare]} if bare in WORDS else TEXTS


def _metadata_in(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        yield from _metadata_in(annotation.__origin__)
    elif get_origin(annotation) in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _metadata_in(inner)


def _bare(annotation: Any) -> type:
    """The type without its conditions, and without `or nothing`."""
    if get_origin(annotation) is Annotated:
        return _bare(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(inner for inner in get_args(annotation) if inner is not type(None)))
    return str if get_origin(annotation) is Literal else get_origin(annotation) or annotation


def test_sections_are_as_they_are_loaded() -> None:
    """The table of sections says what is needed and which kinds there are."""
    lines = {line[0].strip("`"): line[1:3] for line in table(PAGE, "section", "needed", "kinds", "without it")}
    expected = {
        section: ("yes" if section in REQUIRED else "no", ", ".join(f"`{kind}`" for kind in sorted(known)))
        for section, known in KINDS.items()
    }
    assert expected == lines


def test_the_default_store_is_named() -> None:
    """A section that is needed and need not be written says what it is then."""
    lines = {line[0].strip("`"): line[3] for line in table(PAGE, "section", "needed", "kinds", "without it")}
    for section, default in DEFAULTS.items():
        assert default == yaml.safe_load(lines[section].removeprefix("it is ").strip("`"))


def test_every_placeholder_is_named() -> None:
    """What a command may name in braces stands in the table of words."""
    from deploytasks.settings.hosts import PLACEHOLDERS

    (meaning,) = [line[1] for line in table(PAGE, "word", "what may be written") if line[0] == "command"]
    assert set() == {f"{{{name}}}" for name in PLACEHOLDERS} - set(meaning.replace("`", " ").replace(",", " ").split())
