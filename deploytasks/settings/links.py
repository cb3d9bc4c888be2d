"""Where people see more: addresses that go along with every message."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict

from .base import Value

PLACEHOLDERS = ("application", "environment", "version", "commit", "deployment")
"""What may be filled in."""


def _template(given: str) -> str:
    # Without the value in the message: somebody may have written a secret into it.
    parts = urlsplit(given)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or re.search(r"\s", given):
        raise ValueError(
            "an address such as https://grafana.example/d/shop?var-version={version} is needed, without user"
        )
    unknown = sorted(set(re.findall(r"\{([^{}]*)\}", given)) - set(PLACEHOLDERS))
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"{{{unknown[0]}}} is no placeholder; known: {known}")
    return given


Template = Annotated[str, AfterValidator(_template)]
"""An address with placeholders in braces."""


class Links(Value):
    """``links: {dashboard: "https://grafana.example/d/shop?var-version={version}"}``: words → address."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Template]

    @property
    def templates(self) -> dict[str, str]:
        """All of them, as they are written."""
        return dict(self.__pydantic_extra__)
