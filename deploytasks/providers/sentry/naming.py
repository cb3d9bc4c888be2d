"""What Sentry calls our colors. Pure, but for one question to the hosts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...errors import Unreachable
from ...ports import COLORS, Color

if TYPE_CHECKING:
    from ...settings.sentry import SentryMetricsSettings
    from ..site import Site

RELEASE = "release"
"""The attribute of a span that names its release."""


class Marks(NamedTuple):
    """``attribute``: of a span; ``values``: what it says for each color that has anything."""

    attribute: str
    values: Mapping[Color, str]

    def words(self) -> str:
        """For people: ``release library@1.4.0 (blue) or library@1.4.1 (green)``."""
        each = [value if value == color else f"{value} ({color})" for color, value in self.values.items()]
        return f"{self.attribute} {' or '.join(each)}"


def release_name(template: str, application: str, environment: str, version: str, folder: str = "") -> str:
    """What a release is called there; ``folder``: its name on the hosts."""
    values = {"application": application, "environment": environment, "version": version, "release": folder or version}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def marks_of(settings: SentryMetricsSettings, site: Site) -> Marks:
    """How colors are told apart now. By their releases, the hosts are asked what stands on them.

    Raises what they raise, and ``Unreachable`` where both have the same release, or none has any.
    """
    if settings.color is not None:
        return Marks(settings.color, {color: color for color in COLORS})
    found = site.standing()
    values = {
        color: release_name(settings.release, site.application, site.environment, here.version, here.release)
        for color in COLORS
        if (here := found.get(color)) is not None
    }
    if not values:
        raise Unreachable("Sentry: no color has a release yet, by which its requests would be known", do="deploy one")
    if len(set(values.values())) < len(values):
        raise Unreachable(
            f"Sentry: both colors have the release {values['blue']}: their requests cannot be told apart",
            do="have the application set an attribute that says its color, and name it in `color`",
        )
    return Marks(RELEASE, values)
