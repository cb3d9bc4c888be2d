"""The maintenance page on disk. Envoy watches its folder, and shows a new one as soon as it is in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..notice_page import rendered
from ..site import Site
from .place import write_whole

if TYPE_CHECKING:
    from ...settings.envoy_maintenance import MaintenanceSettings


def settings_of(site: Site) -> MaintenanceSettings:
    """The maintenance section of an environment, or its defaults when there is none for Envoy."""
    from ...settings.envoy_maintenance import MaintenanceSettings
    from ...settings.several import parts

    found = (one for one in parts(site.sections.get("maintenance")) if isinstance(one, MaintenanceSettings))
    return next(found, None) or MaintenanceSettings()


def render(settings: MaintenanceSettings, site: Site, message: str, retry_after: int) -> str:
    """The page with this message. Raises ``UsageError`` when the configured file cannot be read."""
    return rendered(settings.page, site, message or settings.message, retry_after)


def ensure(path: Path, settings: MaintenanceSettings, site: Site) -> None:
    """Have some page there: Envoy does not start without it."""
    if not path.exists():
        write_whole(path, render(settings, site, settings.message, settings.retry_after))
