"""Reviews, checks and teams as GitHub tells them, in our words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from ...errors import UsageError
from ...reviews import CheckState, NotTold, Person, PullRequest, Review
from .client import Client, each
from .repository import Repository

if TYPE_CHECKING:
    from ...ports import Finding
    from ...settings.github import GitHubSettings
    from ..site import Site

T = TypeVar("T")

STATES: Mapping[str, Any] = {"success": "green", "pending": "pending", "failure": "red", "error": "red"}
"""Of a commit status → our word; anything else is unknown."""
CONCLUSIONS: Mapping[str, Any] = {
    "success": "green",
    "neutral": "skipped",
    "skipped": "skipped",
    "failure": "red",
    "cancelled": "red",
    "timed_out": "red",
    "action_required": "red",
    "startup_failure": "red",
    "stale": "red",
}
"""Of a check run that is completed → our word; anything else is unknown."""
VERDICTS: Mapping[str, str] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes requested",
    "DISMISSED": "dismissed",
    "COMMENTED": "commented",
    "PENDING": "pending",
}
MOST_COMMITS = 250
"""Of a pull request; GitHub tells no more."""


class GitHub:
    """The ``Reviews`` of one repository."""

    def __init__(self, settings: GitHubSettings, site: Site, wait: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._site = site
        self._there = Repository(settings, site, "reviews", wait)

    def look(self) -> GitHubLook:
        """Begin to ask."""
        return GitHubLook(self.client())

    def client(self) -> Client:
        """What asks for us; its time runs from now on. Raises ``NotTold`` without a token."""
        return self._there.client(self._settings.within)

    @property
    def repository(self) -> str:
        """``owner/name``. Raises ``UsageError`` when neither the settings nor ``origin`` say it."""
        return self._there.name

    def diagnose(self) -> Sequence[Finding]:
        """Whether it answers, and whether the token may see all that is asked for."""
        from .diagnosis import diagnose

        return diagnose(self, self._site)


class GitHubLook:
    """One look at it, see ``reviews.Look``."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def default_branch(self) -> str:
        found = self.client.get("", "the repository")
        return self._read(lambda: str(found["default_branch"]), "a repository", found)

    def pulls(self, commit: str) -> Sequence[PullRequest]:
        found = self._of_commit(commit, "/pulls", "the pull requests")
        return self._read(lambda: [_pull(entry) for entry in each(found)], "pull requests", found)

    def reviews(self, pull: PullRequest) -> Sequence[Review]:
        found = self.client.pages(f"/pulls/{pull.number}/reviews", f"the reviews of #{pull.number}")
        return self._read(lambda: [_review(entry) for entry in each(found)], "reviews", found)

    def authors(self, pull: PullRequest) -> Collection[int]:
        what = f"the commits of #{pull.number}"
        found = self.client.pages(f"/pulls/{pull.number}/commits", what)
        if len(found) >= MOST_COMMITS:
            raise NotTold(f"#{pull.number} has {MOST_COMMITS} commits or more: not all authors are told", do="split it")
        return self._read(lambda: {who for entry in each(found) for who in _authors(entry)}, "commits", found)

    def may_write(self, person: Person) -> bool:
        path = f"/repos/{self.client.repository}/collaborators/{quote(person.login, safe='')}/permission"
        found = self.client.find(path, f"the permissions of {person.login}")
        if found is None:
            return False
        return self._read(lambda: found["permission"] in ("admin", "maintain", "write"), "a permission", found)

    def is_member(self, team: str, person: Person) -> bool:
        path = f"{_team(team)}/memberships/{quote(person.login, safe='')}"
        found = self.client.find(path, f"who is in {team}")
        return found is not None and self._read(lambda: found["state"] == "active", "a membership", found)

    def sees(self, team: str) -> bool:
        return self.client.find(_team(team), team) is not None

    def checks(self, commit: str) -> Sequence[CheckState]:
        statuses = self._of_commit(commit, "/status", "the statuses", "statuses")
        runs = self._of_commit(commit, "/check-runs", "the checks", "check_runs", filter="latest")
        found = self._read(lambda: [_status(entry) for entry in each(statuses)], "statuses", statuses)
        return [*found, *self._read(lambda: [_check(entry) for entry in each(runs)], "check runs", runs)]

    def _of_commit(self, commit: str, path: str, what: str, inside: str = "", **query: str) -> list[Any]:
        """What belongs to a commit. GitHub says 422 to one that it does not know."""
        try:
            return self.client.pages(
                f"/commits/{quote(commit, safe='')}{path}", f"{what} of {commit[:12]}", inside, **query
            )
        except NotTold as error:
            if "No commit found" not in error.what:
                raise
            what = f"GitHub has no commit {commit[:12]} in {self.client.repository}"
            raise NotTold(what, do="push it, or check `reviews.repository`") from error

    def _read(self, read: Callable[[], T], what: str, found: object) -> T:
        try:
            return read()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self.client.odd(what, found) from None


def _team(team: str) -> str:
    organization, _, slug = team.partition("/")
    if not slug or "/" in slug:
        raise UsageError(f"{team!r} is no team", do="write organization/team, as in the address of its page")
    return f"/orgs/{quote(organization, safe='')}/teams/{quote(slug, safe='')}"


def _person(entry: Mapping[str, Any] | None) -> Person | None:
    """Anything but a user's account is a machine: bots, and organizations that act."""
    if entry is None:
        return None
    return Person(int(entry["id"]), str(entry["login"]), entry.get("type") != "User")


def _pull(entry: Mapping[str, Any]) -> PullRequest:
    state = "merged" if entry["merged_at"] else "open" if entry["state"] == "open" else "closed"
    head, base = str(entry["head"]["sha"]), str(entry["base"]["ref"])
    return PullRequest(int(entry["number"]), str(entry["title"]), _person(entry["user"]), head, base, state)  # type: ignore[arg-type]  # one of three words


def _review(entry: Mapping[str, Any]) -> Review:
    state = str(entry["state"])
    return Review(_person(entry["user"]), VERDICTS.get(state, state), entry["commit_id"])


def _status(entry: Mapping[str, Any]) -> CheckState:
    said = str(entry["state"])
    return CheckState(str(entry["context"]), STATES.get(said, "unknown"), said)


def _check(entry: Mapping[str, Any]) -> CheckState:
    """A run that is not completed has no conclusion; one that is completed without any says nothing."""
    status, conclusion = str(entry["status"]), str(entry["conclusion"] or "no conclusion")
    if status != "completed":
        return CheckState(str(entry["name"]), "pending", status)
    return CheckState(str(entry["name"]), CONCLUSIONS.get(conclusion, "unknown"), conclusion)


_TOGETHER = re.compile(r"^co-authored-by:.*<(?:(\d+)\+)?[^<>@]*@users\.noreply\.[^<>]*>", re.IGNORECASE | re.MULTILINE)


def _authors(entry: Mapping[str, Any]) -> list[int]:
    """Who wrote a commit, by its author and by its lines ``Co-authored-by`` with an address that tells the account.

    Raises ``NotTold`` when GitHub knows no account for the author's address: that may be anybody.
    """
    author = _person(entry["author"])
    if author is None:
        sha = str(entry["sha"])[:12]
        raise NotTold(
            f"GitHub does not know whose commit {sha} is", do="let its author add that address to the account"
        )
    message = str(entry["commit"]["message"])
    return [author.id, *(int(found[1]) for found in _TOGETHER.finditer(message) if found[1])]
