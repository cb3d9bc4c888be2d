"""Maintenance at HAProxy: every visitor gets 503 and the page that the map holds, without a reload."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import DeployError, Unreachable, UsageError
from ...ports import Call, Finding, Notice
from ..maintenances import diagnosed
from ..notice_page import rendered
from ..site import Site
from .balancer import Balancer, Table
from .balancers import at_once, opened, write_everywhere
from .keys import LARGEST, in_words, lines, notice_from, notice_keys

if TYPE_CHECKING:
    from ...settings.haproxy import MaintenanceSettings

LOOK_WITHIN = 10.0
"""Seconds for a look at a balancer."""


class Maintenance:
    """The page of one environment. It is part of the map: each notice brings its own, ``Retry-After`` to the second."""

    def __init__(self, settings: MaintenanceSettings, site: Site) -> None:
        from ...settings.haproxy import TrafficSettings

        traffic = site.sections.get("traffic")
        if not isinstance(traffic, TrafficSettings):
            raise UsageError(
                "maintenance: {kind: haproxy} needs traffic: {kind: haproxy}", do="choose another maintenance"
            )
        self._settings = settings
        self._site = site
        self._balancers = opened(traffic, site)

    def read(self) -> Notice | None:
        """The notice that is in force at all balancers. Raises ``Unreachable`` when they disagree."""
        found = at_once(self._balancers, lambda each: each.in_force(each.maintenance, LOOK_WITHIN), self._site.parallel)
        notices = {}
        for name, keys in found.items():
            if isinstance(keys, DeployError):
                raise keys
            notices[name] = notice_from(keys)
        if len(set(notices.values())) > 1:
            said = "; ".join(f"{name} is {'closed' if notice else 'open'}" for name, notice in notices.items())
            raise Unreachable(
                f"the balancers disagree about maintenance: {said}",
                do="`inv maintenance-mode enable` or `disable` writes the same to all of them",
            )
        return next(iter(notices.values()))

    def diagnose(self) -> Sequence[Finding]:
        """Whether it can be read, and what it says."""
        return diagnosed("haproxy", self)

    def write(self, notice: Notice | None) -> Call:
        keys = self._keys(notice)
        names = ", ".join(each.name for each in self._balancers)
        return Call(f"haproxy maintenance at {names}: {in_words(keys)}", partial(self._write, keys))

    def _write(self, keys: dict[str, str], timeout: float) -> None:
        write_everywhere(self._balancers, _maintenance, keys, timeout, self._site.parallel)

    def _keys(self, notice: Notice | None) -> dict[str, str]:
        if notice is None:
            return {}
        page = rendered(self._settings.page, self._site, notice.message or self._settings.message, notice.retry_after)
        keys = notice_keys(notice, page)
        if len(lines(keys)) > LARGEST:
            raise UsageError(
                f"the maintenance page is too large for HAProxy's map: {len(lines(keys))} bytes of {LARGEST}, encoded",
                state="the site stays open",
                do="make it smaller: pictures and styles may stand on another host",
            )
        return keys


def _maintenance(balancer: Balancer) -> Table:
    return balancer.maintenance
