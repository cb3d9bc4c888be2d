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
    """The project's slug or id; or several."""
    environment: Text | None = None
    """What Sentry calls this environment; by default as it is called here."""
    release: Template = "{application}@{version}"
    """What the application calls its release; ``{environment}`` and ``{release}``, the folder on the hosts, are known
    too."""
    url: SafeUrl = "https://sentry.io"
    """``https://us.sentry.io``, ``https://de.sentry.io``, or one of your own."""
    token_from: VariableName = "SENTRY_API_TOKEN"  # noqa: S105  the name of a variable
    """The name of the environment variable that holds a token with ``org:read``."""


class SentryMetricsSettings(Measuring, SentryAccess):
    """``metrics: {kind: sentry, organization: acme, project: library}``."""

    means: ClassVar[dict[str, str]] = {
        "measures": "What it gives, of several sources: `[errors]`, which is all that it can.",
        "within": "For all that one look asks, at most 30 s, and less than `deadman.grace`.",
    }

    can: ClassVar[tuple[Measure, ...]] = ("errors",)

    kind: Literal["sentry"] = "sentry"
    color: Attribute | None = None
    """The attribute of a transaction that says ``blue`` or ``green``; without it, releases tell colors apart."""
    query: str = "span.op:http.server"
    """Which transactions are users' requests, as Sentry's search has it; empty: all."""
    failures: Literal["server", "any"] = "server"
    """What an error is: what the server is to blame for (``server``), or all that Sentry's failure rate counts
    (``any``)."""
    lag: Annotated[Duration, Field(ge=0, le=3600)] = 90.0
    """Until what happens is counted; nothing younger is looked at. ``inv doctor`` measures it."""
    late: Annotated[Duration, Field(ge=0, le=3600)] = 300.0
    """For how long after that counts are asked for again, for what comes late."""
    stale_after: Annotated[Duration, Field(gt=0, le=86400)] = 300.0
    """How long beyond ``lag`` there may be no transaction before nothing is known."""

    @property
    def shows_after(self) -> float:
        """As it is said."""
        return self.lag


class SentryMarkerSettings(SentryAccess):
    """``markers: {kind: sentry, organization: acme, project: library}``."""

    means: ClassVar[dict[str, str]] = {
        "within": "For one mark, at most 30 s.",
        "token_from": "The name of the environment variable that holds a token with `project:releases`.",
    }

    kind: Literal["sentry"] = "sentry"
    environment: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """What Sentry calls this environment, at most 64 characters; by default as it is called here."""
    repository: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The repository as Sentry knows it, ``acme/library``: then it is told the commit."""
