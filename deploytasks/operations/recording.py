"""Records a rollback without ever standing in its way."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from .. import redaction
from ..ci import here
from ..errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ports import Json
    from ..world import World
    from .returning import Returned


class Recording:
    """Records a rollback in the ledger without ever standing in its way.

    The ledger is opened in a thread, early; what is to be recorded goes to the local spool first, and
    from there into the ledger when that answers in time. If it does not, the next task imports it.
    """

    def __init__(self, world: World, patience: float | None = None) -> None:
        self._world = world
        self._patience = patience
        self._began = time.monotonic()
        self._standing = threading.Event()
        self._go = threading.Event()
        self._done = threading.Event()
        self._is_open = False
        self._were_live: frozenset[str] = frozenset()
        self._is_back = False
        """Whether traffic came home; a rollback that was refused must not move it by clearing up."""
        self.problem = ""
        """What went wrong beside the rollback itself: recording it, or clearing up after a dead deployer."""
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def _deliver(self) -> None:
        try:
            standing = self._world.ledger.head().standing
            self._were_live = frozenset(one.digest for one in (*standing.succeeded, *standing.withdrawn))
            self._is_open = standing.open is not None
            self._standing.set()
            self._go.wait()
            self._world.catch_up()
            if self._is_open and (self._is_back or self._world.traffic.read().verb != "deploy"):
                from .recovery import settle_open

                settle_open(self._world)
        except (DeployError, OSError) as error:
            if self._standing.is_set():  # the ledger answered: what failed then is worth a word
                self.problem = str(getattr(error, "what", error))
        self._standing.set()
        self._done.set()

    def were_live(self, seconds: float) -> frozenset[str]:
        """The digests of what was live before; none, if the ledger knows of none or does not answer in this time."""
        self._standing.wait(seconds)
        return self._were_live

    def record(self, returned: Returned, reason: str) -> None:
        """Spool it at once; the thread takes it from there."""
        facts = {
            "reason": redaction.clean(reason),
            "from": list(returned.before),
            "to": list(returned.after),
            "by": self._world.site.who,
            **({"run": job.url} if (job := here()) and job.url else {}),
        }
        self._spool("rolled-back", facts)
        self._is_back = True
        self._go.set()

    def failed(self, error: DeployError, reason: str) -> None:
        """The same for a way back that could not complete: some of several balancers may have taken it."""
        facts = {"reason": reason, "why": f"{error.what}; {error.state}".rstrip("; "), "by": self._world.site.who}
        self._spool("rollback-failed", redaction.clean(facts))

    def _spool(self, kind: str, facts: Mapping[str, Json]) -> None:
        with suppress(DeployError, OSError):
            self._world.spool.put(kind, facts, self._world.clock.now(), self._world.site.who)
            if self._world.site.names is not None:
                self._world.site.names.save()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the ledger no longer than ``patience`` seconds, or a tenth of what the rollback took.

        But when that answers, and shows what a dead deployer left open, wait until it is closed.
        """
        self._go.set()
        taken = time.monotonic() - self._began
        bound = max(0.02, taken / 10) if self._patience is None else self._patience
        if self._standing.wait(bound) and not self._done.wait(bound) and self._is_open:
            self._done.wait(60.0)
