"""A fleet whose hosts are two services of ECS: what ``ports.Fleet`` promises."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Self

from ....errors import CommandsFailed, GateRefused, TakenBack, UsageError
from ....ports import COLORS, Call, Calls, Color, Finding, Health, Hear, Installed, Release
from ....settings.ecs import EcsFleetSettings
from ...site import Site
from . import image, logs, oneoff, revision, settling
from .asking import Ecs, tags_of
from .health import health
from .owning import require_ours

_NONE = "none"
"""What a service's tag ``current`` says when it has no release."""
_BACK = 3600.0
"""Seconds back in which the last lines of a log are looked for."""


class EcsFleet:
    """The services of both colors. A service's tag ``deploytasks:current`` names the revision that is its release: the
    one it has, or will have when it is started."""

    def __init__(self, settings: EcsFleetSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._ecs = Ecs(settings, site)
        self._only: Mapping[Color, str] = {color: settings.services[color] for color in COLORS}

    # -- who -----------------------------------------------------------------

    def hosts(self, color: Color | None = None) -> Sequence[str]:
        """The names of the services."""
        return [name for at, name in self._only.items() if color in (None, at)]

    def only(self, hosts: Collection[str]) -> Self:
        """The same fleet, as if it had these services and no other."""
        fewer = copy.copy(self)
        fewer._only = {color: name for color, name in self._only.items() if name in hosts}  # noqa: SLF001  # our own
        return fewer

    def _name(self, color: Color) -> str:
        if color not in self._only:
            raise UsageError(f"no service has {color}", do="leave fewer hosts out")
        return self._only[color]

    # -- reading -------------------------------------------------------------

    def colors(self) -> Mapping[Color, Installed | None]:
        """What stands on both colors, in three requests."""
        services = self._services()
        return {color: self._standing(services[self._only[color]]) if color in self._only else None for color in COLORS}

    def installed(self, color: Color) -> Installed | None:
        """What stands on a color."""
        return self._standing(self._service(color))

    def health(self, color: Color) -> Health:
        """Its tasks, their targets, and its health page."""
        return health(self._settings, self._site, self._service(color), self.address(color))

    def address(self, color: Color) -> str:
        return self._settings.addresses[color]

    def limits(self) -> Mapping[str, tuple[int, int | None]]:
        """How many tasks each service wants, and how many auto-scaling lets it have (``None``: it has no say)."""
        from .scaling import limits

        return limits(self._settings, self._site, self._services())

    def _services(self) -> Mapping[str, Mapping[str, Any]]:
        found = self._ecs.services(list(self._only.values()))
        for service in found.values():
            require_ours(service)
        return found

    def _service(self, color: Color) -> Mapping[str, Any]:
        found = self._ecs.service(self._name(color))
        require_ours(found)
        return found

    def _standing(self, service: Mapping[str, Any]) -> Installed | None:
        current = _current(service)
        if current is None:
            return None
        _, said = self._ecs.definition(current)
        runs = settling.primary_of(service).get("taskDefinition") == current
        well = runs and int(service["desiredCount"]) > 0 and not settling.unsettled(service)
        some = int(service["runningCount"]) > 0
        return revision.installed(said, current.rpartition("/")[2], running=well, partly=some)

    # -- writing -------------------------------------------------------------

    def install(self, release: Release, color: Color) -> Calls:
        """Find the image, register a revision that names it by its digest, and note it on the service."""
        name = self._name(color)
        shown = image.wanted(self._settings.image, release)
        text = f"{name}: register {release.name} as a revision of its task definition, image {shown}"
        return [[Call(text, partial(self._install, release, color), name)]]

    def _install(self, release: Release, color: Color, timeout: float) -> None:
        del timeout
        service = self._service(color)
        found = image.find(self._settings.image, release, self._site)
        definition, _ = self._ecs.definition(str(settling.primary_of(service)["taskDefinition"]))
        container = revision.container_of(definition, self._settings.container)
        wanted = revision.made_of(definition, container, found.pinned, release)
        self._note(service, color, self._there(wanted) or self._register(wanted))

    def _note(self, service: Mapping[str, Any], color: Color, current: str) -> None:
        del color  # it has a service of its own
        self._ecs.tag(service, current=current)

    def _there(self, wanted: Mapping[str, Any]) -> str | None:
        """The newest revision, when it is this one already: an answer was lost, or it is installed again."""
        for arn in self._ecs.definitions(wanted["family"])[:2]:
            if revision.is_made(*self._ecs.definition(arn), wanted):
                return arn
        return None

    def _register(self, wanted: Mapping[str, Any]) -> str:
        answer = self._ecs.call(f"register a revision of {wanted['family']}", "register_task_definition", **wanted)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def switch(self, color: Color, release: str | None) -> Calls:
        """Note another release on the service: the newest revision that has it."""
        name = self._name(color)
        text = f"{name}: make {release or 'nothing'} its current release"
        return [[Call(text, partial(self._switch, color, release), name)]]

    def _switch(self, color: Color, release: str | None, timeout: float) -> None:
        del timeout
        service = self._service(color)
        self._note(service, color, _NONE if release is None else self._revision(service, release))

    def _revision(self, service: Mapping[str, Any], release: str) -> str:
        """The newest revision of the service's family that is this release."""
        has = str(settling.primary_of(service)["taskDefinition"])
        family = has.rpartition("/")[2].rpartition(":")[0]
        for arn in dict.fromkeys((has, *self._ecs.definitions(family))):
            if release in (self._ecs.definition(arn)[1].get("release"), arn.rpartition("/")[2].replace(":", "-")):
                return arn
        raise GateRefused(f"no revision of {family} is {release}", do="deploy that version: it is registered anew")

    def start(self, color: Color, *, as_before: bool = False) -> Calls:
        """Give the service its current revision and its tasks, and wait until it is stable and healthy. A revision
        never changes, so it starts as it did before."""
        del as_before
        name = self._name(color)
        within = f"{self._settings.start_within:g} s"
        text = f"{name}: start its current release with {self._settings.count} tasks or more, stable within {within}"
        return [[Call(text, partial(self._start, color), name)]]

    def _start(self, color: Color, timeout: float) -> None:
        del timeout  # starting a fleet takes as long as it is allowed to
        services = self._services()
        service = services[self._name(color)]
        current = _current(service)
        if current is None:
            raise GateRefused(f"no release is current on {color}", do="`inv install` first")
        count = max(self._settings.count, *(int(one["desiredCount"]) for one in services.values()))
        runs = settling.primary_of(service)
        is_broken = runs.get("rolloutState") == "FAILED"
        if runs.get("taskDefinition") != current or int(service["desiredCount"]) != count or is_broken:
            self._ecs.ask(
                f"start {service['serviceName']}",
                "update_service",
                service=service["serviceName"],
                taskDefinition=current,
                desiredCount=count,
                **({"forceNewDeployment": True} if is_broken else {}),
            )
        settling.stable(self._ecs, service["serviceName"], self._settings.start_within, partial(self._ill, color))

    def _ill(self, color: Color) -> str:
        found = self.health(color)
        return "" if found.healthy else found.detail

    def stop(self, color: Color) -> Calls:
        """No task any more; the balancer lets their requests end, for as long as its target group says."""
        name = self._name(color)
        return [[Call(f"{name}: scale to no task", partial(self._stop, color), name)]]

    def _stop(self, color: Color, timeout: float) -> None:
        del timeout
        name = self._name(color)
        service = self._service(color)
        if int(service["desiredCount"]):
            self._ecs.ask(f"stop {name}", "update_service", service=name, desiredCount=0)
        settling.emptied(self._ecs, name, self._settings.stop_within)

    def run(self, color: Color, command: str, what: str) -> Call:
        """Run a command in a task of its own, by the current revision of a color."""
        return Call(f"{self._name(color)}: {what} on {color}: {command}", partial(self._run, color, command, what))

    def _run(self, color: Color, command: str, what: str, timeout: float) -> None:
        del timeout
        said: list[str] = []
        code = self._one_task(color, command, what, said.append)
        if code != 0:
            raise TakenBack(
                "\n".join([f"{what} failed on {color} with code {code}", *said[-20:]]),
                do="its task's log has all of it; mend it, then try again",
            )

    def command(self, color: Color, command: str, hear: Hear) -> Calls:
        """The same, for people: once, whatever the number of tasks."""
        name = self._name(color)

        def run(timeout: float) -> None:
            del timeout
            logs.required(*self._container(color))
            code = self._one_task(color, command, "run", partial(hear, name))
            hear(name, code)
            if code:
                raise CommandsFailed(f"{name}: the command ended with {code}")

        return [[Call(f"{name}: run in a task of its own on {color}: {command}", run, name)]]

    def _one_task(self, color: Color, command: str, what: str, hear: Callable[[str], None]) -> int:
        service = self._service(color)
        current = _current(service)
        if current is None:
            raise GateRefused(f"no release is current on {color}", do="`inv install` first")
        container = revision.container_of(self._ecs.definition(current)[0], self._settings.container)
        return oneoff.run(self._ecs, service, current, container, command, what, hear)

    def _container(self, color: Color) -> tuple[Mapping[str, Any], str]:
        service = self._service(color)
        definition, _ = self._ecs.definition(_current(service) or str(service["taskDefinition"]))
        return definition, revision.container_of(definition, self._settings.container)

    def follow(self, color: Color, lines: int, hear: Hear) -> None:
        """The lines of all its tasks, from CloudWatch Logs, until interrupted."""
        place = logs.required(*self._container(color))
        seen: set[str] = set()
        since = logs.ago(_BACK)
        found = logs.recent(self._site, place, since, seen)[-lines:] if lines else []
        while True:
            for task, line in found:
                hear(f"{self._name(color)}/{task[:8]}", line)
            time.sleep(self._settings.poll)
            found = logs.recent(self._site, place, logs.ago(_BACK / 60), seen)

    def prune(self, keep: int, spare: Sequence[str] = ()) -> Calls:
        """Deregister revisions of ours that are too old to go back to."""
        text = f"deregister all but the newest {keep} releases{', sparing ' + ', '.join(spare) if spare else ''}"
        return [[Call(text, partial(self._prune, keep, spare))]]

    def _prune(self, keep: int, spare: Sequence[str], timeout: float) -> None:
        from .pruning import too_old

        del timeout
        for arn in too_old(self._ecs, self._services(), keep, spare):
            name = arn.rpartition("/")[2]
            self._ecs.call(f"deregister {name}", "deregister_task_definition", taskDefinition=arn)

    # -- diagnosing ----------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        """The cluster, both services, and who decides about their traffic."""
        from .diagnosing import diagnose

        return diagnose(self._ecs, list(self._only.values()), self._settings.container)


def _current(service: Mapping[str, Any]) -> str | None:
    """The revision that is a service's release; without a note of ours, the one it has."""
    noted = tags_of(service).get("current", str(settling.primary_of(service).get("taskDefinition", "")))
    return None if noted in (_NONE, "") else noted
