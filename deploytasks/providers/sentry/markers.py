"""Releases and deploys in Sentry: so that its graphs and issues say which release users had, and since when.

A deployment that ended well is a deploy of its release. One that was taken back never was: nothing is said of it. A
rollback of what was live is a deploy of the release that is live again, for that is what users have from then on.
Releases are the same when they are made twice; deploys are not, so each has a name of its own and is looked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ...bulletins import Bulletin, Change, Memory, Sending
from ...errors import DeployError, Undeliverable
from ...ports import Finding, Json
from .client import Client
from .naming import release_name

if TYPE_CHECKING:
    from ...settings.sentry import SentryMarkerSettings
    from ..site import Site

LONGEST = 64
"""Characters of an environment, and of a deploy's name."""
WENT_HOME: frozenset[Change] = frozenset(("rolled-back", "switch-fired"))
WITHOUT_TRAFFIC = frozenset(("install", "retire", "migrate", "backup-database", "restore-database", "warm-up"))
"""Tasks that bring no release to users, however well they end."""
SUBJECT = "markers: sentry"


class Deploy(NamedTuple):
    """What users have from now on. ``commit`` and ``url`` may be empty."""

    release: str
    version: str
    name: str
    environment: str
    began: datetime
    ended: datetime
    commit: str = ""
    url: str = ""


class Markers:
    """The ``Recipient`` that makes them. What it remembers: the version whose deploy it made last."""

    def __init__(self, settings: SentryMarkerSettings, site: Site, client: Callable[..., Client] = Client) -> None:
        self._settings, self._site = settings, site
        self._client = client(settings, site)

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        """A deploy, where users have another release than before."""
        deploy = self._deploy(bulletin)
        if deploy is None or (bulletin.change in WENT_HOME and memory.get("version") == deploy.version):
            return None
        text = f"Sentry: deploy {deploy.name} of {deploy.release} to {deploy.environment}"
        return Sending(text, partial(self._make, deploy))

    def diagnose(self) -> Sequence[Finding]:
        """Whether it answers, and lets this token see releases; nothing is made."""
        self._client.begin()
        try:
            for _ in self._client.pages("/releases/", [("per_page", "1")], len):
                break
        except DeployError as error:
            return [Finding(SUBJECT, "fail", error.what, error.do)]
        detail = f"releases of {self._settings.organization} can be seen; whether any can be made shows with the first"
        return [Finding(SUBJECT, "ok", detail)]

    def _deploy(self, bulletin: Bulletin) -> Deploy | None:
        if bulletin.change in WENT_HOME:
            return self._of(bulletin, bulletin.previous, "-back", bulletin.at, "")
        is_live = bool(bulletin.color) and f"{bulletin.color} 100 %" in bulletin.split
        if bulletin.change != "finished" or bulletin.task in WITHOUT_TRAFFIC or not is_live:
            return None
        return self._of(bulletin, bulletin.version, "", bulletin.began or bulletin.at, bulletin.commit)

    def _of(self, told: Bulletin, version: str, ending: str, began: datetime, commit: str) -> Deploy | None:
        if not version:
            return None
        name = (told.deployment or f"event-{told.number}")[: LONGEST - len(ending)] + ending
        where = (self._settings.environment or self._site.environment)[:LONGEST]
        release = release_name(self._settings.release, self._site.application, self._site.environment, version)
        url = next((link for link in told.links.values() if link.startswith("https://")), "")
        return Deploy(release, version, name, where, began, told.at, commit, url)

    def _make(self, deploy: Deploy, seconds: float) -> Memory:
        self._client.begin(seconds)
        self._post("/releases/", self._release(deploy), "version")
        deploys = f"/releases/{quote(deploy.release, safe='')}/deploys/"
        if not any(deploy.name in names for names in self._client.pages(deploys, [("per_page", "100")], _names)):
            self._post(deploys, self._body(deploy), "environment")
        return {"version": deploy.version}

    def _post(self, path: str, body: Mapping[str, Json], shown: str) -> None:
        """201, or 208 for a release that is there already. Raises ``Undeliverable`` for what was understood, and
        would be refused again. ``shown``: what the answer repeats, or it is a page of somebody else."""
        answer = self._client.ask("POST", path, json=body)
        if 200 <= answer.status < 300:
            self._client.check_written(answer)
            return
        error = self._client.refused(answer)
        if answer.status in (400, 409, 413, 422):
            raise Undeliverable(error.what, do=error.do)
        raise error

    def _release(self, deploy: Deploy) -> dict[str, Json]:
        body: dict[str, Json] = {"version": deploy.release, "projects": list(self._settings.project)}
        if self._settings.repository and deploy.commit:
            body["refs"] = [{"repository": self._settings.repository, "commit": deploy.commit}]
        return body

    def _body(self, deploy: Deploy) -> dict[str, Json]:
        body: dict[str, Json] = {
            "environment": deploy.environment,
            "name": deploy.name,
            "projects": list(self._settings.project),
            "dateStarted": _text(deploy.began),
            "dateFinished": _text(deploy.ended),
        }
        return {**body, "url": deploy.url} if deploy.url else body


def _names(found: Any) -> set[str]:
    if not isinstance(found, list):
        raise TypeError("a list of deploys is needed")
    return {str(each["name"]) for each in found}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
