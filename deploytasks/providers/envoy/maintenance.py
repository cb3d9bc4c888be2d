"""Maintenance at Envoy: every visitor gets a page and 503, switched by a runtime key, without a reload."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...errors import Unreachable, UsageError
from ...ports import Call, Finding, Notice
from ..maintenances import diagnosed
from ..site import Site
from . import page
from .keys import in_words, notice_from, notice_keys
from .place import asleep, place_of, write_whole
from .runtime import runtime_of

if TYPE_CHECKING:
    from ...settings.envoy_maintenance import MaintenanceSettings


class Maintenance:
    """The page of one environment.

    ``Retry-After`` is what the notice says, rounded up to one of ``keys.RETRIES``. An Envoy that is not
    managed by us shows the page of its own configuration while ``maintenance.on`` is 100.
    """

    def __init__(self, settings: MaintenanceSettings, site: Site) -> None:
        from ...settings.envoy import TrafficSettings

        traffic = site.sections.get("traffic")
        if not isinstance(traffic, TrafficSettings):
            raise UsageError("maintenance: {kind: envoy} needs traffic: {kind: envoy}", do="choose another maintenance")
        self._settings = settings
        self._site = site
        self._is_managed = traffic.managed
        self._runtime = runtime_of(traffic, site)
        self._place = place_of(site)
        self._page = self._place.page

    def read(self) -> Notice | None:
        return notice_from(self._runtime.in_force())

    def diagnose(self) -> Sequence[Finding]:
        """Whether it can be read, and what it says."""
        if self._is_managed and not self._place.read_state().alive:
            return [asleep("maintenance: envoy", self._place)]
        return diagnosed("envoy", self)

    def write(self, notice: Notice | None) -> Call:
        changes = {key: value for key, value in notice_keys(notice).items() if notice is None or value is not None}
        text = f"envoy runtime: {in_words(changes)}" if notice else "envoy runtime: without maintenance.*"
        return Call(text, partial(self._write, notice))

    def _write(self, notice: Notice | None, timeout: float) -> None:
        if notice is not None and self._is_managed:
            self._put_page(notice)
        self._runtime.change(notice_keys(notice), timeout)

    def _put_page(self, notice: Notice) -> None:
        text = page.render(self._settings, self._site, notice.message, notice.retry_after)
        try:
            write_whole(self._page, text)
        except OSError as error:
            what = f"the maintenance page cannot be written: {error}"
            raise Unreachable(what, state="the site stays open", do=f"mend {self._page.parent}") from error
