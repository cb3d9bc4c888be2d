"""The page of a closed site, as an Envoy shows it."""

from __future__ import annotations

from typing import Literal

from .notice_page import NoticePage


class MaintenanceSettings(NoticePage):
    """``maintenance: {kind: envoy, message: "Back at noon.", retry_after: 300}``."""

    kind: Literal["envoy"] = "envoy"
