"""Who is there: the instances of a fleet, as SSM knows them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ....errors import DeployError, UsageError
from ....ports import COLORS, Color
from ....settings.ssm_fleet import SsmFleetSettings
from ...site import Site
from ..session import Known, client, translated

ONLINE = "Online"
_KEPT = 30.0
"""Seconds after which they are looked for again."""
_MOST = 50
_GONE = frozenset({"terminated", "shutting-down"})
_ADDRESS = re.compile(r"[A-Za-z0-9.:-]+")


class Agent(NamedTuple):
    """SSM's agent on an instance."""

    instance_id: str
    ping: str
    """``Online``, ``ConnectionLost``, ``Inactive``; empty: SSM does not know the instance."""
    address: str = ""
    version: str = ""
    platform: str = "Linux"
    seen: str = ""
    """When it was heard of last."""

    @property
    def why_lost(self) -> str:
        """Why nothing can be run there; empty when something can."""
        if not self.ping:
            return "SSM does not know it: is its agent running, with a role that may use SSM?"
        since = f" (heard of last at {self.seen})" if self.seen else ""
        return "" if self.ping == ONLINE else f"its agent is not online: {self.ping}{since}"


class Roll:
    """The agents of both colors. Whoever deploys works with those that were there at its first look."""

    def __init__(self, settings: SsmFleetSettings, site: Site, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._site = site
        self._clock = clock
        self._lock = threading.Lock()
        self._first: Mapping[str, tuple[Agent, tuple[Color, ...]]] | None = None
        self._now: Mapping[str, tuple[Agent, tuple[Color, ...]]] = {}
        self._looked = 0.0

    @cached_property
    def _ssm(self) -> Any:
        return client("ssm", self._site)

    def first(self) -> Mapping[str, tuple[Agent, tuple[Color, ...]]]:
        """The agents of the first look, by their ids, and the colors of each. Raises ``UsageError`` when there is
        none, or one of a kind that we cannot work with."""
        with self._lock:
            if self._first is None:
                self._first = self._now = self._looked_up()
                self._looked = self._clock()
            return self._first

    def newcomers(self, color: Color) -> Sequence[str]:
        """The instances of a color that came after the first look. It is looked again at most every half minute."""
        first = self.first()
        with self._lock:
            if self._clock() - self._looked > _KEPT:
                self._looked = self._clock()
                self._now = self._looked_up()
            return [name for name, (_, colors) in self._now.items() if color in colors and name not in first]

    def agents(self, ids: Collection[str]) -> dict[str, Agent]:
        """The agents of these instances as they are now."""
        found: dict[str, Agent] = {}
        for some in _pieces(sorted(ids)):
            found |= {one.instance_id: one for one in self._described([{"Key": "InstanceIds", "Values": some}])}
        return {name: found.get(name, Agent(name, "")) for name in ids}

    # -- looking -------------------------------------------------------------

    def _looked_up(self) -> Mapping[str, tuple[Agent, tuple[Color, ...]]]:
        by_color = self._by_ids() if self._settings.instances is not None else self._by_tags()
        agents = {name: agent for of in by_color.values() for name, agent in of.items()}
        _refuse_strangers(agents.values())
        return {name: (agent, tuple(c for c in COLORS if name in by_color[c])) for name, agent in agents.items()}

    def _by_ids(self) -> Mapping[Color, Mapping[str, Agent]]:
        ids: dict[Color, tuple[str, ...]] = {color: self._settings.ids_of(color) for color in COLORS}
        agents = self.agents(dict.fromkeys(name for of in ids.values() for name in of))
        return {color: {name: agents[name] for name in ids[color]} for color in COLORS}

    def _by_tags(self) -> Mapping[Color, Mapping[str, Agent]]:
        tags = {color: self._settings.tags_of(color) for color in COLORS}
        blue = self._tagged(tags["blue"])
        return {"blue": blue, "green": blue if tags["green"] == tags["blue"] else self._tagged(tags["green"])}

    def _tagged(self, tags: Mapping[str, str]) -> Mapping[str, Agent]:
        filters = [{"Key": f"tag:{name}", "Values": [value]} for name, value in tags.items()]
        found = {one.instance_id: one for one in self._described(filters)}
        lost = [name for name, one in found.items() if one.ping != ONLINE and name.startswith("i-")]
        gone = self._gone(lost) if lost else set()
        left = {name: one for name, one in found.items() if name not in gone}
        if not left:
            said = ", ".join(f"{name}={value}" for name, value in tags.items())
            raise UsageError(
                f"SSM knows no instance with {said}", do="check the tags, and that their agents are online"
            )
        return left

    def _gone(self, lost: Sequence[str]) -> set[str]:
        """Those that have ended: SSM remembers them for a while. Whoever may not ask takes them for lost."""
        ec2, found = client("ec2", self._site), dict.fromkeys(lost, "terminated")
        try:
            for some in _pieces(lost):
                filters = [{"Name": "instance-id", "Values": some}]
                with translated("describe instances"):
                    answer = ec2.describe_instances(Filters=filters)
                of = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
                found |= {one["InstanceId"]: one["State"]["Name"] for one in of}
        except DeployError:
            return set()
        return {name for name, state in found.items() if state in _GONE}

    def _described(self, filters: Sequence[Mapping[str, Any]]) -> list[Agent]:
        wrong = Known(UsageError, "SSM does not take these tags or ids", "mend `fleet.tags` or `fleet.instances`")
        known = dict.fromkeys(("InvalidFilterKey", "InvalidInstanceInformationFilterValue", "InvalidInstanceId"), wrong)
        with translated("list the instances that SSM knows", known):
            pages = self._ssm.get_paginator("describe_instance_information").paginate(
                Filters=list(filters), PaginationConfig={"PageSize": _MOST}
            )
            return [self._agent(one) for page in pages for one in page["InstanceInformationList"]]

    def _agent(self, said: Mapping[str, Any]) -> Agent:
        seen = said.get("LastPingDateTime")
        return Agent(
            said["InstanceId"],
            said.get("PingStatus", "Inactive"),
            self._settings.at or said.get("IPAddress", ""),
            said.get("AgentVersion", ""),
            said.get("PlatformType", "Linux"),
            f"{seen:%H:%M:%S}" if seen else "",
        )


def _refuse_strangers(agents: Collection[Agent]) -> None:
    odd = [one.instance_id for one in agents if one.platform not in ("Linux", "MacOS")]
    if odd:
        raise UsageError(
            f"these do not run Linux: {', '.join(odd)}", do="leave them out of `fleet.tags` or `instances`"
        )
    lost = [one.instance_id for one in agents if one.ping == ONLINE and not _ADDRESS.fullmatch(one.address)]
    if lost:
        raise UsageError(f"SSM knows no address of {', '.join(lost)}", do="say `fleet.at`, such as 127.0.0.1")


def _pieces(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[start : start + _MOST]) for start in range(0, len(ids), _MOST)]
