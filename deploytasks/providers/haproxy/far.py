"""A HAProxy on another host, reached by one command per transaction."""

from __future__ import annotations

from collections.abc import Callable
from shlex import quote

from ... import redaction
from ...errors import DeployError, Unreachable
from ..hosts.host import CommandFailed, Host
from . import api, script
from .balancer import Busy, Differs, Silent, Table
from .keys import Keys, keys_in
from .weights import Weights, in_force


class FarBalancer:
    """``reach`` gives the host at ``endpoint``, and connects when it is needed; ``socket`` is as it sees it."""

    def __init__(
        self,
        name: str,
        endpoint: str,
        reach: Callable[[], Host],
        socket: str,
        split: Table,
        maintenance: Table,
        weights: Weights | None = None,
    ) -> None:
        self.name = name
        self.endpoint = endpoint
        self.weights = weights
        self.split = split
        self.maintenance = maintenance
        self.reach = reach
        self.socket = socket

    @property
    def host(self) -> Host:
        """Where it runs."""
        return self.reach()

    def ask(self, command: str, timeout: float) -> str:
        try:
            said = self.host.run(script.asking(self.socket, command, 0.8 * timeout), timeout)
        except CommandFailed as error:
            raise Silent(f"haproxy at {self.name}: {error.what}", do=_DOCTOR) from error
        return api.whole(said, self.name)

    def in_force(self, table: Table, timeout: float) -> Keys:
        return in_force(self, table, self.weights, timeout)

    def kept(self, table: Table, timeout: float) -> Keys:
        assert table.file is not None
        return keys_in(self._run(f"cat {quote(table.file)}", timeout))

    def write(self, table: Table, keys: Keys, timeout: float, expect: Keys | None = None) -> None:
        weights = self.weights if table is self.split else None
        text = script.writing(self.socket, table, keys, expect, timeout / 2, weights)
        said = self._run(text, timeout)
        outcome, _, why = said.strip("\n").partition("\n" if said.startswith("differs") else " ")
        if outcome == "differs":
            raise Differs(self.name, keys_in(why))
        if outcome == "busy":
            raise Busy(self.name)
        if outcome != "done":
            raise self._problem(outcome, why)

    def _problem(self, outcome: str, why: str) -> DeployError:
        what, state = {
            "failed": (why, "nothing was written"),
            "down": (why, "what was written is kept, and will be in force when haproxy starts"),
            "unkept": (why, "it is in force, but a restart of haproxy would forget it"),
        }.get(outcome, (f"it answered {redaction.excerpt(outcome, 200)!r}", "nobody knows what was written"))
        return Unreachable(f"{self.name}: {what}", state=state, do=_DOCTOR)

    def _run(self, command: str, timeout: float) -> str:
        try:
            return self.host.run(command, timeout)
        except CommandFailed as error:
            raise Unreachable(error.what, do=_DOCTOR) from error


_DOCTOR = "check that HAProxy runs, and that its socket and `state` are as docs/haproxy.md says"
