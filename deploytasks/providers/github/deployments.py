"""GitHub Deployments: what is deployed where, as GitHub shows it beside the commits.

Neither a deployment nor a status has a key by which a second one would be the same. So each deployment says in its
payload whose it is, and is looked for before it is made; and a status that is the newest already is not set again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ... import redaction
from ...bulletins import Bulletin, Memory, Sending
from ...errors import DeployError, Undeliverable
from ...ports import Finding
from .client import Client, Refusal, each
from .marks import Mark, Wanted, wanted
from .repository import Repository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...settings.github import GitHubMarkerSettings
    from ..site import Site

T = TypeVar("T")
OURS = "deploytasks"
"""The key of the payload that says which of our deployments it is."""
GONE, CONFLICT, UNFIT = 404, 409, 422
SUBJECT = "markers: github"


class Deployments:
    """The ``Recipient`` of one repository."""

    def __init__(self, settings: GitHubMarkerSettings, site: Site, wait: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._there = Repository(settings, site, "markers", wait)

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        """A deployment or its status; nothing for what changes neither."""
        of = wanted(bulletin, memory)
        if of is None:
            return None
        states = ", ".join(f"{mark.version or mark.commit[:12]} {mark.state}" for mark in of.marks)
        return Sending(
            f"deployments to {bulletin.environment} at GitHub: {states}", partial(self._perform, bulletin, of)
        )

    def _perform(self, bulletin: Bulletin, of: Wanted, within: float) -> Memory:
        client = self._there.client(min(within, self._settings.within))
        board = Board(client, bulletin, self._settings.environment_url)
        ids: dict[str, int] = {}
        for mark in of.marks:
            ids[mark.key] = board.put(mark)
        return of.after(ids)

    def diagnose(self) -> Sequence[Finding]:
        """Whether deployments can be read. Whether they can be written shows when one is."""
        try:
            client = self._there.client(self._settings.within)
            client.get("/deployments", "deployments", per_page="1")
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        return [Finding(SUBJECT, "ok", f"{client.repository}: deployments can be read")]


class Board(NamedTuple):
    """The deployments of one environment, while a bulletin is told. ``address``: where users find it."""

    client: Client
    bulletin: Bulletin
    address: str | None

    def put(self, mark: Mark) -> int:
        """A deployment with this state, made if it is not there. Returns GitHub's id."""
        if mark.id and self._is_told(mark.id, mark):
            return mark.id
        found = self._found(mark)
        if found and found != mark.id and self._is_told(found, mark):
            return found
        if not mark.makes:
            return mark.id  # somebody deleted it there: then it needs no state
        made = self._made(mark)
        self._say(made, mark)
        return made

    def _found(self, mark: Mark) -> int:
        """The id of the deployment that was made for it before; 0: there is none."""
        where = {"environment": self.bulletin.environment, "sha": mark.commit}
        entries = self.client.pages("/deployments", "deployments", **where)
        return self._read(
            lambda: max((_id(one) for one in each(entries) if _ours(one) == mark.key), default=0), entries
        )

    def _made(self, mark: Mark) -> int:
        body = {
            "ref": mark.commit,
            "task": mark.task,
            "auto_merge": False,
            "required_contexts": [],
            "payload": {OURS: mark.key, "version": mark.version},
            "environment": self.bulletin.environment,
            "description": mark.description,
            "production_environment": self.bulletin.protected,
        }
        with _understood_and_refused(mark, self.client.repository):
            status, found = self.client.post("/deployments", f"a deployment of {mark.commit[:12]}", body)
        if status == 202:  # accepted: it merged something, and made nothing
            said = str(found.get("message", "")) if isinstance(found, Mapping) else ""
            raise Undeliverable(
                f"GitHub made no deployment: {redaction.excerpt(said, 200)}",
                do="look at the branch, and undo the merge",
            )
        return self._read(lambda: _id(found), found)

    def _is_told(self, number: int, mark: Mark) -> bool:
        """Whether a deployment has its state now; ``False``: there is no such deployment any more."""
        try:
            entries = self.client.pages(f"/deployments/{number}/statuses", "the statuses of a deployment")
        except Refusal as error:
            if error.status == GONE:
                return False
            raise
        said = self._read(lambda: _newest(entries), entries)
        if said != (mark.state, mark.description):
            self._say(number, mark)
        return True

    def _say(self, number: int, mark: Mark) -> None:
        body = {"state": mark.state, "description": mark.description}
        if run := self.bulletin.links.get("run"):
            body["log_url"] = run
        if self.address is not None and mark.state != "inactive":
            body["environment_url"] = self.address
        with _understood_and_refused(mark, self.client.repository):
            self.client.post(f"/deployments/{number}/statuses", "the state of a deployment", body)

    def _read(self, read: Callable[[], T], found: object) -> T:
        try:
            return read()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self.client.odd("deployments", found) from None


def _id(entry: Mapping[str, Any]) -> int:
    return int(entry["id"])


def _newest(entries: Sequence[Any]) -> tuple[str, str] | None:
    """State and description that count."""
    found = max(each(entries), key=_id, default=None)
    return None if found is None else (str(found["state"]), str(found.get("description") or ""))


def _ours(entry: Mapping[str, Any]) -> str:
    """Whose it is. A payload comes back as it was sent: an object, or a text that somebody else has sent."""
    payload = entry.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return ""
    return str(payload.get(OURS, "")) if isinstance(payload, Mapping) else ""


@contextmanager
def _understood_and_refused(mark: Mark, repository: str) -> Iterator[None]:
    """What would be refused again as ``Undeliverable``; a token that may not write can be mended, and waits."""
    try:
        yield
    except Refusal as error:
        if error.status not in (GONE, CONFLICT, UNFIT):
            raise
        what = f"GitHub takes no deployment of {mark.commit[:12]} in {repository}: {error.what}"
        if "No ref found" in error.what or "No commit found" in error.what or error.status == GONE:
            what = f"GitHub does not know the commit {mark.commit[:12]} in {repository}, or the token may not deploy it"
        raise Undeliverable(what, do="push it; see docs/github.md for what the token needs") from error
