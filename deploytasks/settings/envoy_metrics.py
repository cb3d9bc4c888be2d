"""What users met, as an Envoy counts it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from .envoy import Admin, require_plain
from .measures import Measuring
from .ssh import AS_SSH_DOES, Endpoint, SshAccess


class MetricsSettings(Measuring):
    """``metrics: {kind: envoy}``."""

    means: ClassVar[dict[str, str]] = {
        "measures": "What it gives, of several sources: `errors`, `latency`. By default all that it can.",
    }

    kind: Literal["envoy"] = "envoy"
    admin: Admin | None = None
    """Envoy's admin address, when ``traffic`` is not Envoy; as seen on ``host`` (or here)."""
    host: Endpoint | None = None
    """Where that Envoy runs, ``[user@]host[:port]``, when its admin interface is reached over SSH."""
    ssh: SshAccess = AS_SSH_DOES
    """How ``host`` is reached: the keys of ``ssh``."""

    @model_validator(mode="after")
    def _is_reachable(self) -> MetricsSettings:
        if self.host is not None and self.admin is None:
            raise ValueError("`host` needs `admin`: the address of Envoy's admin interface there")
        require_plain(self.admin, self.host)
        return self
