"""New Relic: what its agents count of each color, and marks in its graphs."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .base import Duration, Positive, Value
from .measures import Measuring
from .saas_access import SaasAccess, SafeUrl
from .web_access import VariableName

URLS = {"us": "https://api.newrelic.com", "eu": "https://api.eu.newrelic.com"}
"""Where NerdGraph is, by region."""


def is_safe_value(text: str) -> bool:
    """Whether a text can stand in a query between quotes. NRQL has no parameters and no documented escapes."""
    return bool(re.fullmatch(r"[\w .:/()-]+", text))


def _safe(given: str) -> str:
    if not is_safe_value(given):
        raise ValueError(f"{given!r} has characters that no query takes: letters, digits, spaces and _.:/()- are left")
    return given


def _templated(given: str) -> str:
    rest = given.replace("{version}", "").replace("{application}", "").replace("{environment}", "")
    if "{version}" not in given:
        raise ValueError("{version} is missing: both colors would look the same")
    if rest and not is_safe_value(rest):
        raise ValueError(f"{given!r}: {{version}}, {{application}} and {{environment}} are filled in, and nothing else")
    return given


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str | int) and not isinstance(given, bool) else given


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_safe)]
"""An application's name, or what an attribute says."""
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:]*$", max_length=255)]
"""The name of an attribute of ``Transaction``: ``deployColor``, ``host``, ``tags.version``."""
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=100), BeforeValidator(_several)]
Template = Annotated[str, Field(min_length=1), AfterValidator(_templated)]


class AppPerColor(Value):
    """The application's name as each color's agent has it (``NEW_RELIC_APP_NAME``)."""

    blue: Name
    """Blue's."""
    green: Name
    """Green's."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.blue == self.green:
            raise ValueError("both colors have the same name: say `app`, and an attribute that tells them apart")
        return self


class ColorValues(Value):
    """What an attribute says of each color: one value, or several (``[web1, web2]``)."""

    blue: Names = ("blue",)
    """What it says for blue: one value or several."""
    green: Names = ("green",)
    """The same, for green."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if both := set(self.blue) & set(self.green):
            raise ValueError(f"{min(both)!r} stands for both colors")
        return self


class NewRelicAccess(SaasAccess):
    """The keys that every section about New Relic has."""

    account: Annotated[int, Field(gt=0)]
    """The number of the account that has the data."""
    region: Literal["us", "eu"] = "us"
    """Where the account is: ``us`` or ``eu``."""
    url: SafeUrl | None = None
    """The base URL of NerdGraph, below which ``/graphql`` is; by default that of the region."""
    token_from: VariableName = "NEW_RELIC_API_KEY"  # noqa: S105  the name of a variable
    """The name of the environment variable that holds a user key, not a license key."""
    within: Annotated[Duration, Field(gt=0, le=30)] = 8.0
    """How long one look, or one mark, may take; at most 30 s."""

    @property
    def base(self) -> str:
        """Where NerdGraph is."""
        return self.url or URLS[self.region]


class NewRelicSettings(NewRelicAccess, Measuring):
    """``metrics: {kind: newrelic, account: 1234567, apps: {blue: "Shop (blue)", green: "Shop (green)"}}``.

    Or one application whose transactions have an attribute that says their color (``color_attribute: deployColor``), or
    their version (``release_attribute: appVersion``).
    """

    means: ClassVar[dict[str, str]] = {
        "measures": "What it gives, of several sources: `errors`, `latency`; by default both.",
        "within": (
            "For all that one look asks, at most 30 s, and less than `deadman.grace`. A query gets a second less,"
            " and never below 5 s."
        ),
    }

    kind: Literal["newrelic"] = "newrelic"
    app: Name | None = None
    """The application's name, where both colors have the same."""
    apps: AppPerColor | None = None
    """Its name for each color, where they differ."""
    color_attribute: Attribute | None = None
    """The attribute of a transaction that says its color."""
    colors: ColorValues = ColorValues()
    """What ``color_attribute`` says of each color."""
    release_attribute: Attribute | None = None
    """The attribute of a transaction that says its version; the hosts say which color has it."""
    release: Template = "{version}"
    """What that attribute says: ``{version}``, ``{application}`` and ``{environment}`` are filled in."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] = 120.0
    """Until what happens has arrived; nothing younger is counted. ``inv doctor`` measures it."""
    late: Positive = 120.0
    """For how long after that counts are asked for again, for what comes late."""
    stale_after: Annotated[Duration, Field(gt=0, le=3600)] = 300.0
    """How long there may be no transaction of either color before nothing is known."""

    @property
    def shows_after(self) -> float:
        """As it is said."""
        return self.lag

    @model_validator(mode="after")
    def _tells_colors_apart(self) -> Self:
        if (self.app is None) == (self.apps is None):
            raise ValueError("say `app`, or `apps` with a name for each color")
        attributes = [name for name in (self.color_attribute, self.release_attribute) if name is not None]
        if self.apps is not None and attributes:
            raise ValueError("`apps` tells colors apart already: leave `color_attribute` and `release_attribute` out")
        if self.app is not None and len(attributes) != 1:
            raise ValueError("say `color_attribute` or `release_attribute`: how colors are told apart in one `app`")
        return self


class NewRelicMarkerSettings(NewRelicAccess):
    """``markers: {kind: newrelic, account: 1234567, app: Shop}``, or ``apps``, or the GUID of an ``entity``."""

    means: ClassVar[dict[str, str]] = {
        "within": "For one mark, at most 30 s.",
    }

    kind: Literal["newrelic"] = "newrelic"
    app: Name | None = None
    """The name of the application that is marked."""
    apps: AppPerColor | None = None
    """The names of both, where each color has its own."""
    entity: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_|-]{8,255}$")] | None = None
    """The GUID of what is marked, where a name does not say it."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if sum(each is not None for each in (self.app, self.apps, self.entity)) != 1:
            raise ValueError("say one of `app`, `apps` and `entity`: what is marked")
        return self
