"""What a target group is set to: how long it drains, and whether visitors stay with one of its targets."""

from __future__ import annotations

from ..session import translated
from .actions import short
from .place import KNOWN, Place


def attributes(place: Place, group: str) -> dict[str, str]:
    """All of them, as AWS calls them. Raises ``Unreachable``."""
    with translated(f"describe {short(group)}", KNOWN):
        found = place.client.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    return {each["Key"]: each["Value"] for each in found}


def delay(place: Place, group: str) -> float:
    """Seconds that open requests get when a target is taken out."""
    return float(attributes(place, group).get("deregistration_delay.timeout_seconds", 300))
