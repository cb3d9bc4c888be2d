"""Sentry: what it counts of each release, and where it is told of deployments."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .base import Duration
from .environment import Text
from .measures import Measure, Measuring
from .saas_access import SaasAccess, SafeUrl
from .web_access import VariableName

PLACEHOLDERS = ("application", "environment", "version", "release")
"""What may stand in a release's name; ``release`` is the folder on the hosts, ``<version>-<digest>``."""


def _several(given: Any) -> Any:
    return [str(given)] if isinstance(given, str | int) else given


def _template(given: str) -> str:
    unknown = sorted(set(re.findall(r"\{([^{}]*)\}", given)) - set(PLACEHOLDERS))
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} is no placeholder; known: {', '.join(f'{{{p}}}' for p in PLACEHOLDERS)}")
    if "{version}" not in given and "{release}" not in given:
        raise ValueError("{version} or {release} is needed: all releases would have one name")
    return given


Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""As it stands in Sentry's addresses; or an id."""
Slugs = Annotated[tuple[Slug, ...], BeforeValidator(_several), Field(min_length=1)]
"""One, or several."""
Template = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_template)]
"""A release's name, with placeholders in braces."""
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]*$")]
"""A span's attribute, such as ``deploy.color``."""


class SentryAccess(SaasAccess):
    """The keys that both sections about Sentry have."""

    organization: Slug
    """The organization's slug."""
    project: Slugs
    """The project of the application, or several: their slugs."""
    environment: Text | None = None
    """What Sentry calls this environment; by default as it is called here."""
    release: Template = "{application}@{version}"
    """What the application calls its release there."""
    url: SafeUrl = "https://sentry.io"
    """Where Sentry is: ``https://us.sentry.io``, ``https://de.sentry.io``, or one of your own."""
    token_from: VariableName = "SENTRY_API_TOKEN"  # noqa: S105  the name of a variable
    """The environment variable that holds the token."""


class SentryMetricsSettings(Measuring, SentryAccess):
    """``metrics: {kind: sentry, organization: acme, project: library}``."""

    can: ClassVar[tuple[Measure, ...]] = ("errors",)

    kind: Literal["sentry"] = "sentry"
    color: Attribute | None = None
    """The attribute of a span that says ``blue`` or ``green``; by default colors are told apart by their releases."""
    query: str = "span.op:http.server"
    """Which transactions are users' requests, in Sentry's search syntax; empty: all of them."""
    failures: Literal["server", "any"] = "server"
    """What an error is: ``server`` for what the server is to blame for, ``any`` for whatever Sentry's own failure rate
    counts, mistakes of clients among it."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] = 90.0
    """Seconds until what happens is counted there."""
    late: Annotated[Duration, Field(ge=0, le=3600)] = 300.0
    """Seconds beyond ``lag`` for which counts are asked for again, for what comes late."""
    stale_after: Annotated[Duration, Field(gt=0, le=86400)] = 300.0
    """Seconds beyond ``lag`` without any request after which nothing is known."""


class SentryMarkerSettings(SentryAccess):
    """``markers: {kind: sentry, organization: acme, project: library}``."""

    kind: Literal["sentry"] = "sentry"
    environment: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """What Sentry calls this environment; by default as it is called here."""
    repository: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The repository as Sentry knows it, ``acme/library``: then it is told the commit."""
