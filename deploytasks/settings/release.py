"""How a version is cut: the changelog, the branch, the tag, and what else says the version."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from .base import Duration, Value
from .environment import Name, Text
from .github import HERE
from .web_access import BaseUrl, VariableName

PLACE = "{version}"
"""Where the version stands in a pattern."""


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError("a path inside of the project is needed: a release commits it")
    return path


def _with_place(pattern: str) -> str:
    if pattern.count(PLACE) != 1 or "\n" in pattern:
        raise ValueError(f'one line with {PLACE} in it, once, is needed: version = "{PLACE}"')
    return pattern


def _branch(pattern: str) -> str:
    if PLACE not in pattern:
        raise ValueError(f"a branch name with {PLACE} in it is needed: hotfix/{PLACE}")
    return pattern


Inside = Annotated[Text, AfterValidator(_inside)]
"""A file of the project."""


def _encrypted(url: str) -> str:
    if not url.startswith("https:") and urlsplit(url).hostname not in HERE:
        raise ValueError("https is needed: a token would travel in the clear")
    return url


ApiUrl = Annotated[BaseUrl, AfterValidator(_encrypted)]
"""Where a token may go."""


class VersionFile(Value):
    """A file that says the version, too."""

    file: Inside
    """The file, inside of the project, and tracked by git."""
    pattern: Annotated[Text, AfterValidator(_with_place)]
    """Its line, from the first character that is no blank, with ``{version}`` in it. Exactly one line must look like
    it."""


class ReleasePage(Value):
    """GitHub's page of a release."""

    url: ApiUrl | None = None
    """GitHub's API, for ``--github``; by default that of the remote's host."""
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """``owner/name``; by default that of the remote."""
    token_from: VariableName = "GITHUB_TOKEN"  # noqa: S105  the name of a variable
    """The environment variable with a token that may write contents."""
    within: Annotated[Duration, Field(gt=0, le=120)] = 20.0
    """How long GitHub may take for all of it."""


class Release(Value):
    """The keys of ``deploy.release``."""

    changelog: Inside = "CHANGELOG.md"
    """The changelog's file, in the format of Keep a Changelog; inside of the project."""
    unreleased: tuple[Text, ...] = ()
    """What the heading of the coming changes is called, beside ``Unreleased``: ``[Unveröffentlicht]``."""
    date: Literal["utc", "local"] = "utc"
    """Whose day stands in the heading: ``utc`` or ``local``."""
    branch: tuple[Text, ...] = ()
    """The branches that a release may be cut from, as shell patterns; none: any."""
    hotfix_branch: Annotated[Text, AfterValidator(_branch)] = "hotfix/{version}"
    """What ``--from-tag`` calls the branch of a hotfix line. Such branches may always be released from."""
    remote: Text | None = "origin"
    """The remote that is compared with and pushed to; ``null``, or one that the repository does not have: none."""
    sign: bool | None = None
    """Whether commit and tag are signed; by default as git is configured."""
    version_files: tuple[VersionFile, ...] = ()
    """Files that say the version, too."""
    environment: Name | None = None
    """The environment whose ledger has the release; by default the first one."""
    within: Annotated[Duration, Field(gt=0, le=86400)] = 600.0
    """How long one command of git may take, its hooks included."""
    page: ReleasePage = ReleasePage()
    """For ``--github``."""
