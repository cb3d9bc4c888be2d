"""A drill with real deaths: a deployer is killed at each step, and whoever comes next brings order. On this machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .. import interrupt, view
from ..drill import NOBODY, SANE, Death, Point, chosen, point_of, points, rounds
from ..errors import DeployError, GateRefused, OverThreshold, UsageError
from ..visitors import Seen, Visitors
from .at_rest import problems
from .children import started

if TYPE_CHECKING:
    from ..ports import Color, Event
    from ..world import World

LOG = "drill.log"
"""In the state folder: what the deployers and their successors said."""
_LOOK = 0.005
"""Seconds between two looks for the event at which a deployer dies."""
_LONGEST = 900.0
"""Seconds that a deployer, or its successor, may take."""
_GRACE = 30.0
"""Seconds beyond the switch's grace in which it must have fired."""
_OUTLIVED = 60.0
"""Seconds that a successor is refused, and tries again."""


def is_for_this(world: World) -> bool:
    """Whether everything of an environment runs on this machine, and nothing of it matters to anybody: only there a
    deployer is killed."""
    kinds = {name: getattr(world.settings.sections.get(name), "kind", "") for name in ("fleet", "traffic", "store")}
    if world.settings.protected or kinds != {"fleet": "local", "traffic": "envoy", "store": "directory"}:
        return False
    host = urlsplit(world.traffic.address()).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Deaths:
    """A drill in one environment. ``rate``: requests per second of its visitors."""

    def __init__(self, world: World, rate: float) -> None:
        self._world = world
        self._env = world.settings.name
        self._release: tuple[str, ...] = ()
        self._visitors = Visitors(world.traffic.address() + _page(world), rate)

    def drill(self, wanted: Sequence[str], *, thorough: bool, told: Callable[[Death], None]) -> list[Death]:
        """Each round, told as soon as it is over. Raises ``GateRefused`` unless the environment is at rest first, and
        ``OverThreshold`` when not even an undisturbed deployment ends well."""
        self._require_rest()
        self._world.site.folder.mkdir(parents=True, exist_ok=True)
        with interrupt.caught(), self._visitors:
            known, took = self._undisturbed()
            which = chosen(known, wanted, thorough=thorough)
            if not which:
                raise UsageError(
                    f"no step is called {', '.join(wanted)}", do=f"choose of: {', '.join(map(str, known))}"
                )
            found: list[Death] = []
            planned = list(rounds(which, thorough=thorough, switch=self._world.deadman is not None))
            view.say(f"{len(planned)} deaths, about {max(1, round(1.4 * took * len(planned) / 60))} min")
            for point, successor in planned:
                found.append(self._die(point, successor))
                told(found[-1])
            return found

    def would(self, *, thorough: bool) -> str:
        """What it does, in words."""
        each = "each of resume, rollback and deploy" if thorough else "resume, rollback or deploy, by turns,"
        return (
            f"would deploy what is live in {self._env} to the idle color, again and again: kill the deployer at each "
            f"of its steps, have {each} bring order, and count what visitors at {self._world.traffic.address()} lose"
        )

    # -- before ------------------------------------------------------------------

    def _require_rest(self) -> None:
        from .releases import built_release

        wrong = problems(self._world)
        live = self._world.traffic.read().live
        if wrong or live is None:
            raise GateRefused(
                f"{self._env} is not at rest: {'; '.join(wrong) or 'nothing is live'}",
                state="nothing was changed",
                do=f"`inv deploy --env {self._env}` first",
            )
        installed = self._world.fleet.installed(live)
        version = installed.version if installed else ""
        try:
            built_release(self._world, version)
            self._release = ("--version", version)
        except DeployError:
            built_release(self._world, None)  # what is checked out will do; its own error says what to do

    def _undisturbed(self) -> tuple[tuple[Point, ...], float]:
        """A deployment that nobody kills, to know its steps, and how many seconds it takes."""
        view.say(f"one deployment of {self._env} that nobody kills, to know its steps")
        before, began = self._number(), time.monotonic()
        code = self._run(self._deploy())
        took = time.monotonic() - began
        events = list(self._world.ledger.events(after=before))
        if code or (wrong := problems(self._world)):
            raise OverThreshold(
                f"a deployment that nobody disturbed left with code {code}" if code else f"not at rest: {wrong}",
                state=f"what it said is in {self._log()}",
                do="mend that first",
            )
        return points(events, _color(events)), took

    # -- one death ---------------------------------------------------------------

    def _die(self, point: Point, successor: str) -> Death:
        before, seen = self._number(), self._visitors.seen
        home = self._world.traffic.read().live
        with self._started(self._deploy()) as child:
            is_there = self._wait_for(point, before, child)
            child.kill()
            child.wait()
        died, left = time.monotonic(), self._weights()
        code = self._bring_order(successor)
        wrong = [] if is_there else [f"the deployment was over before {point}"]
        wrong += problems(self._world)
        wrong += [] if code in SANE else [f"{successor} left with code {code}"]
        took, counted = time.monotonic() - died, self._visitors.seen.since(seen)
        wrong += _lost(counted)
        after = self._world.traffic.read()
        way = "home" if after.live == home else "forward"
        return Death(
            str(point), successor, left, f"{after.weights()} ({way})", round(took, 1), code, counted.sent, counted.lost,
            tuple(wrong),
        )  # fmt: skip

    def _wait_for(self, point: Point, number: int, child: subprocess.Popen[bytes]) -> bool:
        color: Color | None = None
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until:
            event = self._world.ledger.event(number + 1)
            if event is None:
                if child.poll() is not None:
                    return False
                time.sleep(_LOOK)
                continue
            number = event.number
            color = _color([event]) if event.kind == "began" else color
            if color is not None and point_of(event, color) == point:
                return True
        return False

    def _bring_order(self, successor: str) -> int:
        """The exit code of who came."""
        if successor == NOBODY:
            self._wait_for_the_switch()
            successor = "rollback"
        reason = ("--no-watch", "--reason", "a drill: the deployer was killed") if successor == "rollback" else ()
        arguments = self._deploy() if successor == "deploy" else (successor, "--env", self._env, *reason)
        until = time.monotonic() + _OUTLIVED
        while (code := self._run(arguments)) == GateRefused.exit_code and time.monotonic() < until:
            time.sleep(1.0)  # what the dead one had started on a host may still run: it says so, and wants to be let
        return code

    def _wait_for_the_switch(self) -> None:
        grace = float(getattr(self._world.settings.sections.get("deadman"), "grace", 0.0))
        until = time.monotonic() + grace + _GRACE
        while self._world.traffic.read().is_mixed and time.monotonic() < until:
            time.sleep(0.05)
        if self._world.traffic.read().is_mixed:
            view.say("nobody came, and the dead-man's switch has not fired")

    # -- processes ---------------------------------------------------------------

    def _deploy(self) -> tuple[str, ...]:
        return ("deploy-blue-green", "--env", self._env, *self._release, "--redeploy")

    def _run(self, arguments: Sequence[str]) -> int:
        with self._started(arguments) as child:
            return child.wait(_LONGEST)

    def _started(self, arguments: Sequence[str]) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return started(arguments, self._world.site.root, self._log())

    def _log(self) -> Path:
        return self._world.site.folder / LOG

    def _number(self) -> int:
        return self._world.ledger.head().number

    def _weights(self) -> str:
        try:
            return self._world.traffic.read().weights()
        except DeployError:
            return "unknown"


def _lost(counted: Seen) -> list[str]:
    return [f"{counted.lost} of {counted.sent} requests were lost: {counted.why}"] if counted.lost else []


def _color(events: Sequence[Event]) -> Color:
    began = next((event for event in events if event.kind == "began"), None)
    return "green" if began is not None and began.facts.get("color") == "green" else "blue"


def _page(world: World) -> str:
    """What visitors look at."""
    checks = world.settings.smoke.checks
    return checks[0].path if checks else "/"
