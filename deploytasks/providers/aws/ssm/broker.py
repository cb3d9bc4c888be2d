"""Gathers what many hosts are told alike at the same time, so that it is told once.

Each host has a thread of its own that gives it one command after the other, as over SSH. The first thread with a new
command waits a moment for the others; then it carries the command out for all of them, and each gets its own answer.
Nobody goes on before all have theirs: so they meet again at the next command.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, cast

from .... import interrupt
from ....errors import Unreachable

_QUIET = 0.02
"""Seconds in which nobody joined: those who could are there."""
_PATIENCE = 2.0
"""Seconds after which it is begun, although somebody has not come: he does something else, or is left out."""


Kind = Literal["look", "write", "careful"]


class Task(NamedTuple):
    """What hosts are told."""

    command: str
    given: str | None = None
    """A local file for its stdin."""
    kind: Kind = "look"
    """``look``: it changes nothing; ``careful``: it is begun nowhere else where too many have failed."""
    is_hasty: bool = False
    """Whether whoever asks does not wait for a host that does not take it soon."""
    keeps_the_end: bool = False
    """Whether of a long output the end will do."""


class Job:
    """A task for one host."""

    def __init__(self, name: str, timeout: float) -> None:
        self.name = name
        self.timeout = timeout
        self.value: str | None = None
        self.error: Exception | None = None


CarryOut = Callable[[Task, Sequence[Job], threading.Event], None]
"""Gives every job a value or an error. The event: it is given up."""


class _Group:
    """Jobs with the same task, and how far they are."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.begun = self.joined = time.monotonic()
        self.ended = threading.Event()
        self.given_up = threading.Event()

    def give_up(self) -> None:
        self.given_up.set()
        self.ended.set()


class Crowd:
    """Hosts that are worked on at once: those that have not begun yet are waited for."""

    def __init__(self, names: Sequence[str]) -> None:
        self.missing = set(names)
        self.has_begun = False


class Broker:
    """For all hosts of a fleet."""

    def __init__(self, carry_out: CarryOut) -> None:
        self._carry_out = carry_out
        self._lock = threading.Lock()
        self._groups: dict[Task, _Group] = {}
        self._expected: list[Crowd] = []
        self._there = 0
        self._waiting = 0
        self._own = threading.local()

    @contextmanager
    def there(self, crowd: Crowd, name: str) -> Iterator[None]:
        """This thread gives commands for one of a crowd: whoever gathers waits for it, and for the others."""
        with self._lock:
            if not crowd.has_begun:
                crowd.has_begun = True
                self._expected.append(crowd)
            crowd.missing.discard(name)
            self._there += 1
        try:
            yield
        finally:
            with self._lock:
                self._there -= 1

    @contextmanager
    def at_work(self, crowd: Crowd, name: str) -> Iterator[None]:
        """The same, for commands that change something."""
        before, self._own.kind = self.kind, "write" if self.kind == "look" else self.kind
        try:
            with self.there(crowd, name):
                yield
        finally:
            self._own.kind = before

    @contextmanager
    def carefully(self) -> Iterator[None]:
        """Commands of this thread are begun nowhere else once too many have failed."""
        before, self._own.kind = self.kind, "careful"
        try:
            yield
        finally:
            self._own.kind = before

    @property
    def kind(self) -> Kind:
        """What this thread's commands are."""
        return cast("Kind", getattr(self._own, "kind", "look"))

    def run(self, task: Task, job: Job) -> str:
        """What the command says on this host. Raises what ``Host.run`` does."""
        with self._lock:
            group = self._groups.get(task)
            is_first = group is None
            if group is None:
                group = self._groups[task] = _Group()
            group.jobs.append(job)
            group.joined = time.monotonic()
            self._waiting += 1
        try:
            with interrupt.reaching(group.give_up):
                if is_first:
                    self._lead(task, group)
                else:
                    group.ended.wait()
        finally:
            with self._lock:
                self._waiting -= 1
        if job.error is not None:
            raise job.error
        if job.value is None:
            raise Unreachable(f"{job.name}: a command was given up", state="it was cancelled")
        return job.value

    def _lead(self, task: Task, group: _Group) -> None:
        try:
            try:
                self._gather(group)
            finally:
                with self._lock:
                    del self._groups[task]
            self._carry_out(task, group.jobs, group.given_up)
        except Exception as error:  # noqa: BLE001  # each of them has to know
            for job in group.jobs:
                if job.value is None and job.error is None:
                    job.error = error
        finally:
            group.ended.set()

    def _gather(self, group: _Group) -> None:
        while not group.given_up.wait(_QUIET / 2):
            now = time.monotonic()
            is_late = now - group.begun >= _PATIENCE
            with self._lock:
                self._expected = [] if is_late else [crowd for crowd in self._expected if crowd.missing]
                all_are_there = not self._expected and self._waiting >= self._there
            if is_late or (all_are_there and now - group.joined >= _QUIET):
                return
