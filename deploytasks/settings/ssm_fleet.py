"""The fleet that is reached through AWS Systems Manager, without SSH."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..ports import COLORS, Color
from .aws import Url
from .base import Duration
from .hosts import Batch, HostsSettings, Ports, as_text
from .mistakes import Mistakes

InstanceId = Annotated[str, Field(pattern=r"^(i-[0-9a-f]{8}|m?i-[0-9a-f]{17})$")]
"""``i-0123456789abcdef0``, or ``mi-…`` of a machine that was registered by hand."""
Instances = Annotated[tuple[InstanceId, ...], Field(min_length=1)]
Tags = Annotated[Mapping[str, str], Field(min_length=1)]
"""All of them must be on an instance."""

_AT_ONCE = 1000
"""Threads that wait for one request; each costs little."""


class SsmFleetSettings(HostsSettings):
    """``fleet: {kind: ssm, tags: {app: shop}, ports: {blue: 8101, green: 8102}, bucket: shop-deploy, service: …}``."""

    beside: ClassVar[tuple[str, ...]] = ("aws",)

    kind: Literal["ssm"] = "ssm"
    instances: Instances | Mapping[Color, Instances] | None = None
    """The instances by their ids, or ``{blue: […], green: […]}``."""
    tags: Tags | Mapping[Color, Tags] | None = None
    """The instances: all those with these tags that SSM knows. A map ``{blue: {…}, green: {…}}`` when each color has
    its own. Either this is said, or ``instances``."""
    ports: Ports
    """Where each color listens: ``{blue: 8101, green: 8102}``."""
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    """The S3 bucket from which the instances fetch releases."""
    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]+/)*([A-Za-z0-9._-]+)?$")] = "releases/"
    """What the keys there begin with; the application's name and the digest follow."""
    url_expires: Annotated[Duration, Field(ge=60, le=43200)] = 900.0
    """How long the URL is good that an instance is given to fetch a release."""
    at: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")] | None = None
    """Where the application listens on each instance, such as ``127.0.0.1``; by default the instance's private
    address."""
    ask: Literal["host", "direct"] = "host"
    """Who asks the health page: each instance itself (``host``), or the deployer, where it can reach the private
    addresses (``direct``)."""
    urls: Mapping[Color, Url] = {}
    """Where each color is reached past its users, by smoke tests, warm-up and probes: ``{blue:
    "https://blue.internal.example", green: "https://green.internal.example"}``. By default the private addresses."""
    batch: Batch = "100%"
    """How many hosts are installed on, started or stopped before the next ones: a share of those that have the color,
    rounded down, or a number; one at least."""
    max_failures: Annotated[int, Field(ge=0)] = 0
    """How many hosts may fail while a release is installed and started. They are set aside, and the deployment goes on
    without them; one more, and it is taken back."""
    max_concurrency: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,6}|[1-9][0-9]?%|100%)$")] = "100%"
    """On how many instances of one command what changes something runs at once: a number or a share, SSM's
    ``MaxConcurrency``."""
    max_errors: Annotated[str, Field(pattern=r"^([0-9]{1,7}|[0-9]{1,2}%|100%)$")] | None = None
    """After how many failures an installation or a start is begun on no other instance of the same command: a number or
    a share, SSM's ``MaxErrors``; by default as ``max_failures``."""
    taken_within: Annotated[Duration, Field(ge=30, le=3600)] = 60.0
    """How long an instance may take to begin a command, 30 seconds at least."""
    poll: Annotated[Duration, Field(ge=0.05, le=30)] = 2.0
    """The longest pause between two looks at a command."""
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$")] | None = None
    """As whom commands run on the instances; by default as SSM's agent does, as root."""
    python: str | None = "python3"
    """What ``{python}`` is on the hosts."""
    root: Annotated[str, Field(pattern=r"^/")] | None = None
    """The folder of releases, logs and links on each host, absolute; by default ``/srv/`` and the application's
    name."""

    @field_validator("instances", "tags", mode="before")
    @classmethod
    def _one_way_to_say_it(cls, given: Any) -> Any:
        """A map of colors has both, and nothing else."""
        if not isinstance(given, Mapping) or not any(isinstance(one, Mapping | list | tuple) for one in given.values()):
            return given
        mistakes = [(f".{name}", "is no color; known: blue, green") for name in given if name not in COLORS]
        mistakes += [(f".{color}", "missing: which instances have it?") for color in COLORS if color not in given]
        if mistakes:
            raise Mistakes(mistakes)
        return given

    @field_validator("urls")
    @classmethod
    def _both_urls(cls, given: Mapping[Color, str]) -> Mapping[Color, str]:
        if len(given) == 1:
            raise ValueError("say it for both colors, or for none")
        return given

    @field_validator("batch", "max_concurrency", "max_errors", mode="before")
    @classmethod
    def _numbers_are_text(cls, given: object) -> object:
        return as_text(given)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found: list[tuple[str, str]] = []
        if (self.instances is None) == (self.tags is None):
            found.append(("", "say which instances: either `instances`, by their ids, or `tags`"))
        if self._both_on_one() and self.ports["blue"] == self.ports["green"]:
            found.append((".ports", f"both colors cannot listen at port {self.ports['blue']} of one instance"))
        if isinstance(self.instances, tuple) and len(set(self.instances)) < len(self.instances):
            found.append((".instances", "one is there twice"))
        if self.max_errors is not None and self.max_errors.isdigit() and int(self.max_errors) < self.max_failures:
            found.append((".max_errors", f"fewer than max_failures ({self.max_failures}): SSM would stop before we do"))
        if found:
            raise Mistakes(found)
        return self

    def _both_on_one(self) -> bool:
        """Whether an instance may have both colors."""
        ids = [self.ids_of(color) for color in COLORS]
        return set(ids[0]) & set(ids[1]) != set() if any(ids) else self.tags_of("blue") == self.tags_of("green")

    def ids_of(self, color: Color) -> tuple[str, ...]:
        """The ids of a color's instances; none, when tags say who they are."""
        if isinstance(self.instances, Mapping):
            return tuple(self.instances[color])
        return self.instances or ()

    def tags_of(self, color: Color) -> Mapping[str, str]:
        """What the tags of a color's instances say."""
        given: Any = self.tags or {}
        found: Mapping[str, str] = given[color] if any(isinstance(one, Mapping) for one in given.values()) else given
        return found

    @property
    def errors_borne(self) -> str:
        """``MaxErrors`` of what may fail on some."""
        return self.max_errors or str(self.max_failures)

    @property
    def at_once(self) -> int:
        """How many hosts one request may be waited for, whatever ``parallel`` says."""
        return _AT_ONCE
