"""What every fleet of hosts needs to know to run an application in two colors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ..ports import COLORS, Color
from .base import Duration, Value

PLACEHOLDERS = ("python", "port", "host", "release", "version", "color", "shared", "log", "root")
"""What a command or an environment value may name in braces. Double braces are left alone: ``{{name}}``."""

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}|(?<!\$)\{(\w+)\}")
"""A doubled placeholder, or one to fill in. ``${NAME}`` is the shell's."""

RESERVED = ("PORT", "COLOR", "RELEASE", "VERSION")
"""Environment variables that we set ourselves."""

_WITHOUT_UNIT = ("restart", "stop", "running")
_SUPERVISED = ("service", *_WITHOUT_UNIT, "last_words")

Address = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$")]
"""``host:port``."""


def unknown_placeholders(template: str) -> list[str]:
    """The names in braces that we cannot fill in."""
    names = [match.group(2) for match in PLACEHOLDER.finditer(template) if match.group(2)]
    return [name for name in names if name not in PLACEHOLDERS]


def checked(template: str) -> str:
    """The template as it is. Raises ``ValueError`` when it names what we cannot fill in."""
    unknown = unknown_placeholders(template)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"{{{unknown[0]}}} is no placeholder (double the braces to keep it); known: {known}")
    return template


OnHost = Annotated[str, Field(min_length=1), AfterValidator(checked)]
"""A command or a name with placeholders."""


def _both(given: Mapping[Color, int]) -> Mapping[Color, int]:
    missing = [color for color in COLORS if color not in given]
    if missing:
        raise ValueError(f"the port of {missing[0]} is missing")
    return given


Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[Mapping[Color, Port], AfterValidator(_both)]
"""``{blue: 8101, green: 8102}``."""


def as_text(given: object) -> object:
    """A number that may be a share as well: ``2`` is ``"2"``, as ``25%`` is a text."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def batch_size(batch: str, hosts: int) -> int:
    """How many of so many hosts one batch has: ``25%`` of them, rounded down, or a number; at least 1.

    Raises ``ValueError`` when it is neither.
    """
    is_share = batch.endswith("%")
    try:
        given = float(batch[:-1]) / 100 if is_share else int(batch)
    except ValueError:
        given = 0
    if not 0 < given <= (1 if is_share else 10_000):
        raise ValueError(f"{batch!r} is no batch: write a share of the hosts, such as 25%, or how many")
    return max(1, min(hosts, int(hosts * given + 1e-9) if is_share else int(given)))


def a_batch(given: str) -> str:
    """The text itself, if it says how many hosts a batch has."""
    batch_size(given, 1)
    return given


Batch = Annotated[str, AfterValidator(a_batch)]
"""``25%`` of the hosts, or how many."""


class HostsSettings(Value):
    """How releases are kept and run on hosts."""

    start: OnHost | None = None
    """The command that serves a color, in the release's folder and in the foreground. It must end at TERM. Either this
    is said, or one of the next two."""
    service: OnHost | None = None
    """The systemd unit that serves a color from ``current-<color>`` below ``root``: ``library-{color}``."""
    restart: OnHost | None = None
    """The command that (re)starts a color's service; by default ``sudo -n systemctl restart`` and the unit. Without
    ``service``, ``stop`` and ``running`` must be said too."""
    stop: OnHost | None = None
    """The command that stops it; by default ``sudo -n systemctl stop`` and the unit."""
    running: OnHost | None = None
    """The command that fails unless it runs; by default ``systemctl is-active --quiet`` and the unit."""
    last_words: OnHost | None = None
    """The command that prints what a service said last, for the error when it is not healthy in time; by default
    ``journalctl`` for the unit, or the end of the color's log."""
    health: Annotated[str, Field(pattern=r"^/")] = "/health"
    """The page that answers 200 when a color can serve users."""
    health_within: Annotated[Duration, Field(gt=0, le=60)] = 2.0
    """How long the health page may take."""
    start_within: Annotated[Duration, Field(gt=0)] = 30.0
    """How long until a started color must be healthy."""
    stop_within: Annotated[Duration, Field(ge=0)] = 10.0
    """From TERM to KILL."""
    drain_within: Annotated[Duration, Field(ge=0, le=3600)] = 30.0
    """How long requests that are still open get to end, before what serves them is stopped; where the balancer can
    count them."""
    environment: Mapping[str, str] = {}
    """Variables of the application beside ``PORT``, ``COLOR``, ``RELEASE`` and ``VERSION``. No secrets: they show in
    process lists and in the configuration; with ``ssm`` in its history of commands as well."""
    environment_file: Annotated[str, Field(pattern=r"^(/|\{)"), AfterValidator(checked)] | None = None
    """A file on each host with further variables of the application, its secrets above all: lines of ``NAME='value'``
    as the shell reads them. It never leaves the host, and must be there."""
    python: str | None = None
    """The interpreter that ``{python}`` stands for; by default the one that deploys."""
    root: str | None = None
    """The folder of releases, logs and links; by default the environment's state folder."""

    @model_validator(mode="after")
    def _one_thing_serves(self) -> Self:
        """Either we start the process, or the host's own supervisor does."""
        supervised = [name for name in _SUPERVISED if getattr(self, name) is not None]
        if self.start is not None and supervised:
            raise ValueError(f"`start` runs the process here, and `{supervised[0]}` leaves it to the host: choose one")
        if self.start is not None or self.service is not None:
            return self
        if self.restart is None:
            raise ValueError("say what serves a color: `start`, a command, or `service`, a systemd unit")
        missing = [name for name in _WITHOUT_UNIT if name not in supervised]
        if missing:
            raise ValueError(f"`{missing[0]}` is missing: without `service` there is no unit to ask")
        return self

    @field_validator("environment", mode="before")
    @classmethod
    def _numbers_are_text(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        plain = (str, int, float)
        return {k: str(v) if isinstance(v, plain) and not isinstance(v, bool) else v for k, v in given.items()}

    @field_validator("environment")
    @classmethod
    def _environment_can_be_set(cls, given: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in given.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"{name!r} cannot be the name of an environment variable")
            if name in RESERVED:
                raise ValueError(f"{name} is set by the deployment itself")
            if "\0" in value:
                raise ValueError(f"{name} holds a NUL")
            checked(value)
        return given
