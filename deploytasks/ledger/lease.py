"""The right to change an environment, for as long as one shows to be alive.

A lease is renewed every ``beat`` seconds. A taker never compares clocks with the holder: it watches the stored
beat on its own clock, and takes over when that stood still for one time to live. Each taking gets a higher token,
and the ledger refuses events with a lower token than its highest. The holder's own clock runs on while its
machine sleeps, so that one who wakes up knows that it must look before it writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol, Self

from ..errors import Conflict, DeployError, LeaseLost, Unreachable
from ..ports import Store
from .holder import Holder, lease_key, stored_holding, write_holding
from .taking import Taken, take

_PATIENCE = 2.0
"""Seconds that a check waits for a store that hangs."""


class Clock(Protocol):
    """What a lease needs of time. ``elapsed`` counts the time a machine was suspended, where the system can."""

    def now(self) -> datetime: ...

    def elapsed(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Lease:
    """A lease that is held, until it is released or lost. ``take`` makes one; as a context manager it is kept
    alive and released at the end."""

    def __init__(self, store: Store, scope: str, taken: Taken, beat: float, clock: Clock) -> None:
        self.token = taken.held.token
        self.ttl = taken.held.ttl
        self.taken_from = taken.taken_from
        """Whom it was taken from, dead or silent; ``None``: it was free."""
        self._store = store
        self._scope = scope
        self._held = taken.held
        self._tag = taken.tag
        self._renewed_at = taken.asked_at
        self._busy = threading.Lock()
        """Held while the three above change."""
        self._doing = taken.held.doing
        self._is_released = False
        self._lost = ""
        self._beat = beat
        self._clock = clock
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    @classmethod
    def take(
        cls,
        store: Store,
        scope: str,
        holder: Holder,
        doing: str,
        *,
        clock: Clock,
        is_alive: Callable[[str], bool],
        wait: float = 0,
        ttl: float = 60.0,
        beat: float = 15.0,
    ) -> Lease:
        """Take the lease of ``scope``, at once or within ``wait`` seconds, or raise ``LeaseHeld``.

        ``is_alive`` tells whether the process of an identity still runs on this machine; of one that does not,
        the lease is taken at once. From others that show no life it is taken after one of their times to live,
        which this waits for even without ``wait`` if the last sign of life is older than that.
        """
        return cls(store, scope, take(store, scope, holder, doing, clock, is_alive, wait, ttl), beat, clock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def age_since_renewal(self) -> float:
        """Seconds since the store last took a sign of life from us."""
        return self._clock.elapsed() - self._renewed_at

    def start(self) -> None:
        """Renew in the background from now on."""
        self._is_stopping = False
        self._wake.clear()
        self._thread = threading.Thread(target=self._keep_alive, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Renew no more. The lease stays ours until its time to live is over."""
        self._is_stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
            self._thread = None

    def check(self) -> None:
        """Raise ``LeaseLost`` unless the lease is ours.

        Costs nothing while the last renewal is younger than half the time to live. Past that the store is asked
        first; ``Unreachable`` when it does not answer within seconds.
        """
        if not self._lost and self.age_since_renewal > self.ttl / 2:
            self._renew_now()
        if self._lost:
            raise LeaseLost(self._lost, state="nothing more is written", do="`inv status` says who is at work")

    def doing(self, text: str) -> None:
        """Show others what is being done: with a renewal of its own, right away, if the store takes it."""
        if text == self._doing:
            return
        self._doing = text
        if self._thread is not None:
            self._wake.set()
        else:
            with suppress(Unreachable):
                self._renew_now()

    def release(self) -> bool:
        """Give it back. ``False`` when it was ours no more, or the store did not take it: it then runs out."""
        self.stop()
        self._is_released = True
        if not self._lost:
            with suppress(Unreachable):
                self._renew_now()
        gave_back = not self._lost and self._held.released
        self._lost = self._lost or f"the lease of {self._scope} was given back"
        return gave_back

    def _keep_alive(self) -> None:
        pause = self._beat
        while True:
            self._wake.wait(pause)
            self._wake.clear()
            if self._is_stopping or self._lost:
                return
            try:
                self._renew()
                pause = self._beat
            except DeployError:
                pause = self._beat / 3

    def _renew_now(self) -> None:
        """Renew, and wait only so long for a store that hangs."""
        failed: list[DeployError] = []

        def renew() -> None:
            try:
                self._renew()
            except DeployError as error:
                failed.append(error)

        worker = threading.Thread(target=renew, name="lease check", daemon=True)
        worker.start()
        worker.join(_PATIENCE)
        if worker.is_alive():
            raise Unreachable(
                f"the store did not answer within {_PATIENCE:.0f} s, so the lease of {self._scope} is not sure",
                state="it may have been taken over",
                do="see what keeps the store: `inv doctor`",
            )
        if failed:
            raise failed[0]

    def _renew(self) -> None:
        if not self._busy.acquire(timeout=_PATIENCE):
            raise Unreachable(f"the store keeps an earlier renewal of the lease of {self._scope} waiting")
        try:
            while not self._lost and not self._is_renewed():
                self._look_who_has_it()
        finally:
            self._busy.release()

    def _is_renewed(self) -> bool:
        asked_at = self._clock.elapsed()
        held = self._held._replace(
            beat=self._held.beat + 1, beat_at=self._clock.now(), doing=self._doing, released=self._is_released
        )
        try:
            self._tag = self._store.put(lease_key(self._scope), write_holding(held), self._tag)
        except Conflict:
            return False
        self._held, self._renewed_at = held, asked_at
        return True

    def _look_who_has_it(self) -> None:
        """The stored lease is not as we left it: taken over, or our own last write got through after all."""
        found = stored_holding(self._store, self._scope)
        if found is None:
            self._lost = f"the lease of {self._scope} was deleted from the store"
        elif found[0].token == self.token and found[0].holder == self._held.holder and not found[0].released:
            self._tag = found[1]
        else:
            self._lost = f"the lease of {self._scope} was taken over by {found[0]}"
