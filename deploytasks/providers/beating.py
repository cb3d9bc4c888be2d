"""The beats of a deployer that has armed: sent from a thread of its own, so that nothing on the way can hold it up."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..errors import DeployError


class Beating:
    """Sends a beat when it was told to, at most one per ``pause`` seconds, until one is not wanted any more or it is
    stopped.

    ``send`` says why there is nothing to beat for any more, or nothing. ``has_beaten``: whether arming was a beat, so
    that the first one comes after a pause.
    """

    def __init__(self, name: str, send: Callable[[], str], pause: float, *, has_beaten: bool = False) -> None:
        self.trouble = ""
        """Why the last beat did not arrive; empty when it did."""
        self.over = ""
        """Why there will be none any more."""
        self._send = send
        self._pause = pause
        self._has_beaten = has_beaten
        self._due = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"deadman {name}", daemon=True)
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
        if self._has_beaten:
            self._stopped.wait(self._pause)
        while not self._stopped.is_set():
            self._due.wait()
            self._due.clear()
            if self._stopped.is_set():
                return
            self._send_one()
            if self.over:
                return
            self._stopped.wait(self._pause)

    def _send_one(self) -> None:
        try:
            self.over = self._send()
            self.trouble = ""
        except DeployError as error:
            self.trouble = error.what
        except Exception as error:  # noqa: BLE001  a beat that cannot be sent is one that is missing, and no more
            self.trouble = f"{type(error).__name__}: {error}"
