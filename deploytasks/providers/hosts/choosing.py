"""How a color is served, as the settings say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...ports import Color
from ...settings.hosts import HostsSettings
from . import rendering
from .host import Member
from .layout import Layout
from .rendering import Program
from .serving import Serving

if TYPE_CHECKING:
    from .supervising import Orders


def serving(settings: HostsSettings, member: Member, layout: Layout, color: Color, python: str) -> Serving:
    """What serves a color on one host. ``python``: what ``{python}`` is there. Raises ``SettingsError``."""
    values = rendering.values(member.addresses[color], layout, color, python)
    common = (member, layout, color, settings.health, settings.health_within, settings.stop_within)
    if settings.start is not None:
        from .process import ColorProcess

        return ColorProcess(*common, _program(settings, settings.start, values), python)
    unit = rendering.word(settings.service, values) if settings.service else ""
    restart = _program(settings, settings.restart or "", values)
    if settings.restart is None:
        restart = restart._replace(command=f"sudo -n systemctl restart {unit}")
    from .service import ServiceProcess

    return ServiceProcess(*common, restart, _orders(settings, unit, values))


def program(
    settings: HostsSettings, member: Member, layout: Layout, color: Color, python: str, template: str
) -> Program:
    """A command of a color on one host, with the application's environment. Raises ``SettingsError``."""
    values = rendering.values(member.addresses[color], layout, color, python)
    return _program(settings, template, values)


def _program(settings: HostsSettings, template: str, values: Mapping[str, str]) -> Program:
    return rendering.program(template, settings.environment, values, settings.environment_file or "")


def _orders(settings: HostsSettings, unit: str, values: Mapping[str, str]) -> Orders:
    from .supervising import Orders

    def said(template: str | None, default: str) -> str:
        return default if template is None else rendering.command(template, values)

    return Orders(
        said(settings.stop, f"sudo -n systemctl stop {unit}"),
        said(settings.running, f"systemctl is-active --quiet {unit}"),
        said(settings.last_words, f"journalctl -q --no-pager -o cat -n 20 -u {unit}" if unit else ""),
        f"journalctl -q --no-pager -o cat -f -u {unit}" if unit else "",
    )
