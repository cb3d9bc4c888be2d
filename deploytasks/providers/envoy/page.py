"""The maintenance page on disk. Envoy watches its folder, and shows a new one as soon as it is in place."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ..site import Site
from .place import write_whole

if TYPE_CHECKING:
    from ...settings.envoy import MaintenanceSettings

DEFAULT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Down for maintenance</title>
<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}</style></head>
<body><h1>Down for maintenance</h1><p>{message}</p></body></html>
"""


def settings_of(site: Site) -> MaintenanceSettings:
    """The maintenance section of an environment, or its defaults when there is none for Envoy."""
    from ...settings.envoy import MaintenanceSettings

    found = site.sections.get("maintenance")
    return found if isinstance(found, MaintenanceSettings) else MaintenanceSettings()


def render(settings: MaintenanceSettings, site: Site, message: str, retry_after: int) -> str:
    """The page with this message. Raises ``UsageError`` when the configured file cannot be read."""
    template = DEFAULT
    if settings.page:
        path = site.path(settings.page)
        try:
            template = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UsageError(f"maintenance.page cannot be read: {error}", do="mend maintenance.page") from error
    text = template.replace("{retry_after}", str(retry_after))
    return text.replace("{message}", escape(message or settings.message))


def ensure(path: Path, settings: MaintenanceSettings, site: Site) -> None:
    """Have some page there: Envoy does not start without it."""
    if not path.exists():
        write_whole(path, render(settings, site, settings.message, settings.retry_after))
