"""Hosts behind AWS Systems Manager as the fleet: no SSH, and one command for hundreds of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from ...errors import DeployError
from ...ports import Call, Calls, Color, Finding, Health, Hear, Installed, Release
from ...settings.ssm_fleet import SsmFleetSettings
from ..hosts import commands
from ..hosts.fleet import HostFleet, Work
from ..hosts.host import Member
from ..site import Site
from .ssm.broker import Broker, Crowd
from .ssm.bucket import Bucket
from .ssm.flight import Sender
from .ssm.host import SsmHost
from .ssm.roll import Agent, Roll
from .ssm.wrapping import AT

T = TypeVar("T")
_LOOK = 30.0
"""Seconds for a command that only looks."""


class SsmFleet(HostFleet):
    """``fleet: {kind: ssm}``: releases on EC2 instances, and on any other machine that SSM knows."""

    _lists = False  # hundreds of long answers, each of which takes a request

    def __init__(self, settings: SsmFleetSettings, site: Site) -> None:
        root = settings.root or f"/srv/{site.application}"
        super().__init__(settings, self._found, root, parallel=settings.at_once, batch=settings.batch)
        self._own = settings
        self._bucket = Bucket(settings, site)
        self._roll = Roll(settings, site)
        self._broker = Broker(Sender(settings, site, self._roll, self._bucket, root).carry_out)
        self._all: Sequence[Member] = ()
        self._is_whole = True

    def only(self, hosts: Collection[str]) -> Self:
        fewer = super().only(hosts)
        fewer._is_whole = False  # noqa: SLF001  # our own
        return fewer

    def _found(self) -> Sequence[Member]:
        """The hosts of the first look."""
        if not self._all:
            self._all = tuple(self._member(*one) for one in self._roll.first().values())
        return self._all

    def _member(self, agent: Agent, colors: Sequence[Color]) -> Member:
        host, ports = SsmHost(agent, self._broker), self._own.ports
        return Member(
            host,
            {color: f"{AT}:{ports[color]}" for color in colors},
            {color: f"{agent.address or agent.instance_id}:{ports[color]}" for color in colors},
            host if self._own.ask == "host" else None,
        )

    # -- reading -------------------------------------------------------------

    def colors(self) -> Mapping[Color, Installed | None]:
        return {color: self._with_newcomers(color, found) for color, found in super().colors().items()}

    def installed(self, color: Color) -> Installed | None:
        return self._with_newcomers(color, super().installed(color))

    def _with_newcomers(self, color: Color, found: Installed | None) -> Installed | None:
        """Name who came while we were at work: he has nothing, and is brought along by the next deployment."""
        if found is None or not self._is_whole:
            return found
        came = dict.fromkeys(self._roll.newcomers(color), "came after this began")
        return found._replace(odd={**found.odd, **came}) if came else found

    def health(self, color: Color) -> Health:
        found = super().health(color)
        came = self._roll.newcomers(color) if self._is_whole else ()
        return found._replace(detail=f"{found.detail}; came since: {', '.join(came)}") if came else found

    def address(self, color: Color) -> str:
        """What ``urls`` says, or the first host's."""
        return self._own.urls[color].rstrip("/") if self._own.urls else super().address(color)

    def _asked(self, members: Sequence[Member], ask: Callable[[Member], T]) -> Mapping[str, T]:
        crowd = Crowd([member.host.name for member in members])

        def asking(member: Member) -> T:
            with self._broker.there(crowd, member.host.name):
                return ask(member)

        return super()._asked(members, asking)

    # -- writing -------------------------------------------------------------

    def install(self, release: Release, color: Color) -> Calls:
        """Put the archive into the bucket, if it is not there; then as everywhere."""
        calls = self._carefully(super().install(release, color))
        where = f"s3://{self._bucket.name}/{self._bucket.key(release.digest)}"
        put = Call(f"put {release.name} at {where}, unless it is there", partial(self._put, release))
        return [[put], *calls] if calls else calls

    def _put(self, release: Release, timeout: float) -> None:
        """Where the archive is not here, the hosts may have the release already; else they say what is missing."""
        del timeout
        archive = Path(release.archive)
        if archive.is_file():
            self._bucket.put(archive)

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        calls = super().start(color, as_before=as_before)
        return calls if as_before else self._carefully(calls)

    def _carefully(self, calls: Calls) -> Calls:
        """Begun nowhere else once more have failed than may."""

        def careful(perform: Callable[[float], None], timeout: float) -> None:
            with self._broker.carefully():
                perform(timeout)

        return [[call._replace(perform=partial(careful, call.perform)) for call in batch] for batch in calls]

    def _everywhere(
        self, members: Sequence[Member], text: str | Callable[[Member], str], work: Work, size: int = 0
    ) -> Calls:
        def together(batch: Sequence[Call]) -> list[Call]:
            crowd = Crowd([call.host for call in batch])
            return [call._replace(perform=partial(at_work, crowd, call)) for call in batch]

        def at_work(crowd: Crowd, call: Call, timeout: float) -> None:
            with self._broker.at_work(crowd, call.host):
                call.perform(timeout)

        return [together(batch) for batch in super()._everywhere(members, text, work, size)]

    def follow(self, color: Color, lines: int, hear: Hear) -> None:
        """The last lines of each host: SSM hands on nothing while a command runs."""
        line = commands.tail(self._layout, color, lines)
        for host, said in self._asked(self._of(color), lambda member: member.host.run(line, _LOOK)).items():
            for one in said.splitlines():
                hear(host, one)

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """Bucket and agents, then what every fleet looks at, on those that answer."""
        from .ssm.diagnosing import agents, bucket, curls

        try:
            first = self._roll.first()
        except DeployError as error:
            return [Finding("ssm", "fail", error.what, error.do), bucket(self._bucket)]
        found = [bucket(self._bucket), agents([agent for agent, _ in first.values()])]
        return [*found, *curls(self._members), *super().diagnose()]
