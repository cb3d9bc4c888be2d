"""A GitHub of our own: it speaks the documented shapes over HTTP, keeps what happens, and insists on its contract.

    with github() as hub:
        pull = hub.pull(7, head="aaa", author="ann")
        hub.approve(pull, "bob")
        hub.merge(pull, "bbb")         # as which commit it came to the base branch: a squash gives another one
        hub.status("bbb", "ci/build")  # a commit status; `hub.check("bbb", "tests")` is a check run

``hub.url`` is the base URL for ``reviews: {kind: github, url: …}``, ``hub.repository`` is ``octo/library``, and
``hub.token`` may read and write everything. ``hub.asked`` has each request. Whoever is named and was not there before
is made, and may write; ``hub.user("eve", permission="read")`` says otherwise. What breaks the contract is answered as
GitHub would answer it, and stands in ``hub.broken`` as well: a test ends with ``assert [] == hub.broken``.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lab.answering import Asked, answering

EVERYTHING = {
    "metadata": "read",
    "pull_requests": "read",
    "statuses": "read",
    "checks": "read",
    "members": "read",
    "deployments": "write",
    "contents": "write",
}
"""Permissions of a fine-grained token, all that this server knows."""


@dataclass
class User:
    """``kind``: ``User``, ``Bot`` or ``Organization``. ``permission``: ``admin``, ``write``, ``read`` or ``none``."""

    id: int
    login: str
    kind: str = "User"
    permission: str = "write"
    role: str = ""
    """``role_name``, where it is another word: ``maintain`` and ``triage`` are told as ``write`` and ``read``."""
    is_gone: bool = False
    """A deleted account: ``null`` wherever it is named."""


@dataclass
class Review:
    """One review; dismissing changes ``state`` and leaves everything else as it was."""

    id: int
    user: User
    state: str
    commit: str | None
    at: str


@dataclass
class Pull:
    """A pull request. ``commits``: (sha, author's login or none, message), the oldest first."""

    number: int
    head: str
    base: str
    author: User
    title: str
    state: str = "open"
    merged_as: tuple[str, ...] = ()
    reviews: list[Review] = field(default_factory=list)
    commits: list[tuple[str, str | None, str]] = field(default_factory=list)


@dataclass
class Limit:
    """What the next requests are answered with: ``times`` of them (``None``: all, until it is taken away)."""

    status: int
    message: str
    headers: Mapping[str, str]
    times: int | None


class GitHub:
    """One repository with its people, teams, pull requests, statuses, checks, deployments and releases."""

    def __init__(self, repository: str, prefix: str) -> None:
        self.repository = repository
        self.prefix = prefix
        self.url = ""
        self.token = "github_pat_all_of_it_0123456789"
        self.tokens: dict[str, dict[str, str]] = {self.token: dict(EVERYTHING)}
        self.private = True
        self.default_branch = "main"
        self.renamed_from: set[str] = set()
        self.users: dict[str, User] = {}
        self.pulls: dict[int, Pull] = {}
        self.known: set[str] = set()
        """Commits that were pushed; any other one is unknown to it."""
        self.statuses: dict[str, list[tuple[str, str]]] = {}
        self.checks: dict[str, list[dict[str, Any]]] = {}
        self.teams: dict[str, dict[str, str]] = {}
        self.hidden_teams: set[str] = set()
        """Teams that no token can see."""
        self.behind: set[str] = set()
        """Refs that lack commits of the default branch: a deployment with ``auto_merge`` merges them."""
        self.conflicting: set[str] = set()
        self.unknown: set[str] = set()
        """Refs that were never pushed: nothing can be deployed of them."""
        self.least_apart = 0.0
        """Seconds between two writes to deployments; less is noted in ``broken``. GitHub wants one."""
        self.written_at = 0.0
        self.deployments: list[dict[str, Any]] = []
        self.tags: dict[str, str] = {}
        """Tags that were pushed → their commits."""
        self.invented_tags: dict[str, str] = {}
        """Tags that a release made by itself, because nobody had pushed them."""
        self.releases: list[dict[str, Any]] = []
        self.limit: Limit | None = None
        self.remaining = 5000
        self.reset = 0
        """Of the primary limit: epoch seconds."""
        self.tells_limits = not prefix
        """GitHub Enterprise Server has its rate limits off, and says nothing of them."""
        self.broken: list[str] = []
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self._ids = count(1001)
        self._minutes = count()

    # -- people ----------------------------------------------------------------------------------------------

    def user(self, login: str, *, kind: str = "User", permission: str = "write", role: str = "") -> User:
        """Somebody; as described here from now on."""
        known = self.users.get(login)
        self.users[login] = User(known.id if known else next(self._ids), login, kind, permission, role)
        return self._person(login)

    def gone(self, login: str) -> None:
        """The account is deleted: ``null`` from now on."""
        self._person(login).is_gone = True

    def member(self, team: str, login: str, state: str = "active") -> None:
        """``team``: ``organization/slug``; ``state``: ``active``, or ``pending`` while invited."""
        self._person(login)
        self.teams.setdefault(team, {})[login] = state

    def may(self, **permissions: str) -> str:
        """A token that has these permissions and no other: ``may(metadata="read", pull_requests="read")``."""
        token = f"github_pat_some_of_it_{next(self._ids)}"
        self.tokens[token] = permissions
        return token

    def _person(self, login: str) -> User:
        if login not in self.users:
            self.users[login] = User(next(self._ids), login)
        return self.users[login]

    # -- commits and pull requests ---------------------------------------------------------------------------

    def commit(self, *shas: str) -> None:
        """These were pushed without a pull request."""
        self.known.update(shas)

    def pull(self, number: int, head: str, base: str = "main", author: str = "ann", title: str = "A change") -> Pull:
        """An open pull request."""
        made = Pull(number, head, base, self._person(author), title, commits=[(head, author, title)])
        self.pulls[number] = made
        self.known.add(head)
        return made

    def push(self, pull: Pull, head: str, author: str | None = None, *, force: bool = False) -> None:
        """One more commit on its branch, by its author; with ``force``, in the place of all others."""
        entry = (head, self._person(author or pull.author.login).login, "More of it")
        pull.commits = [entry] if force else [*pull.commits, entry]
        pull.head = head
        self.known.add(head)

    def merge(self, pull: Pull, *commits: str) -> None:
        """Merged, and so on its base branch, as these commits (the last one is its end); by default its head."""
        pull.state, pull.merged_as = "merged", commits or (pull.head,)
        self.known.update(pull.merged_as)

    def close(self, pull: Pull) -> None:
        """Closed without a merge."""
        pull.state = "closed"

    # -- reviews ---------------------------------------------------------------------------------------------

    def approve(self, pull: Pull, user: str, commit: str | None = "head") -> Review:
        """``commit``: another one than the head, or ``None`` (its commit is gone)."""
        return self.review(pull, user, "APPROVED", commit)

    def request_changes(self, pull: Pull, user: str) -> Review:
        """It blocks until this person approves, or somebody dismisses it."""
        return self.review(pull, user, "CHANGES_REQUESTED")

    def comment(self, pull: Pull, user: str) -> Review:
        """It changes no earlier verdict."""
        return self.review(pull, user, "COMMENTED")

    def review(self, pull: Pull, user: str, state: str, commit: str | None = "head") -> Review:
        """Any state: ``APPROVED``, ``CHANGES_REQUESTED``, ``COMMENTED``, ``PENDING``, ``DISMISSED``."""
        at = f"2026-11-23T08:{next(self._minutes) % 60:02}:00Z"
        made = Review(next(self._ids), self._person(user), state, pull.head if commit == "head" else commit, at)
        pull.reviews.append(made)
        return made

    def dismiss(self, pull: Pull, user: str) -> None:
        """Somebody dismisses this person's last approval or request for changes: it stays where it is in the list."""
        for review in reversed(pull.reviews):
            if review.user.login == user and review.state in ("APPROVED", "CHANGES_REQUESTED"):
                review.state = "DISMISSED"
                return
        raise AssertionError(f"{user} has nothing that could be dismissed")

    # -- continuous integration ------------------------------------------------------------------------------

    def status(self, commit: str, context: str, state: str = "success") -> None:
        """``success``, ``failure``, ``error`` or ``pending``; the latest of a context counts."""
        self.known.add(commit)
        self.statuses.setdefault(commit, []).append((context, state))

    def check(
        self,
        commit: str,
        name: str,
        conclusion: str | None = "success",
        status: str = "completed",
        app: str = "actions",
    ) -> None:
        """A check run; another one of the same app and name is an attempt of it, and the latest counts."""
        self.known.add(commit)
        made = {"id": next(self._ids), "name": name, "status": status, "conclusion": conclusion, "app": {"slug": app}}
        self.checks.setdefault(commit, []).append(made)

    # -- deployments -----------------------------------------------------------------------------------------

    def shown(self, environment: str) -> list[tuple[str, str]]:
        """The commits that were deployed there, the oldest first, each with the state that it has now."""
        own = [one for one in self.deployments if one["environment"] == environment]
        return [(one["ref"], one["statuses"][-1]["state"] if one["statuses"] else "") for one in own]

    # -- trouble ---------------------------------------------------------------------------------------------

    def rename(self, to: str) -> None:
        """The repository has another name from now on; the old one redirects."""
        self.renamed_from.add(self.repository)
        self.repository = to

    def exhaust(self, reset: int) -> None:
        """The primary limit is used up until ``reset`` (epoch seconds); ``refill`` makes it good again."""
        self.remaining, self.reset = 0, reset

    def refill(self) -> None:
        """All is well again."""
        self.remaining, self.limit = 5000, None

    def slow_down(self, after: int | None = None, status: int = 403, times: int | None = 1) -> None:
        """The secondary limit, with ``Retry-After`` or without."""
        headers = {} if after is None else {"Retry-After": str(after)}
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        self.limit = Limit(status, message, headers, times)

    def fail(self, status: int = 502, times: int | None = None) -> None:
        """It has trouble of its own."""
        self.limit = Limit(status, "Server Error", {}, times)

    def next_id(self) -> int:
        """Ids rise."""
        return next(self._ids)


@contextmanager
def github(
    repository: str = "octo/library", *, prefix: str = "", tls: ssl.SSLContext | None = None
) -> Iterator[GitHub]:
    """One that runs. ``prefix``: ``/api/v3`` makes it a GitHub Enterprise Server."""
    from lab.github_api import answer

    hub = GitHub(repository, prefix)
    with answering(lambda asked: answer(hub, asked), tls) as lab:
        hub.url, hub.asked = lab.url + prefix, lab.asked
        yield hub
