"""All HAProxys of an environment as one: reads agree, a write is in all of them or in none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from ...errors import DeployError, Unreachable
from ...settings.haproxy import FOLDER
from .balancer import Balancer, Busy, Differs, Table
from .keys import Keys, in_words
from .members import weights

if TYPE_CHECKING:
    from ...settings.haproxy import BalancerSettings, TrafficSettings
    from ..hosts.host import Host
    from ..site import Site

T = TypeVar("T")


class Named(Protocol):
    """A balancer, or its log."""

    name: str


N = TypeVar("N", bound=Named)
Which = Callable[[Balancer], Table]
"""Chooses one of a balancer's maps."""


_NOT_ASKED = Busy("")


def opened(settings: TrafficSettings, site: Site) -> Sequence[Balancer]:
    """The balancers of the settings. Nothing is connected yet."""
    hosts = [each.host for each in settings.balancers]
    return tuple(
        _opened(each, f"{each.host} {each.socket}" if hosts.count(each.host) > 1 else each.host or "", settings, site)
        for each in settings.balancers
    )


def at_once(them: Sequence[N], work: Callable[[N], T], most: int) -> Mapping[str, T | DeployError]:
    """Do the same with each, ``most`` at a time; by name. A ``DeployError`` is a result like another."""

    def attempt(each: N) -> T | DeployError:
        try:
            return work(each)
        except DeployError as error:
            return error

    if len(them) == 1:
        return {them[0].name: attempt(them[0])}
    from ...at_once import at_once as crowd  # a rollback at one balancer does not load what it does not need

    found: dict[str, T | DeployError] = {}
    for each, came in zip(them, crowd([partial(attempt, each) for each in them], most), strict=True):
        if came.error is not None:
            raise came.error
        found[each.name] = cast("T | DeployError", came.value)
    return found


def write_everywhere(balancers: Sequence[Balancer], which: Which, keys: Keys, timeout: float, most: int) -> None:
    """Write wherever it can be written. Raises ``Unreachable`` naming where it could not, once all have been tried."""
    found = at_once(balancers, lambda each: each.write(which(each), keys, timeout), most)
    problems = {name: error for name, error in found.items() if isinstance(error, DeployError)}
    if not problems:
        return
    done = [name for name in found if name not in problems]
    states = [f"{name} has it" for name in done]
    states += [f"{name}: {error.state or 'as it was, as far as we know'}" for name, error in problems.items()]
    what = "; ".join(error.what for error in problems.values())
    raise Unreachable(what, state="; ".join(states), do=next(iter(problems.values())).do)


def swap_everywhere(
    balancers: Sequence[Balancer], which: Which, keys: Keys, expect: Keys, timeout: float, most: int
) -> None:
    """Write to all of them, each over ``expect``, or to none.

    The first one goes first, so that of two who write at the same time one wins. When one refuses, those already
    written go back to ``expect``; the error is the refusal (``Differs`` or ``Unreachable``) and says how that went.
    """
    deadline = time.monotonic() + timeout
    found: dict[str, DeployError | None] = {}
    groups = [group for group in (balancers[:1], balancers[1:]) if group]
    for group in groups:
        found.update(at_once(group, partial(_swap, which, keys, expect, timeout * 0.8 / len(groups)), most))
        if any(found.values()):
            break
    problems = [error for error in found.values() if error is not None]
    if not problems:
        return
    touched = [each for each in balancers if not isinstance(found.get(each.name, _NOT_ASKED), Differs | Busy)]
    left = max(1.0, deadline - time.monotonic())
    states = _put_back(touched, which, keys, expect, left, most)
    problem = problems[0]
    problem.what = "; ".join(error.what for error in problems)
    problem.state = "; ".join(f"{name} {state}" for name, state in states.items()) or "nothing was written"
    raise problem


def _swap(which: Which, keys: Keys, expect: Keys, timeout: float, balancer: Balancer) -> None:
    balancer.write(which(balancer), keys, timeout, expect)


def _put_back(
    touched: Sequence[Balancer], which: Which, keys: Keys, expect: Keys, timeout: float, most: int
) -> Mapping[str, str]:
    """Undo what was written, and what may have been; where each of them is now, in words."""
    found = at_once(touched, partial(_swap, which, expect, keys, timeout), most)
    return {name: _whereabouts(error, expect) for name, error in found.items()}


def _whereabouts(error: DeployError | None, expect: Keys) -> str:
    if error is None:
        return "is back where it was"
    if isinstance(error, Differs):
        return "is as it was" if error.found == expect else f"is elsewhere: {in_words(error.found)}"
    return "does not answer: nobody knows what it has"


def _opened(settings: BalancerSettings, name: str, traffic: TrafficSettings, site: Site) -> Balancer:
    state = settings.state or traffic.state
    folder = None if settings.is_far and state is None else state or FOLDER
    if folder is not None and settings.host is None:
        folder = str(site.path(folder))
    split = traffic.map or f"{folder or FOLDER}/split.map"
    maps, closed = (
        Table(name, f"{folder}/{name.rpartition('/')[2]}" if folder else None)
        for name in (split, f"{split.rpartition('/')[0]}/maintenance.map")
    )
    if settings.host is None:
        from .near import NearBalancer

        return NearBalancer(settings.socket, maps, closed, site.folder / "haproxy", weights(traffic))
    from .far import FarBalancer

    return FarBalancer(
        name,
        settings.host,
        partial(_reached, settings.host, traffic, site),
        settings.socket,
        maps,
        closed,
        weights(traffic),
    )


def _reached(endpoint: str, traffic: TrafficSettings, site: Site) -> Host:
    from ..ssh import host

    return host(endpoint, traffic.ssh, site.root)
