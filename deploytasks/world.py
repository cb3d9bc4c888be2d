"""One environment as a deployment works on it: the only door to a write, and the only place that waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from . import redaction
from .at_once import at_once
from .batches import Failure, hosts_of, one_error
from .engine.clock import rest
from .errors import DeployError, LeaseLost, SplitMoved, Unreachable
from .opened import ConfiguredPorts, Opened, Ports
from .orders import Answer, Orders
from .ports import Call, Calls, Color, Event, Json, NoData, Reading

if TYPE_CHECKING:
    from .checklist.plan_approvals import Planned
    from .engine.plan import Situation
    from .ledger.lease import Lease
    from .ports import Command, Fleet, Installed, News

__all__ = ["ConfiguredPorts", "Ports", "World"]

_LOOK = 1.0
"""Seconds between two looks, while a batch is carried out, whether somebody took over."""
_CLEAR_UP = 15.0
"""Seconds for stopping what a host that is set aside still runs."""


class World(Opened):
    """One environment, as far as it has been looked at.

    Going forward, every write needs the lease and every note must be recorded. Going back (inside
    ``going_back``) neither may stand in the way.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.lease: Lease | None = None
        self.deployment = ""
        self.has_claimed = False
        """Whether this deployment has signed the split: whoever else signs it then has taken over."""
        self.has_written = False
        self.aside: dict[str, str] = {}
        """The hosts that are left out, and why."""
        self.lost: frozenset[str] = frozenset()
        """Those of them that failed on the way: they are asked once more to take back what was begun."""
        self.planned: Planned | None = None
        """The plan that is carried out, if one was written down and handed over."""
        self.overridden: tuple[str, ...] = ()
        """What this deployment's gate found set aside: items with who, when and why."""
        self.accepted: frozenset[tuple[str, datetime]] = frozenset()
        """The critical alerts among it: by name, and since when they fire."""
        self.orders = Orders()
        """What people ask of this deployment while it runs."""
        self._is_going_back = False
        self._doing = ""

    @property
    def fleet(self) -> Fleet:
        """The hosts, but for those that were set aside."""
        out = self.aside.keys() - (self.lost if self._is_going_back else frozenset())
        return self.whole_fleet.only([h for h in self.whole_fleet.hosts() if h not in out]) if out else self.whole_fleet

    def _standing(self) -> Mapping[Color, Installed | None]:
        return self.fleet.colors()

    # -- writing -------------------------------------------------------------

    def perform(
        self, calls: Calls, deadline: float = 60.0, *, color: Color | None = None, bearable: int | None = None
    ) -> None:
        """Carry out calls, batch after batch; those of one batch at once. ``deadline``: seconds for each.

        All of a batch finish. Then, when some hosts failed, so does this, with one error that names them; going
        back, only after all other hosts are done. With a ``color``, some may fail: as many as the fleet allows in one
        deployment, or ``bearable``. They are set aside, with nothing of that color running, if they can be reached.
        """
        failures: list[Failure] = []
        begun: set[str] = set()
        for batch in calls:
            gone = {failure.call.host for failure in failures} | (set() if self._is_going_back else self.lost)
            left = [call for call in batch if not call.host or call.host not in gone]
            begun |= {call.host for call in left}
            failures += self._unbearable(self._failures(left, deadline), calls, color, bearable)
            if any(not (self._is_going_back and failure.is_the_host_s) for failure in failures):
                break
        if failures:
            raise one_error(failures, calls, begun)

    def _failures(self, batch: Sequence[Call], deadline: float) -> list[Failure]:
        works = [partial(self._make, call, deadline) for call in batch]
        came = at_once(works, self._most_at_once, self._watchful())
        self.pulse()
        return [Failure(call, one.error) for call, one in zip(batch, came, strict=True) if one.error is not None]

    @property
    def _most_at_once(self) -> int:
        """How many hosts are worked on at once: more than ``parallel`` where one request reaches many of them."""
        return max(self.settings.parallel, int(getattr(self.settings.sections.get("fleet"), "at_once", 0)))

    def _make(self, call: Call, deadline: float) -> None:
        call.perform(deadline)

    def _watchful(self) -> Callable[[], None]:
        """What is done in this thread before calls are made, and while they are: beat, and see who took over."""
        looked: float | None = None

        def between() -> None:
            nonlocal looked
            now = self.clock.elapsed()
            if not self._is_going_back and (looked is None or now - looked >= _LOOK):
                self._check_nobody_took_over()
                looked = now
            self.has_written = True
            self.pulse()

        return between

    def _check_nobody_took_over(self) -> None:
        if self.lease is not None:
            self.lease.check()
        if not self.has_claimed:
            return
        with suppress(Unreachable):  # a balancer that is silent says nothing about others
            split = self.traffic.at_rest()
            if split.writer == f"deadman:{self.deployment}":
                raise SplitMoved(
                    f"the dead-man's switch has fired: {split.weights()}",
                    state="nothing more was touched",
                    do="`inv status` says why no beat arrived; `inv deploy` starts again from there",
                )
            if split.deployment != self.deployment:
                raise SplitMoved(
                    f"someone else wrote to the balancer: {split.weights()}, written by {split.writer or 'nobody'}",
                    state="nothing more was touched",
                    do="`inv status` says who; `inv deploy` starts again from there",
                )

    # -- hosts that fail -----------------------------------------------------

    def _unbearable(
        self, failures: list[Failure], calls: Calls, color: Color | None, bearable: int | None
    ) -> list[Failure]:
        """The failures; none, when so few hosts failed that they are set aside."""
        hosts = {failure.call.host for failure in failures}
        if bearable is None:
            most = int(getattr(self.settings.sections.get("fleet"), "max_failures", 0))
            is_few = len(self.lost | hosts) <= most and bool(set(hosts_of(calls)) - self.lost - hosts)
        else:
            is_few = len(hosts) <= bearable
        if not failures or color is None or not is_few or not all(failure.is_the_host_s for failure in failures):
            return failures
        for failure in failures:
            self.aside[failure.call.host] = failure.why
            self.lost |= {failure.call.host}
            self.note("host-set-aside", host=failure.call.host, step=self._doing, why=failure.why)
        self.silence(hosts, color)
        return []

    def silence(self, hosts: Collection[str], color: Color) -> None:
        """Let nothing of a color run on hosts that are left out, as far as they can be reached."""
        calls = [call for batch in self.whole_fleet.only(hosts).stop(color) for call in batch]
        came = at_once([partial(call.perform, _CLEAR_UP) for call in calls], self._most_at_once, self._watchful())
        for call, one in zip(calls, came, strict=True):
            if one.error is not None:
                why = Failure(call, one.error).why
                self.note("note", text=f"{call.host} may still run {color}: keep it out of the balancer ({why})")

    @contextmanager
    def going_back(self) -> Iterator[None]:
        """While traffic goes home, neither the lease nor the ledger may stand in the way."""
        before, self._is_going_back = self._is_going_back, True
        try:
            yield
        finally:
            self._is_going_back = before

    # -- remembering ---------------------------------------------------------

    def note(self, kind: str, **facts: Json) -> Event | None:
        """Record an event and tell the listeners. A plan is kept word for word: it must be resumable.

        Going forward it is recorded or ``Unreachable`` (or ``LeaseLost``) is raised; going back it is spooled
        when the ledger cannot take it, and ``None`` is returned.
        """
        if self.site.names is not None:
            if not self._is_going_back:
                self.site.names.require()
            self.site.names.save()
        clean = self.recordable(facts)
        try:
            event = self.ledger.append(kind, clean, self.lease.token if self.lease else 0)
        except LeaseLost:
            if not self._is_going_back:
                raise
            return None  # whoever took the lease writes this story now
        except (DeployError, OSError):
            if not self._is_going_back:
                raise
            with suppress(DeployError, OSError):
                self.spool.put(kind, clean, self.clock.now(), self.site.who)
            self._tell(Event(0, self.clock.now(), kind, clean, self.site.who, 0, "", ""))
            return None
        self._tell(event)
        return event

    def recordable(self, facts: Mapping[str, Json]) -> dict[str, Json]:
        """Facts as the ledger takes them: with the deployment, without secrets, and people by their ids."""
        known = {"deployment": self.deployment, **facts} if self.deployment else facts
        clean = {key: value if key == "plan" else redaction.clean(value) for key, value in known.items()}
        if self.site.names is None:
            return clean
        veiled = self.site.names.veiled
        return {key: veiled(value, sentences=key != "plan") for key, value in clean.items()}

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            with suppress(Exception):  # whoever listens must never stop a deployment
                listener.tell(event)

    def catch_up(self) -> None:
        """Record what nobody could: what waits in the spool, then what the dead-man's switch did by itself.

        The switch's part is left for later when it does not answer. Raises ``Unreachable`` when the ledger does not.
        """
        self.spool.drain(self.ledger)
        news: Sequence[News] = ()
        with suppress(DeployError, OSError):
            news = self.deadman.news() if self.deadman else ()
        for each in news:
            self.spool.put(each.kind, each.facts, each.at, each.who, each.name)
        self.spool.drain(self.ledger)

    def doing(self, what: str) -> None:
        """Show others, through the lease, what is being done."""
        what = self._doing = str(redaction.clean(what))
        if self.lease is not None:
            with suppress(DeployError, OSError):
                self.lease.doing(what)

    def mention(self, text: str) -> None:
        """Tell whoever watches, here and through the lease, how far something is. It is not recorded."""
        text = str(redaction.clean(text))
        if self.lease is not None:
            with suppress(DeployError, OSError):
                self.lease.doing(f"{self._doing}: {text}" if self._doing else text)
        self._tell(Event(0, self.clock.now(), "note", {"text": text}, self.site.who, 0, "", ""))

    # -- what people ask meanwhile ---------------------------------------------

    @property
    def at_work(self) -> str:
        """What is being done, in the words of ``doing``."""
        return self._doing

    @contextmanager
    def obedient(self) -> Iterator[None]:
        """Readings carry what people ask, as long as the body runs. Whom none has obeyed then is told so."""
        with self.orders.carried():
            yield
        for command in self.orders.leave():
            self.answer(command, Answer(False, "too late: the rollout is over"))

    def answer(self, command: Command, answer: Answer) -> None:
        """Record what comes of an order that no reading carries; best effort."""
        with suppress(DeployError, OSError):
            self.note("answered", asked=command.number, verb=command.verb, obeyed=answer.obeyed, said=answer.said)

    def _pass_on(self) -> None:
        """Show here what others have asked, and were answered."""
        while self.orders.heard:
            self._tell(self.orders.heard.popleft())

    # -- observing and waiting -----------------------------------------------

    def situation(self, without: Collection[str] = ()) -> Situation:
        """What stands where, now. Raises ``HostsDown`` with the names of all hosts that do not answer, but for those
        that are not asked (``without``)."""
        from .observing import situation

        return situation(self, without)

    def observe(self, since: Any, edges: Sequence[float]) -> Reading:
        """One look at everything a rollout is judged by. A silent source is ``NoData``, never zero."""
        from .observing import observe

        return observe(self, since, edges)

    def levels(self) -> Mapping[str, float] | NoData:
        """Readings of the database and the hosts."""
        from .observing import levels

        return levels(self)

    def wait(self, seconds: float, *, heeding: bool = False) -> None:
        """Let time pass, beating the dead-man's switch and noticing a lost lease. ``heeding``: only until somebody asks
        for something."""
        until = self.clock.elapsed() + seconds
        while (left := until - self.clock.elapsed()) > 0:
            if self.lease is not None and not self._is_going_back:
                with suppress(Unreachable):  # a silent ledger is judged by `roll_out`, which counts how long
                    self.lease.check()
            self.pulse()
            self._pass_on()
            if heeding and self.orders.is_news():
                return
            rest(self.clock, min(left, 1.0), self.orders.news)

    def pulse(self) -> None:
        """Tell the dead-man's switch that we live."""
        if self.deadman is not None:
            self.deadman.beat()
