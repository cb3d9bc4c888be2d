"""Where we run: which continuous integration it is, and the address of its run. Pure, but for ``here``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Kind = Literal["github", "gitlab", "other"]
ADDRESSES = (
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "DRONE_BUILD_LINK",
    "TRAVIS_BUILD_WEB_URL",
    "BUILD_URL",  # Jenkins
)
"""Variables in which others say where their run is shown."""
_LONGEST = 500


class Run(NamedTuple):
    """One run of a pipeline. ``url``: where people see it; empty when that is not known."""

    kind: Kind
    url: str


def detected(variables: Mapping[str, str]) -> Run | None:
    """The run that these environment variables tell of; ``None``: a person's own machine.

    Only an address is taken from them, and of that neither a user nor a query: nothing of it can be a secret.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        return Run("github", _at_github(variables))
    if variables.get("GITLAB_CI") == "true":
        return Run("gitlab", _address(variables.get("CI_JOB_URL") or variables.get("CI_PIPELINE_URL")))
    known = next((address for name in ADDRESSES if (address := _address(variables.get(name)))), "")
    if known or variables.get("CI", "").lower() not in ("", "0", "false"):
        return Run("other", known)
    return None


def here() -> Run | None:
    """The run that this process is part of."""
    return detected(os.environ)


def _at_github(variables: Mapping[str, str]) -> str:
    """With the attempt, if it is not the first: each has a log of its own."""
    server, repository, number = (
        variables.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    )
    if not (server and repository and number):
        return ""
    attempt = variables.get("GITHUB_RUN_ATTEMPT", "1")
    again = f"/attempts/{attempt}" if attempt.isdigit() and attempt != "1" else ""
    return _address(f"{server}/{repository}/actions/runs/{number}{again}")


def _address(given: str | None) -> str:
    if not given or len(given) > _LONGEST or re.search(r"[\s\x00-\x1f\x7f\"'<>\\]", given):
        return ""
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http") or not host:
        return ""
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path}"
