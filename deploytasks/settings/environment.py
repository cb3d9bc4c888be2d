"""What an application and an environment say about themselves, before any provider is asked."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import Duration, Value


def safe_name(name: str) -> str:
    """The name itself, or ``ValueError`` when it would not do as a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        raise ValueError(f"{name!r} must be letters, digits, - and _, beginning with a letter or a digit")
    return name


Name = Annotated[str, AfterValidator(safe_name)]
"""A name that is safe as a folder, as a key and in a message."""
Text = Annotated[str, Field(min_length=1)]
"""Anything but nothing."""


class Application(Value):
    """The keys directly below ``deploy:``."""

    application: Name
    """The name in the ledger, in messages and on the hosts: letters, digits, ``-`` and ``_``."""
    source: Text = "."
    """The folder that becomes the release; relative to the project."""
    state: Text = ".deploy"
    """The folder for what must be remembered on this machine. It belongs into ``.gitignore``. Relative to the
    project."""
    tests: Text | None = None
    """The command of ``inv test``, run in the folder of ``tasks.py``. Only ``{python}`` is filled in here."""
    tag_prefix: str = "v"
    """What a version tag in git begins with."""


class Environment(Value):
    """The keys of an environment that every task needs."""

    protected: bool = False
    """Whether a change asks for consent: typed at a terminal, or ``--yes``."""
    dirty: bool = False
    """Whether a work tree with uncommitted changes may be deployed."""
    parallel: Annotated[int, Field(ge=1, le=256)] = 8
    """How many hosts are worked on, or asked, at once."""
    lease: Annotated[Duration, Field(ge=2, le=3600)] = 60.0
    """Time after which a deployer that shows no life loses the environment; it shows some four times in that."""
    keep_releases: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many releases stay on the hosts. A current one and the one before it always stay."""
    strategy: Literal["stages", "ecs-native"] = "stages"
    """Who moves the traffic of a deployment: ``stages``, we do; ``ecs-native``, ECS does by itself, judged by us:
    docs/ecs.md#handing-the-rollout-to-ecs."""
