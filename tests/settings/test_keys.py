"""The keys of the configuration, in words: types, bounds, defaults, sentences."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
import yaml
from pydantic import Field, TypeAdapter

from deploytasks.settings.base import Duration, Fraction, Value
from deploytasks.settings.keys import Key, keys, parts
from deploytasks.settings.ssh import AS_SSH_DOES, SshAccess

KEYS = [(heading, key) for heading, models in parts().items() for of in models for key in keys(of)]


class Inner(Value):
    """A part."""

    often: Annotated[int, Field(ge=1, le=9)] = 3
    """How ``often``,
    in words."""


class Outer(Inner):
    """A section."""

    means: ClassVar[dict[str, str]] = {"often": "Here: seldom.", "entries[].often": "In a list."}
    kind: str = "x"
    within: Annotated[Duration, Field(gt=0, le=5400)] = 90.0
    """How long."""
    share: Fraction | None = None
    """How much."""
    name: Annotated[str, Field(alias="from")]
    """Its name."""
    entries: tuple[Inner, ...] = ()
    """Several."""
    one: Inner = Inner()
    ssh: SshAccess = AS_SSH_DOES
    """How."""


def test_keys_of_a_model() -> None:
    """In their order, those of inner models below their own; what is inherited may mean something of its own."""
    assert [
        ("often", "whole number, 1 to 9", "`3`", "Here: seldom."),
        ("within", "duration, more than 0s to 90m", "`90s`", "How long."),
        ("share", "share", "not set", "How much."),
        ("from", "text", "required", "Its name."),
        ("entries", "list", "`[]`", "Several."),
        ("entries[].often", "whole number, 1 to 9", "`3`", "In a list."),
        ("one.often", "whole number, 1 to 9", "`3`", "How `often`, in words."),
        ("ssh", "map", "`{}`", "How."),
    ] == [(key.path, key.type, key.default, key.sentence) for key in keys(Outer)]


@pytest.mark.parametrize(("heading", "key"), KEYS, ids=lambda one: one.path if isinstance(one, Key) else one)
def test_a_default_can_be_written_as_it_is_shown(heading: str, key: Key) -> None:
    """Whoever copies a default from the reference into the file gets the default."""
    if key.default in ("required", "not set"):
        assert (key.default == "required") == key.field.is_required()
        return
    read = yaml.safe_load(key.default.strip("`"))
    assert key.field.default == _validated(key, read), f"{heading} {key.path}"


def _validated(key: Key, given: object) -> object:
    of = key.field
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[of.annotation, *of.metadata] if of.metadata else of.annotation)
    return adapter.validate_python(given)
