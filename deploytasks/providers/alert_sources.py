"""Several places where alerts are, as one: whatever fires anywhere fires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..at_once import Came, at_once
from ..errors import DeployError
from ..ports import Alert, Finding, NoData
from ..settings.several import named

if TYPE_CHECKING:
    from ..ports import Alerts
    from ..settings.base import Value


class AlertSources:
    """``Alerts`` of several. All are asked at once, so a look takes as long as the slowest: nobody beats meanwhile.

    Each alert has the name of who says so before its own. One that cannot be read makes all of it ``NoData``, which
    names it, and has what the others said: a critical alert counts whoever else is silent.
    """

    def __init__(self, parts: Sequence[tuple[Value, Alerts]]) -> None:
        self.sources = tuple(port for _, port in parts)
        self._names = named([settings for settings, _ in parts])

    def firing(self) -> Sequence[Alert] | NoData:
        """What fires, the oldest first."""
        asked = at_once([port.firing for port in self.sources], len(self.sources))
        silent: list[str] = []
        found: list[Alert] = []
        for name, came in zip(self._names, asked, strict=True):
            said = _or_no_data(came)
            if isinstance(said, NoData):
                silent.append(f"{name}: {said.why}")
            else:
                found += (alert._replace(name=f"{name}: {alert.name}") for alert in said)
        found.sort(key=lambda alert: alert.since)
        return NoData("; ".join(silent), tuple(found)) if silent else found

    def diagnose(self) -> Sequence[Finding]:
        """What each finds out about itself, by its name."""
        asked = at_once([port.diagnose for port in self.sources], len(self.sources))
        return [
            finding._replace(subject=f"alerts: {name}")
            for name, came in zip(self._names, asked, strict=True)
            for finding in _diagnosed(came)
        ]


def _or_no_data(came: Came[Sequence[Alert] | NoData]) -> Sequence[Alert] | NoData:
    if isinstance(came.error, DeployError):
        return NoData(came.error.what)
    if came.error is not None:
        raise came.error
    return came.value or () if not isinstance(came.value, NoData) else came.value


def _diagnosed(came: Came[Sequence[Finding]]) -> Sequence[Finding]:
    if came.error is None:
        return came.value or ()
    if not isinstance(came.error, DeployError):
        raise came.error
    return [Finding("", "fail", came.error.what, came.error.do)]
