"""The beats of one host: sent from a thread of its own, so that nothing on the way can hold the deployer up."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator

from ...errors import DeployError
from ..hosts.host import Host
from . import commands

WITHIN = 10.0
"""Seconds for one beat."""
PER_GRACE = 6
"""Beats that fit into one grace."""


class Beating:
    """Sends a beat when it was told to, at most one per sixth of the grace, until it is stopped."""

    def __init__(self, host: Host, at: str, order_id: str, grace: float) -> None:
        self.trouble = ""
        """Why the last beat did not arrive; empty when it did."""
        line = apart(host)
        self._send: Callable[[str], object] = lambda word: line.run(
            commands.beat(at, order_id, word), min(WITHIN, grace / 2)
        )
        self._pause = grace / PER_GRACE
        self._due = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"deadman {host.name}", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Have one sent soon; returns at once. Those that come meanwhile are one."""
        self._due.set()

    def stop(self, within: float = 0.0) -> None:
        """No beat begins from now on; wait up to ``within`` seconds for one that is on its way."""
        self._stopped.set()
        self._due.set()
        self._thread.join(within)

    def _keep(self) -> None:
        words = beat_words()
        while True:
            self._due.wait()
            if self._stopped.is_set():
                return
            self._due.clear()
            self._send_one(next(words))
            self._stopped.wait(self._pause)

    def _send_one(self, word: str) -> None:
        try:
            self._send(word)
            self.trouble = ""
        except DeployError as error:
            self.trouble = error.what
        except Exception as error:  # noqa: BLE001  a beat that cannot be sent is one that is missing, and no more
            self.trouble = f"{type(error).__name__}: {error}"


def apart(host: Host) -> Host:
    """The host over a connection of its own, where it has connections: beats and work do not wait for each other."""
    own: Callable[[str], Host] | None = getattr(host, "apart", None)
    return own("deadman") if own else host


def beat_words() -> Iterator[str]:
    """Words of which no two are alike, not even those of two deployers that beat for the same order."""
    mine = os.urandom(4).hex()
    for number in itertools.count():
        yield f"{mine}-{number}"
