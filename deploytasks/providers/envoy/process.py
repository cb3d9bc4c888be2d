"""The managed Envoy of one environment as a process: started, changed, stopped, diagnosed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, Unreachable, UsageError
from ...ports import COLORS, Call, Calls, Color, Finding
from ...verdict.ladder import LADDER
from ..site import Site
from . import binary, listening, managed, page
from .bootstrap import Files, Upstream, host_and_port, render
from .place import Launch, Place, asleep, choose_sockets

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


class Process:
    """What ``Traffic`` is when it is ours. A rollback does without it, and does not wait for its import."""

    def __init__(self, settings: TrafficSettings, site: Site, place: Place) -> None:
        self._settings = settings
        self._site = site
        self._place = place

    def prepare(self) -> Calls:
        """Start it, or apply a changed configuration; nothing when it runs as it should."""
        launch = self._launch()
        need = managed.need(self._place, launch)
        if need is None:
            return ()
        colors = ", ".join(f"{color} {' '.join(each.addresses)}" for color, each in self._colors().items())
        verb = "start" if need == "start" else "apply the changed configuration, without losing a request,"
        text = f"envoy: {verb} on {self._settings.listen} in front of {colors} (configuration {launch.digest})"
        return [[Call(text, partial(self._bring_up, launch))]]

    def shut_down(self) -> Calls:
        """Stop it; nothing when it does not run."""
        if not self._place.read_state().alive:
            return ()
        return [[Call(f"envoy: stop on {self._settings.listen}", partial(managed.stop, self._place))]]

    def _bring_up(self, launch: Launch, timeout: float) -> None:
        try:
            page.ensure(self._place.page, page.settings_of(self._site), self._site)
            managed.bring_up(self._place, launch, self._settings.listen, timeout)
        except OSError as error:
            what = f"envoy cannot be started: {error}"
            raise Unreachable(what, state="nothing was changed", do=f"mend {self._place.folder}") from error

    def _launch(self) -> Launch:
        settings, place = self._settings, self._place
        log = str(self._site.path(settings.access_log)) if settings.access_log else None
        sockets = choose_sockets(place.folder)
        files = Files(str(sockets / "admin.sock"), str(place.layer.link), str(place.page), log)
        retry_after = page.settings_of(self._site).retry_after
        config = render(settings, self._colors(), files, LADDER, retry_after)
        program = binary.find(settings.binary, self._site)
        return Launch(str(program), settings.drain or settings.timeout + 5, str(sockets), config)

    def _colors(self) -> Mapping[Color, Upstream]:
        """Where the colors listen: by our own settings, or else by the fleet's."""
        own, fleet = self._settings.colors, self._site.sections.get("fleet")
        if own is not None:
            return {color: Upstream((getattr(own, color),)) for color in COLORS}
        addresses: Callable[[Color], Sequence[str]] | None = getattr(fleet, "addresses", None)
        if addresses is None:
            raise UsageError(
                "envoy does not know where the colors listen",
                do="set fleet.colors or traffic.colors: {blue: 127.0.0.1:8101, green: 127.0.0.1:8102}",
            )
        health = getattr(fleet, "health", "/")
        return {color: Upstream(tuple(addresses(color)), health) for color in COLORS}

    # -- doctor --------------------------------------------------------------

    def findings(self) -> Iterator[Finding]:
        """The program, the port, and who supervises it; ends early when it does not run."""
        yield self._program()
        state = self._place.read_state()
        yield self._port(is_ours=bool(state.alive))
        if not state.alive:
            yield asleep("traffic: envoy", self._place)
        elif not state.is_supervised:
            yield Finding("traffic: supervisor", "warn", "has died", "the next deployment takes Envoy over")

    def _program(self) -> Finding:
        subject = "traffic: program"
        try:
            path = binary.find(self._settings.binary, self._site)
            return Finding(subject, "ok", f"Envoy {binary.version(path)} at {path}")
        except DeployError as error:
            return Finding(subject, "fail", error.what, error.do)

    def _port(self, *, is_ours: bool) -> Finding:
        subject = f"traffic: listen {self._settings.listen}"
        if is_ours:
            return Finding(subject, "ok", "ours")
        why = listening.problem(*host_and_port(self._settings.listen))
        if why is None:
            return Finding(subject, "ok", "free")
        return Finding(subject, "fail", why, "stop what holds the port, or set traffic.listen to another one")
