"""The switch: arm, beat, disarm, look.

A schedule writes home whatever it finds: it cannot look whose the split is, as a watcher does. So it must be gone,
and proven to be, before anybody signs another split than home. And it signs nothing: that it has fired shows in the
weights, together with the tag that says where it would put them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ....errors import DeployError, SplitMoved, Unreachable, UsageError
from ....ports import Call, Calls, Finding, News, Split, Switch
from ...beating import Beating
from ..alb.signature import home_tag
from . import showing
from .beating import pause_of
from .looking import Balancer, Look
from .schedule import LATE, Owner, Schedule, differences, due_after, due_of, moved, name_of, owner_of, request
from .schedules import Schedules

if TYPE_CHECKING:
    from ....settings.eventbridge import EventBridgeSettings
    from ...site import Site

_UNARMED = "no dead-man's switch is armed; traffic was not touched"


class Mine(NamedTuple):
    """What this very deployer has armed."""

    owner: Owner
    beating: Beating


class EventBridge:
    """A ``Deadman`` that needs none of our machines. One schedule per environment."""

    def __init__(self, settings: EventBridgeSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        name = name_of(site.application, site.environment)
        self._schedules = Schedules(site, name, settings.group, settings.role_arn)
        self._mine: Mine | None = None
        self._lock = threading.Lock()
        """A beat and an order do not write at once."""

    @cached_property
    def _balancer(self) -> Balancer:
        return Balancer(self._site)

    def arm(self, deployment: str, home: Split) -> Call:
        """Have the schedule, with what the balancer does now; one of the same or an older deployment is taken over.

        ``perform`` raises ``SplitMoved`` when it has fired, or is a newer deployment's; ``UsageError`` when AWS does
        not take it as it is configured; ``Unreachable`` otherwise. Then there is none that was not there before.
        """
        ahead = f"{self._settings.grace:g} s without a beat: {home.weights()}"
        text = f"schedule {self._schedules.name}: arm for {deployment} ({ahead}; AWS takes up to a minute more)"
        return Call(text, lambda timeout: self._arm(deployment, home))

    def beat(self) -> None:
        """Have the schedule moved, if this very deployer armed it. Returns at once."""
        if self._mine is not None:
            self._mine.beating.beat()

    def disarm(self) -> Call:
        """Delete the schedule and make sure that it is gone. ``perform`` raises ``Unreachable`` when it is not, or when
        it may be at work at this moment."""
        return Call(f"schedule {self._schedules.name}: disarm", self._disarm)

    def stand_down(self) -> Calls:
        """The same, if it is this very deployer that armed: nothing of anybody else's."""
        return () if self._mine is None else [[self.disarm()]]

    def state(self) -> Switch:
        """Raises ``Unreachable``."""
        there = self._schedules.get()
        if there is not None:
            return showing.standing(self._schedules.name, there, self._schedules.now(), self._trouble)
        return showing.gone(self._schedules.name, self._balancer.look(), self._schedules.now())

    def news(self) -> Sequence[News]:
        """What it did, or failed to do, by itself, as long as nobody has armed or signed since."""
        if self._schedules.get() is not None:
            return ()
        return showing.news(self._schedules.name, self._balancer.look(), self._schedules.now(), self._settings.grace)

    def diagnose(self) -> Sequence[Finding]:
        """Whether the schedule could be made, and whether one is left from somebody dead."""
        from .diagnosing import findings

        try:
            has_group = self._schedules.has_group()
            there = self._schedules.get()
            look, now = self._balancer.look(), self._schedules.now()
            return findings(self._settings, has_group, there, look, now, self._schedules.name)
        except DeployError as error:
            return [Finding("deadman", "fail", error.what, error.do)]

    # -- arming ----------------------------------------------------------------

    def _arm(self, deployment: str, home: Split) -> None:
        with self._lock:
            there = self._schedules.get()
        self._require_free(there, deployment)
        before, self._mine = self._mine, None
        arming = before.owner.arming if before and before.owner.deployment == deployment else os.urandom(4).hex()
        if before is not None:
            before.beating.stop()
        owner = Owner(deployment, arming, home.live)
        try:
            with self._lock:
                self._write(there, owner, home)
        except DeployError as error:
            error.state = error.state or (_UNARMED if there is None else "it is armed as it was before")
            raise
        beating = Beating("eventbridge", self._move, pause_of(self._settings.grace), has_beaten=True)
        self._mine = Mine(owner, beating)

    def _require_free(self, there: Schedule | None, deployment: str) -> None:
        """Raise, unless the schedule may be made or written over."""
        name = self._schedules.name
        if there is None:
            if self._mine is not None and self._mine.owner.deployment == deployment:
                raise self._vanished(deployment)
            return
        owner, due = owner_of(there), due_of(there)
        if owner is None:
            raise UsageError(
                f"there is a schedule {name} that is not ours", state=_UNARMED, do="delete it, or set deadman.group"
            )
        if owner.deployment > deployment:
            raise SplitMoved(
                f"the dead-man's switch is armed for {owner.deployment}, which is newer",
                state="nothing more was touched",
                do="`inv status` says who is at work",
            )
        if due is not None and due <= self._schedules.now():
            raise Unreachable(
                f"the dead-man's switch of {owner.deployment} is going off at this moment (due at {due:%H:%M:%S} UTC)",
                do="wait two minutes, then run it again",
            )

    def _vanished(self, deployment: str) -> DeployError:
        """What it means that a schedule is gone which we had made."""
        look = self._balancer.look()
        if look.is_home:
            return fired(look)
        return Unreachable(
            f"the schedule {self._schedules.name} of {deployment} is gone: somebody deleted it, or it is at work",
            do="`inv status`; then `inv resume`",
        )

    def _write(self, there: Schedule | None, owner: Owner, home: Split) -> None:
        """Make the schedule or write over it, and read it back. The tags are there before a schedule that is new."""
        settings, name = self._settings, self._schedules.name
        due = due_after(self._schedules.now(), settings.grace)
        wanted = request(
            name, settings.group, due, owner, self._balancer.way(home), settings.role_arn, settings.dead_letters
        )
        said = home_tag(home.live, owner.deployment)
        try:
            if there is None:
                self._balancer.tag(home=said, due=due.isoformat())
                self._create(wanted, owner)
            else:
                self._balancer.tag(home=said)
                if not self._schedules.update(wanted):
                    raise self._vanished(owner.deployment)
                self._balancer.tag(due=due.isoformat())
            self._verify(wanted)
        except DeployError:
            if there is None:
                with suppress(DeployError):
                    self._remove(owner)
            raise

    def _create(self, wanted: Schedule, owner: Owner) -> None:
        if self._schedules.create(wanted):
            return
        there = self._schedules.get()
        if there is None or owner_of(there) != owner:  # else the answer to our own request was lost
            raise SplitMoved(
                f"somebody else has just made the schedule {self._schedules.name}",
                state="nothing more was touched",
                do="`inv status` says who is at work",
            )

    def _verify(self, wanted: Schedule) -> None:
        found = self._schedules.get()
        odd = ["it is not there"] if found is None else differences(wanted, found)
        if odd:
            raise Unreachable(
                f"the schedule {self._schedules.name} is not as it was asked for: {', '.join(odd)}", do="`inv doctor`"
            )

    # -- beating ---------------------------------------------------------------

    def _move(self) -> str:
        """Move the time of our schedule, and nothing else of it; why there is nothing to move any more, or nothing."""
        with self._lock:
            return self._moved(self._mine)

    def _moved(self, mine: Mine | None) -> str:
        if mine is None:
            return "nothing is armed"
        there = self._schedules.get()
        if there is None:
            return f"the schedule {self._schedules.name} is gone"
        if owner_of(there) != mine.owner:
            return f"the schedule {self._schedules.name} is somebody else's"
        due, now = due_of(there), self._schedules.now()
        if due is None or due <= now:  # a way home that has begun is not to be called off
            return f"the schedule {self._schedules.name} is going off"
        later = due_after(now, self._settings.grace)
        if not self._schedules.update(moved(there, later)):
            return f"the schedule {self._schedules.name} is gone"
        self._balancer.tag(due=later.isoformat())
        return ""

    @property
    def _trouble(self) -> str:
        beating = self._mine.beating if self._mine else None
        return (beating.over or beating.trouble) if beating else ""

    # -- disarming -------------------------------------------------------------

    def _disarm(self, timeout: float) -> None:
        mine, self._mine = self._mine, None
        if mine is not None:
            mine.beating.stop(min(2.0, timeout / 4))
        with self._lock:
            self._remove(mine.owner if mine else None)

    def _remove(self, ours: Owner | None) -> None:
        """Delete the schedule, unless it is another's than ``ours``, and take off the tags that go with it."""
        there = self._schedules.get()
        if there is not None:
            owner = owner_of(there)
            if owner is None or (ours is not None and owner.deployment != ours.deployment):
                return
            self._schedules.delete()
            if self._schedules.get() is not None:
                raise Unreachable(f"the schedule {self._schedules.name} is still there", do="`inv doctor`")
        look = self._balancer.look()
        if look.order is None or look.has_fired:  # then the tag is what says so
            return
        self._require_over(look, there)
        self._balancer.untag()

    def _require_over(self, look: Look, there: Schedule | None) -> None:
        """That it was deleted does not say that it has not gone off: it may be at work. Raise, unless it cannot be, or
        traffic is where it would put it."""
        due, now = (due_of(there) if there is not None else None) or look.due, self._schedules.now()
        if look.is_home or due is None or not due <= now < due + timedelta(seconds=LATE):
            return
        raise Unreachable(
            f"the dead-man's switch was due at {due:%H:%M:%S} UTC, and may be at work: traffic may go home any moment",
            state=f"the schedule is gone; traffic is at {look.split.weights()}",
            do=f"wait until {due + timedelta(seconds=LATE):%H:%M:%S} UTC, then look: `inv status`",
        )


def fired(look: Look) -> SplitMoved:
    """What a deployer says whose switch has gone off."""
    return SplitMoved(
        "the dead-man's switch has fired: it took traffic home",
        state=f"traffic is at {look.split.weights()}; nothing more was touched",
        do="`inv status` says why no beat arrived; `inv deploy` starts again from there",
    )
