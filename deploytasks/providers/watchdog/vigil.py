"""The watchdog's own life: watch a beat, and take traffic home when it stops.

It imports little until then, so that it costs next to nothing while it waits.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Literal

from ... import outcries, redaction
from .. import identity
from .arming import Arming, State, beat_file, read_arming, uptime, write_state

if TYPE_CHECKING:
    from ...ports import Json
    from .homecoming import Homecoming

PAUSE = 1.0
"""Seconds between two attempts to take traffic home."""
POLITE = 2
"""Attempts that leave the balancer's lock to whoever holds it."""


class Vigil:
    """Watches over one arming, from ``keep``'s call until it returns."""

    def __init__(self, folder: Path, arming: Arming) -> None:
        self._folder = folder
        self._arming = arming
        self._process = identity.identity(os.getpid()) or ""
        self._beat = beat_file(folder, arming.id)
        self._seen = self._stamp()
        self._seen_at = uptime()
        self._tick = min(0.5, arming.grace / 10)
        self._shown: tuple[str, str] | None = None

    def keep(self) -> None:
        """Return when there is nothing more to watch: disarmed, replaced, fired, or after the lifetime."""
        until = uptime() + self._arming.lifetime
        self._show("watching", "")
        while self._is_in_force():
            if self._is_silent() and self._take_home():
                return
            if uptime() >= until:
                self._show("ended", f"its lifetime of {self._arming.lifetime / 3600:g} h is over")
                return
            sleep(self._tick)

    def _is_in_force(self) -> bool:
        """Whether the order still stands. A folder that cannot be read for a moment changes nothing."""
        try:
            order = read_arming(self._folder)
        except OSError:
            return True
        return order is not None and order.id == self._arming.id

    def _silence(self) -> float:
        """Seconds since the beat was last seen to change."""
        now, stamp = uptime(), self._stamp()
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, now
        return now - self._seen_at

    def _is_silent(self) -> bool:
        return self._silence() >= self._arming.grace

    def _stamp(self) -> int | None:
        try:
            return self._beat.stat().st_mtime_ns
        except OSError:
            return None

    def _take_home(self) -> bool:
        """Try until it is done (true), or until the beat is back or the order is gone (false)."""
        began, tries = uptime(), 0
        self._show("firing", f"no beat for {self._silence():.0f} s")
        while self._is_in_force() and self._is_silent():
            tries += 1
            if (done := self._try_once(insist=tries > POLITE)) is not None:
                self._finish(done, tries)
                return True
            if uptime() - began >= self._arming.patience:
                self._give_up(tries)
                return True
            sleep(PAUSE)
        self._show("watching", "the beat came back")
        return False

    def _try_once(self, *, insist: bool) -> Homecoming | None:
        try:
            from .homecoming import go_home, open_traffic

            return go_home(open_traffic(self._arming), self._arming, self._is_silent, insist=insist)
        except Exception as error:  # noqa: BLE001  whatever is wrong, trying again is all that can be done
            sys.stderr.write(outcries.told(error))
            self._show("firing", f"traffic cannot be taken home yet: {' '.join(str(error).split())}")
            return None

    def _finish(self, done: Homecoming, tries: int) -> None:
        if done.written:
            silence = round(self._silence(), 1)
            self._record("deadman-fired", before=list(done.before), why=done.why, silence=silence, tries=tries)
        self._show("fired" if done.written else "ended", done.why)

    def _give_up(self, tries: int) -> None:
        why = self._shown[1] if self._shown else ""
        self._record("deadman-failed", why=why, tries=tries)
        self._show("ended", f"gave up: {why}")

    def _record(self, kind: str, **facts: Json) -> None:
        """Leave a note that the ledger takes in later."""
        try:
            from ...ledger.spool import Spool
            from .homecoming import target

            order = self._arming
            whole: dict[str, Json] = {"deployment": order.deployment, "split": list(target(order)), **facts}
            Spool(Path(order.folder) / "spool").put(kind, whole, datetime.now(UTC), order.who)
        except Exception as error:  # noqa: BLE001  traffic is home, and state.json says so: that is what counts
            sys.stderr.write(outcries.told(error))

    def _show(self, phase: Literal["watching", "firing", "fired", "ended"], why: str) -> None:
        """Write the state down; once, however often the same is said."""
        why = str(redaction.clean(why))
        if (phase, why) == self._shown:
            return
        self._shown = (phase, why)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        sys.stderr.write(f"{at} {self._arming.deployment}: {phase} {why}\n")
        with suppress(OSError):  # a full disk must not keep traffic from going home
            write_state(self._folder, State(self._arming.id, self._process, phase, at, why))
