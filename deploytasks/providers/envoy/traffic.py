"""Traffic through Envoy: one that we start and supervise, or one that is there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, SplitMoved, Unreachable, UsageError
from ...ports import COLORS, Call, Calls, Color, Finding, Split
from ...verdict.ladder import LADDER
from ..site import Site
from . import binary, listening, managed, page
from .bootstrap import Files, host_and_port, render
from .keys import Keys, in_words, split_from, split_keys
from .place import Launch, choose_sockets
from .runtime import Runtime

if TYPE_CHECKING:
    from ...settings.envoy import TrafficSettings


class Traffic:
    """The balancer of one environment."""

    def __init__(self, settings: TrafficSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._runtime = Runtime(settings, site)
        self._place = self._runtime.place

    def address(self) -> str:
        """``public``, or else where we listen."""
        if self._settings.public:
            return self._settings.public.rstrip("/")
        host, _, port = self._settings.listen.rpartition(":")
        anywhere = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  # read, never bound
        return f"http://{anywhere.get(host, host)}:{port}"

    # -- the split -----------------------------------------------------------

    def read(self) -> Split:
        return split_from(self._runtime.in_force(), self._settings.prefix)

    def at_rest(self) -> Split:
        return split_from(self._runtime.at_rest(), self._settings.prefix)

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        changes = split_keys(to, self._settings.prefix)
        return Call(f"envoy runtime: {in_words(changes)}", partial(self._shift, to, expect))

    def _shift(self, to: Split, expect: Split | None, timeout: float) -> None:
        changes = split_keys(to, self._settings.prefix)
        if expect is None:
            self._runtime.change(changes, timeout)
        else:
            self._runtime.change(changes, timeout, partial(self._compare, expect), alone=True)

    def _compare(self, expect: Split, written: Keys) -> None:
        found = split_from(written, self._settings.prefix)
        if found != expect:
            raise SplitMoved(
                f"traffic was moved by someone else: {_described(found)}",
                state=f"nothing was written; expected was {_described(expect)}",
                do=f"`inv status --env {self._site.environment}` and `inv history` say who is at work",
            )

    # -- the process ---------------------------------------------------------

    def prepare(self) -> Calls:
        if not self._settings.managed:
            return ()
        launch = self._launch()
        need = managed.need(self._place, launch)
        if need is None:
            return ()
        colors = ", ".join(f"{color} {address}" for color, address in self._colors().items())
        verb = "start" if need == "start" else "apply the changed configuration, without losing a request,"
        text = f"envoy: {verb} on {self._settings.listen} in front of {colors} (configuration {launch.digest})"
        return [[Call(text, partial(self._bring_up, launch))]]

    def shut_down(self) -> Calls:
        if not self._settings.managed or not self._place.read_state().alive:
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

    def _colors(self) -> Mapping[Color, str]:
        """Where the colors listen: by our own settings, or else by the fleet's."""
        found = self._settings.colors or getattr(self._site.sections.get("fleet"), "colors", None)
        if found is None:
            raise UsageError(
                "envoy does not know where the colors listen",
                do="set fleet.colors or traffic.colors: {blue: 127.0.0.1:8101, green: 127.0.0.1:8102}",
            )
        read = found.__getitem__ if isinstance(found, Mapping) else partial(getattr, found)
        return {color: str(read(color)) for color in COLORS}

    # -- doctor --------------------------------------------------------------

    def diagnose(self) -> Sequence[Finding]:
        return list(self._findings())

    def _findings(self) -> Iterator[Finding]:
        if self._settings.managed:
            yield self._program()
            state = self._place.read_state()
            yield self._port(is_ours=bool(state.alive))
            if not state.alive:
                yield Finding("traffic: envoy", "warn", "does not run", "the next deployment starts it")
                return
            if not state.is_supervised:
                yield Finding("traffic: supervisor", "warn", "has died", "the next deployment takes Envoy over")
        yield self._balancer()

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

    def _balancer(self) -> Finding:
        subject = "traffic: split"
        try:
            split = self.read()
            return Finding(subject, "ok", f"{_described(split)} (Envoy {self._runtime.admin.version()})")
        except DeployError as error:
            return Finding(subject, "fail", error.what, error.do)


def _described(split: Split) -> str:
    return f"{split.weights()}, way back {split.way_back or 'none'}, written by {split.writer or 'nobody'}"
