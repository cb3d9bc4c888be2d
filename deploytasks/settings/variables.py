"""What the application must find in its environment, and what may never be found in a release."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from .base import Value
from .environment import Text
from .web_access import VariableName

Length = Annotated[int, Field(ge=1, le=1_000_000)]
"""Characters."""
Format = Literal["text", "integer", "number", "boolean", "url", "host-port", "email", "json", "regex"]


class Variable(Value):
    """``{name: SECRET_KEY, secret: true, least: 32}``; a name alone says that it must be set."""

    name: VariableName
    """The name of the environment variable."""
    secret: bool = False
    """Whether its value is a secret: never shown, looked for in releases, another one in each environment."""
    format: Format = "text"
    """What the value must be: ``text``, ``integer``, ``number``, ``boolean``, ``url`` (with its scheme), ``host-port``,
    ``email``, ``json`` or ``regex``."""
    pattern: Text | None = None
    """A regular expression that the whole value must match."""
    least: Length | None = None
    """The shortest length, in characters."""
    most: Length | None = None
    """The greatest length, in characters."""
    allowed: tuple[str, ...] = ()
    """The only values that it may have; none: any."""
    forbidden: tuple[str, ...] = ()
    """Values that it must not have, in capitals or not: ``[true, 1]``, in quotes, for ``DEBUG``."""
    shared: bool = False
    """Whether other environments may have the same secret."""

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, given: str | None) -> str | None:
        try:
            re.compile(given or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return given

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"`least` {self.least} is more than `most` {self.most}")
        return self


def _in_short(given: Any) -> Any:
    """A name alone as a variable."""
    return {"name": given} if isinstance(given, str) else given


Declared = tuple[Annotated[Variable, BeforeValidator(_in_short)], ...]


class Variables(Value):
    """What the checklist knows of the application's environment."""

    required: Declared | None = None
    """The variables that must be there, each as under ``variable``, or its name alone. ``[]`` says that none is needed;
    while nothing is said, production asks for a signature."""
    optional: Declared = ()
    """Variables that may be missing, and must be well-formed where they are set."""
    file: Text | None = None
    """The file with the application's variables, such as ``.env.production``: lines of ``NAME=value``, quoted or not.
    What it does not have is looked for in ``fleet.environment``, then in the environment of whoever deploys. For a
    ``local`` fleet it is ``fleet.environment_file``, when nothing is said. Relative to the project."""
    shared: tuple[VariableName, ...] = ()
    """Variables named by a ``…_from`` key whose secret other environments may have as well. Those of ``store`` and of
    what is said for all environments always may."""
    leaks_allowed: tuple[Text, ...] = ()
    """Paths in the repository, as shell patterns, that may hold what looks secret: the keys of tests, above all. The
    value of a known secret is found there all the same."""

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        names = [one.name for one in (*(self.required or ()), *self.optional)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"declared twice: {', '.join(twice)}")
        return self
