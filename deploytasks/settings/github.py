"""GitHub: where changes are reviewed and tested."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from .base import Duration, Value
from .web_access import BaseUrl, VariableName

HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def is_safe(url: str) -> str:
    """The URL itself, or ``ValueError`` when a token would travel to it in the clear."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in HERE:
        raise ValueError("https is needed: a token would travel in the clear")
    return url


def _repository(given: str) -> str:
    if given.endswith(".git"):
        raise ValueError(f"write it without .git: {given.removesuffix('.git')}")
    return given


class GitHubAccess(Value):
    """Which repository, and how it is reached."""

    repository: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$"), AfterValidator(_repository)] | None
    ) = None
    """``owner/name``; by default that of the remote ``origin``."""
    url: Annotated[BaseUrl, AfterValidator(is_safe)] = "https://api.github.com"
    """The base URL of the API; of a GitHub Enterprise Server ``https://HOST/api/v3``."""
    token_from: VariableName = "GITHUB_TOKEN"  # noqa: S105  the name of a variable
    """The name of the environment variable that holds the token."""
    verify: Annotated[str, Field(min_length=1)] | None = None
    """The file of the authorities to trust; those of the system otherwise. Relative to the project."""


class GitHubSettings(GitHubAccess):
    """``reviews: {kind: github}``, and ``repository: octo/library`` where ``origin`` does not say it."""

    means: ClassVar[dict[str, str]] = {
        "repository": "`owner/name`; by default that of the remote `origin`, if it is at the same place.",
    }

    kind: Literal["github"] = "github"
    within: Annotated[Duration, Field(gt=0, le=9)] = 8.0
    """For all that one checklist asks, which waits 10 s for each system; at most 9 s."""


class GitHubMarkerSettings(GitHubAccess):
    """``markers: {kind: github, environment_url: "https://shop.example"}``: deployments, as GitHub shows them."""

    kind: Literal["github"] = "github"
    environment_url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s@]*)?$")] | None = None
    """Where users find the environment, ``https://shop.example``: GitHub leads there."""
    within: Annotated[Duration, Field(gt=0, le=30)] = 8.0
    """For one change of state, up to three writes that are a second apart; at most 30 s."""
