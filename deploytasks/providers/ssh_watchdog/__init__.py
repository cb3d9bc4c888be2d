"""The dead-man's switch where traffic is: a watcher on each balancer's host, armed over SSH.

It goes off when the deployer dies, and when it loses its network: no beat arrives any more either way. What takes
traffic home was written down beforehand and runs on the balancer's own host, so nothing else has to be reachable.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, cast

from ...at_once import at_once
from ...errors import DeployError, Unreachable, UsageError
from ...ports import Call, Finding, News, Split, Switch
from . import commands
from .beating import beating
from .seen import Seen, note, seen

if TYPE_CHECKING:
    from ...settings.ssh_watchdog import SshWatchdogSettings
    from ..beating import Beating
    from ..hosts.host import Host
    from ..site import Site

T = TypeVar("T")

LOOK_WITHIN = 15.0
"""Seconds for one look at all hosts."""


class Homing(Protocol):
    """A ``Traffic`` that knows the way home without us: for each balancer's host the commands that take it there."""

    def homing(self, deployment: str, home: Split) -> Sequence[tuple[Host, str]]:
        """POSIX shell text that prints ``home``, or ``not: <why>``, and fails while the balancer does not answer."""


class Post(NamedTuple):
    """Where a watcher stands: a host, its folder there, and what takes traffic home. A host with two balancers has two,
    with names of their own."""

    name: str
    host: Host
    at: str
    home: str


class SshWatchdog:
    """A ``Deadman`` on the balancer's hosts. Armed is: armed on all of them."""

    def __init__(self, settings: SshWatchdogSettings, site: Site) -> None:
        self._settings = settings
        self._site = site
        self._beating: dict[str, Beating] = {}

    def arm(self, deployment: str, home: Split) -> Call:
        """Have a watcher on every host, or on none: ``perform`` raises ``Unreachable`` when one does not start."""
        ahead = f"{self._settings.grace:g} s without a beat: {home.weights()}"
        text = f"{self._watchers}: arm for {deployment} ({ahead})"
        return Call(text, lambda timeout: self._arm(deployment, home, timeout))

    def beat(self) -> None:
        """Have a beat sent to every host that this very deployer armed. Returns at once."""
        for each in self._beating.values():
            each.beat()

    def disarm(self) -> Call:
        """End all watchers and make sure that they are gone. ``perform`` raises ``Unreachable`` when one is not."""
        return Call(f"{self._watchers}: disarm", self._disarm)

    def state(self) -> Switch:
        """All hosts at once. Raises ``Unreachable`` when one does not answer."""
        found = self._look()
        fired = [each.fired_at for each in found if each.fired_at]
        return Switch(all(each.is_armed for each in found), min(fired, default=None), self._detail(found))

    def news(self) -> Sequence[News]:
        """What the watchers did by themselves, as long as it is the last thing that they did."""
        return [each.news for each in self._look() if each.news]

    def diagnose(self) -> Sequence[Finding]:
        """For every host: whether a watcher stands as it should, and whether one could be run."""
        found, problem = self._on_each(self._examined)
        return [*found.values(), *(Finding("deadman", "fail", error.what, error.do) for error in problem.values())]

    # -- where they stand ------------------------------------------------------

    @cached_property
    def _posts(self) -> Sequence[Post]:
        """Asked of ``traffic`` with a deployment and a home that stand for any."""
        return self._posts_for("none", Split.all_on("blue"))

    def _posts_for(self, deployment: str, home: Split) -> Sequence[Post]:
        seen: Counter[str] = Counter()
        posts = []
        for host, commands_home in self._homing(deployment, home):
            seen[host.name] += 1
            name = host.name if seen[host.name] == 1 else f"{host.name} ({seen[host.name]})"
            at = commands.folder(self._settings.folder, self._site.application, self._site.environment, name)
            posts.append(Post(name, host, at, commands_home))
        return posts

    @property
    def _watchers(self) -> str:
        return f"watchers on {', '.join(post.name for post in self._posts)}"

    def _homing(self, deployment: str, home: Split) -> Sequence[tuple[Host, str]]:
        found = getattr(self._traffic, "homing", None)
        hosts = found(deployment, home) if found else ()
        if not hosts:
            raise UsageError(
                "the dead-man's switch of kind ssh needs a balancer on hosts that are reached over SSH",
                do="name them under `traffic`, or choose `deadman: {kind: watchdog}` for a balancer on this machine",
            )
        return cast("Sequence[tuple[Host, str]]", hosts)

    @cached_property
    def _traffic(self) -> object:
        from .. import open_provider

        if "traffic" not in self._site.sections:
            raise UsageError("the dead-man's switch needs the settings of `traffic`", do="name it in `need` as well")
        return open_provider("traffic", self._site.sections["traffic"], self._site)

    # -- arming ----------------------------------------------------------------

    def _arm(self, deployment: str, home: Split, timeout: float) -> None:
        grace, facts = self._settings.grace, note(deployment, home, self._site.who)
        orders = {
            post.name: commands.Order(os.urandom(6).hex(), post.home, grace, facts)
            for post in self._posts_for(deployment, home)
        }
        word = os.urandom(4).hex()
        armed, problem = self._on_each(
            lambda post: post.host.run(commands.arm(post.at, orders[post.name], word), timeout).strip()
        )
        if problem:
            self._give_up({name for name, order in orders.items() if armed.get(name) == order.id}, timeout)
            raise _failed(problem, "cannot be armed", "the watchers that had started were ended")
        self._stop_beating()
        self._beating = {post.name: beating(post.host, post.at, armed[post.name], grace) for post in self._posts}
        self.beat()

    def _give_up(self, started: Collection[str], timeout: float) -> None:
        """End what we have just started. One that was there before goes on: its deployment may be out already."""
        for post in self._posts:
            if post.name in started:
                with suppress(DeployError):
                    post.host.run(commands.disarm(post.at), timeout / 2)

    def _disarm(self, timeout: float) -> None:
        self._stop_beating(min(2.0, timeout / 4))
        _, problem = self._on_each(lambda post: post.host.run(commands.disarm(post.at), timeout))
        if problem:
            raise _failed(problem, "cannot be disarmed", "a watcher touches no traffic but this deployment's own")
        if left := [each.detail for each in self._look(timeout) if each.lives or each.armed]:
            raise Unreachable(f"the dead-man's switch does not end: {'; '.join(left)}", do="`inv doctor`")

    def _stop_beating(self, within: float = 0.0) -> None:
        for each in self._beating.values():
            each.stop(within)
        self._beating = {}

    # -- looking ---------------------------------------------------------------

    def _look(self, timeout: float = LOOK_WITHIN) -> Sequence[Seen]:
        found, problem = self._on_each(partial(_seen, timeout))
        if problem:
            raise _failed(problem, "does not say how it is", "")
        return [found[post.name] for post in self._posts]

    def _detail(self, found: Sequence[Seen]) -> str:
        trouble = [
            f"beats to {name} fail: {beating.trouble}" for name, beating in self._beating.items() if beating.trouble
        ]
        ahead = f"after {self._settings.grace:g} s without a beat traffic goes home"
        watching = [ahead] if any(each.is_armed for each in found) else []
        return "; ".join([*(each.detail for each in found), *watching, *trouble])

    def _examined(self, post: Post) -> Finding:
        found = _seen(LOOK_WITHIN, post)
        if found.is_broken:
            return Finding("deadman", "warn", found.detail, "the next deployment arms it anew")
        if found.phase in ("fired", "gave-up"):
            do = "look why the deployer died or fell silent: `inv history`; then `inv resume`"
            return Finding("deadman", "warn", found.detail, do)
        how = post.host.run(commands.examine(post.at), LOOK_WITHIN).strip()
        return Finding("deadman", "ok", f"{found.detail} (it would run {_how(how)})")

    def _on_each(self, ask: Callable[[Post], T]) -> tuple[Mapping[str, T], Mapping[str, DeployError]]:
        """All hosts at once; what they answered, and what went wrong, by the host's name. An interrupt ends it."""
        found: dict[str, T] = {}
        problem: dict[str, DeployError] = {}

        def one(post: Post) -> None:
            try:
                found[post.name] = ask(post)
            except DeployError as error:
                problem[post.name] = error

        for came in at_once([partial(one, post) for post in self._posts], self._site.parallel):
            if came.error is not None:
                raise came.error
        return found, problem


def _seen(timeout: float, post: Post) -> Seen:
    return seen(post.name, post.host.run(commands.look(post.at), timeout))


def _how(word: str) -> str:
    return "as a unit of systemd" if word == "systemd" else "as a detached process"


def _failed(problem: Mapping[str, DeployError], what: str, state: str) -> Unreachable:
    said = "; ".join(error.what for error in problem.values())
    return Unreachable(f"the dead-man's switch {what}: {said}", state=state, do="`inv doctor` looks at every host")
