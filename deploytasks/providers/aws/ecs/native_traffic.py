"""Traffic that ECS moves by itself: it is read from ECS, and moved by releasing its pauses, or by taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from ....errors import DeployError, GateRefused, SplitMoved, WayBackFailed
from ....ports import Call, Calls, Finding, Split
from ....settings.ecs_traffic import EcsTrafficSettings
from ...site import Site
from . import handed
from .handed import Handed
from .native import Look, Native


class NativeTraffic:
    """What ``ports.Traffic`` promises. Who wrote a split, and where home is, are tags of the service."""

    def __init__(self, settings: EcsTrafficSettings, site: Site) -> None:
        self._settings = settings
        self._native = Native(site)

    def prepare(self) -> Calls:
        return ()

    def read(self) -> Split:
        return self._native.look().split

    def at_rest(self) -> Split:
        return self.read()

    def address(self) -> str:
        return self._settings.public.rstrip("/")

    def shut_down(self) -> Calls:
        return ()

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        """Forward: release ECS' next pause. Home: have ECS take its deployment back. Settled: let it end."""
        home = f", home is {to.way_back}" if to.way_back else ""
        return Call(f"ECS, {self._native.name}: {to.weights()}{home}, by {to.writer}", partial(self._shift, to, expect))

    def trouble(self) -> DeployError | None:
        """Why the deployment at work does not go on as ours."""
        look = self._native.look()
        of = look.deployment
        if of is None:
            return None
        return handed.problem(of, look.noted.get(f"current-{of.target.color}"))

    def handed(self) -> str:
        """The ARN of the newest service deployment; empty: there never was one."""
        of = self._native.look().deployment
        return of.arn if of else ""

    def _shift(self, to: Split, expect: Split | None, timeout: float) -> None:
        del timeout  # ECS takes its time; how much is configured
        look = self._native.look()
        if expect is not None and look.split != expect:
            raise SplitMoved(
                f"traffic is at {look.split.weights()}, by {look.split.writer or 'nobody'}; expected: "
                f"{expect.weights()}, by {expect.writer or 'nobody'}",
                state="nothing was written",
                do="`inv status` says who moved it",
            )
        of = look.deployment
        if of is not None and of.is_at_work:
            self._at_work(look, of, to)
        elif of is not None and of.status in handed.GOING_BACK:
            self._home(look, of, to)
        elif (to.blue, to.green) != (look.split.blue, look.split.green):
            raise GateRefused(
                f"ECS runs nothing but {look.split.live}: there is nowhere else to send traffic to",
                state="traffic was not moved",
                do="deploy the previous release: `inv deploy --version …`",
            )
        else:
            self._native.sign(look, to.way_back, to.writer)

    def _at_work(self, look: Look, of: Handed, to: Split) -> None:
        share = to.share(of.target.color)
        if to.verb == "settled":
            self._end(of)
        elif to.verb in ("back", "deadman") or share < of.share:
            self._home(look, of, to)
            return
        elif share > of.share:
            self._forward(of, share)
        self._native.sign(look, to.way_back, to.writer)

    def _forward(self, of: Handed, share: int) -> None:
        if of.hook is None:
            of = self._waiting(of)
        self._native.release(of)

        def is_made(look: Look) -> bool:
            now = self._ours(look, of)
            return now.share >= share and (now.hook not in (None, of.hook) or not now.is_at_work)

        self._native.follow(self._settings.shift_within, f"has made the step to {share} %", is_made)

    def _waiting(self, of: Handed) -> Handed:
        """The same, at its next pause."""

        def is_paused(look: Look) -> bool:
            return self._ours(look, of).hook is not None

        found = self._native.follow(self._settings.shift_within, "has come to its pause", is_paused).deployment
        assert found is not None
        return found

    def _end(self, of: Handed) -> None:
        """Release it for the last time, and follow it to its end."""
        if of.hook is not None:
            self._native.release(of)

        def is_over(look: Look) -> bool:
            return self._ours(look, of).status == "SUCCESSFUL"

        self._native.follow(self._settings.end_within, "has ended it", is_over)

    def _ours(self, look: Look, of: Handed) -> Handed:
        """The same deployment, still on its way, or well. Raises what became of it."""
        now = look.deployment
        if now is None or now.arn != of.arn:
            raise SplitMoved(
                "somebody replaced the service deployment", state="nothing more was touched", do="`inv status` says who"
            )
        problem = handed.problem(now, None)
        if problem is not None:
            raise problem
        return now

    def _home(self, look: Look, of: Handed, to: Split) -> None:
        """Sign it, so that the deployer stops; have it taken back if it is not yet; wait. Where it cannot be signed,
        everybody goes home all the same, and the error is raised then."""
        with suppress(DeployError):
            self._native.sign(look, to.way_back, to.writer)
        if of.is_at_work:
            self._native.take_back(of)
        self._native.sign(self._until_home(of), to.way_back, to.writer)

    def _until_home(self, of: Handed) -> Look:
        def is_home(look: Look) -> bool:
            now = look.deployment
            if now is None or now.arn != of.arn:
                return True  # a newer one has taken its place
            if now.status == "ROLLBACK_FAILED":
                raise handed.problem(now, None) or WayBackFailed("ECS could not take it back")
            return now.status in handed.IS_BACK or (not now.is_at_work and now.share == 0)

        return self._native.follow(self._settings.shift_within, "has taken traffic home", is_home)

    def diagnose(self) -> Sequence[Finding]:
        """Who is live, and what ECS is at."""
        try:
            look = self._native.look()
        except DeployError as error:
            return [Finding("traffic", "fail", error.what, error.do)]
        of = look.deployment
        told = f"; the newest service deployment is {of.status}" if of else ""
        is_stuck = of is not None and of.status == "ROLLBACK_FAILED"
        return [Finding("traffic", "fail" if is_stuck else "ok", f"{look.split.weights()}{told}")]
