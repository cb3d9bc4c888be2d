"""The fleet that is this one machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator

from .hosts import Address, HostsSettings


class LocalFleetSettings(HostsSettings):
    """``fleet: {kind: local, colors: {blue: 127.0.0.1:8101, green: 127.0.0.1:8102}, start: "…", …}``."""

    kind: Literal["local"] = "local"
    colors: Mapping[Literal["blue", "green"], Address]
    """Where each color listens: ``{blue: 127.0.0.1:8101, green: 127.0.0.1:8102}``."""

    def addresses(self, color: Literal["blue", "green"]) -> tuple[str, ...]:
        """Where a color listens."""
        return (self.colors[color],)

    @field_validator("colors")
    @classmethod
    def _each_color_has_its_own(cls, given: Mapping[str, str]) -> Mapping[str, str]:
        missing = [color for color in ("blue", "green") if color not in given]
        if missing:
            raise ValueError(f"the address of {missing[0]} is missing")
        if given["blue"] == given["green"]:
            raise ValueError(f"both colors cannot listen at {given['blue']}")
        for address in given.values():
            if not 1 <= int(address.rpartition(":")[2]) <= 65535:
                raise ValueError(f"{address}: a port is between 1 and 65535")
        return given
