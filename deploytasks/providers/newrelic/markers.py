"""Marks of deployments in New Relic's graphs: change tracking.

An event is preferred (``changeTrackingCreateEvent``); an account that has none yet gets the older deployment marker
(``changeTrackingCreateDeployment``). Neither has a key by which a second one would be the same, so that it is noted
what was marked; a mark whose answer was lost may stand there twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from ...bulletins import Bulletin, Memory, Sending
from ...errors import DeployError, Undeliverable, Unreachable, UsageError
from ...ports import COLORS, Finding
from . import nrql
from .graph import Declined, NerdGraph

if TYPE_CHECKING:
    from ...settings.newrelic import NewRelicMarkerSettings
    from ..site import Site

FORTH = frozenset({"finished"})
BACK = frozenset({"rolled-back", "taken-back", "switch-fired"})
"""Changes after which users have another version than before: these are marked."""
OLDEST = timedelta(hours=23, minutes=30)
"""Of what may be marked where it happened: New Relic takes a day."""
LONGEST = 4000
"""Characters of a text; New Relic keeps 4,096."""
UNSEEN = frozenset({"install", "migrate", "retire", "backup-database", "restore-database"})
"""Tasks that bring no other version to users."""

_SEARCH = "query($query:String!){actor{entitySearch(query:$query){count results{entities{guid name reporting}}}}}"
_EVENT = (
    "changeTrackingCreateEvent(changeTrackingEvent:$m{0}){{changeTrackingEvent{{changeTrackingId}} messages}}",
    "ChangeTrackingCreateEventInput!",
)
_DEPLOYMENT = ("changeTrackingCreateDeployment(deployment:$m{0}){{deploymentId}}", "ChangeTrackingDeploymentInput!")


def _clock() -> datetime:
    return datetime.now(UTC)


class Markers:
    """The ``Recipient`` that marks one application, or that of each color."""

    def __init__(self, settings: NewRelicMarkerSettings, site: Site, now: Callable[[], datetime] = _clock) -> None:
        self._settings, self._now = settings, now
        self._graph = NerdGraph(settings, site)

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        """A mark where a deployment ended well, and where traffic went back; nothing that was marked already."""
        if bulletin.change not in FORTH | BACK or bulletin.task in UNSEEN or not _version(bulletin):
            return None
        if memory.get("marked") == bulletin.number:
            return None
        what = "a deployment of" if bulletin.change in FORTH else "the way back to"
        text = f"mark {what} {_version(bulletin)} at New Relic ({self._what})"
        return Sending(text, partial(self._mark, bulletin, memory))

    def diagnose(self) -> Sequence[Finding]:
        """Whether what is to be marked can be found. That a mark is allowed shows when one is made."""
        subject = "markers: newrelic"
        try:
            guids = self._entities(time.monotonic() + self._settings.within)
        except DeployError as error:
            return [Finding(subject, "fail", error.what, error.do)]
        return [Finding(subject, "ok", f"{self._what}: {'1 entity' if len(guids) == 1 else f'{len(guids)} entities'}")]

    @property
    def _what(self) -> str:
        return self._settings.entity or " and ".join(self._names)

    @property
    def _names(self) -> Sequence[str]:
        if self._settings.apps is not None:
            return [str(getattr(self._settings.apps, color)) for color in COLORS]
        return [self._settings.app] if self._settings.app is not None else []

    def _mark(self, bulletin: Bulletin, memory: Memory, seconds: float) -> Memory:
        until = time.monotonic() + min(seconds, self._settings.within)
        guids = self._entities(until)
        now = self._now()
        try:
            self._made(_EVENT, [_event(bulletin, guid, now) for guid in guids], until)
        except Declined as error:
            if error.passes:
                raise
            self._made_as_before(bulletin, guids, now, until, error)
        return {**memory, "marked": bulletin.number}

    def _made_as_before(
        self, bulletin: Bulletin, guids: Sequence[str], now: datetime, until: float, first: Declined
    ) -> None:
        try:
            self._made(_DEPLOYMENT, [_deployment(bulletin, guid, now) for guid in guids], until)
        except Declined as error:
            if error.passes:
                raise
            raise Undeliverable(f"{first.what}; and of the older kind of marker: {error.what}", do=error.do) from error

    def _made(self, mutation: tuple[str, str], given: Sequence[Mapping[str, Any]], until: float) -> None:
        """One request for all."""
        field, kind = mutation
        declared = ",".join(f"$m{at}:{kind}" for at in range(len(given)))
        fields = " ".join(f"m{at}:{field.format(at)}" for at in range(len(given)))
        variables = {f"m{at}": each for at, each in enumerate(given)}
        found = self._graph.ask(f"mutation({declared}){{{fields}}}", variables, until)
        self._graph.understand(lambda data: [dict(data[name]) for name in variables], found)

    def _entities(self, until: float) -> list[str]:
        """GUIDs. Raises ``Unreachable`` where nothing has a name, and ``UsageError`` where several have."""
        if self._settings.entity is not None:
            return [self._settings.entity]
        return [self._entity(name, until) for name in self._names]

    def _entity(self, name: str, until: float) -> str:
        found = self._graph.ask(_SEARCH, {"query": nrql.entities(name, self._graph.account)}, until)
        entities = self._graph.understand(_found, found)
        # A search takes punctuation for spaces; and what was taken down is kept for a while.
        same = [each for each in entities if each["name"] == name]
        alive = [each for each in same if each.get("reporting")] or same
        where = f"called {name!r} in account {self._graph.account}"
        if not alive:
            raise Unreachable(
                f"New Relic has no entity {where}",
                do="see that its agent reports; mend the name, or say a GUID in `entity`",
            )
        if len(alive) > 1:
            raise UsageError(f"New Relic has {len(alive)} entities {where}", do="say the GUID of one in `entity`")
        return str(alive[0]["guid"])


def _found(data: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = [dict(each) for each in data["actor"]["entitySearch"]["results"]["entities"]]
    for each in found:
        str(each["guid"]), str(each["name"])
    return found


def _version(bulletin: Bulletin) -> str:
    """What users have from now on."""
    return (bulletin.previous if bulletin.change in BACK else "") or bulletin.version


def _event(bulletin: Bulletin, guid: str, now: datetime) -> Mapping[str, Any]:
    about = {"version": _version(bulletin), **_about(bulletin)}
    return {
        "categoryAndTypeData": {
            "categoryFields": {"deployment": about},
            "kind": {"category": "deployment", "type": "Blue Green"},
        },
        "entitySearch": {"query": f"id = '{guid}'"},
        **_circumstances(bulletin, now),
    }


def _deployment(bulletin: Bulletin, guid: str, now: datetime) -> Mapping[str, Any]:
    return {
        "entityGuid": guid,
        "version": _version(bulletin),
        "deploymentType": "BLUE_GREEN",
        **_about(bulletin),
        **_circumstances(bulletin, now),
    }


def _about(bulletin: Bulletin) -> dict[str, str]:
    """Of the version. One that users went back to has another commit, and its notes were told once."""
    if bulletin.change in BACK:
        return _filled(deepLink=next(iter(bulletin.links.values()), ""))
    return _filled(commit=bulletin.commit, changelog=bulletin.notes, deepLink=next(iter(bulletin.links.values()), ""))


def _circumstances(bulletin: Bulletin, now: datetime) -> dict[str, Any]:
    description = f"{bulletin.headline}\n{bulletin.why}".strip()
    is_recent = abs(now - bulletin.at) < OLDEST
    if not is_recent:
        description = f"{bulletin.at:%Y-%m-%d %H:%M:%S} UTC: {description}"
    told = _filled(description=description, user=bulletin.who, groupId=bulletin.deployment)
    return {**told, **({"timestamp": int(bulletin.at.timestamp() * 1000)} if is_recent else {})}


def _filled(**texts: str) -> dict[str, str]:
    return {name: text[:LONGEST] for name, text in texts.items() if text}
