"""HAProxy: one or several that are there already, reached through the runtime API."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from .base import Duration, Value
from .measures import Measure, Measuring
from .notice_page import NoticePage
from .ssh import AS_SSH_DOES, Endpoint, SshAccess


def _socket(given: str) -> str:
    host, _, port = given.rpartition(":")
    is_address = bool(host) and "/" not in host and port.isdecimal() and 0 < int(port) < 65536
    if not is_address and not (given.startswith("/") and len(given) > 1):
        raise ValueError(f"{given!r} is no stats socket: write its absolute path, or host:port")
    return given


def _folder(given: str) -> str:
    return given.rstrip("/") or "/"


RuntimeSocket = Annotated[str, AfterValidator(_socket), Field(pattern=r"^[^\s,;!'\"\\]+$")]
"""The path of a UNIX socket, or ``host:port``."""
Folder = Annotated[str, AfterValidator(_folder), Field(pattern=r"^[^\s;'\"\\]+$")]
"""A folder that HAProxy can name in its configuration, and in a command: there a ``;`` would begin another one."""
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\s;'\"\\]+$")]
"""From the root on, of the same characters."""
ProxyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]+$")]
"""A name as HAProxy allows it for a backend."""
ServerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]+/[A-Za-z0-9_.:-]+$")]
"""``backend/server``."""

FOLDER = "/var/lib/haproxy/deploytasks"
"""Where the maps lie when nothing is said."""


class BalancerSettings(Value):
    """One HAProxy: ``/run/haproxy/admin.sock``, ``127.0.0.1:9999`` or
    ``{host: deploy@lb1, socket: /run/haproxy/admin.sock}``."""

    socket: RuntimeSocket
    """Its stats socket, as seen on ``host`` (or here): an absolute path, or ``host:port``."""
    host: Endpoint | None = None
    """``[user@]host[:port]``, reached over SSH; without it, the socket is reached from here."""
    state: Folder | None = None
    """The folder of its maps, when it is another one than ``state``."""

    @model_validator(mode="before")
    @classmethod
    def _is_short(cls, given: Any) -> Any:
        return {"socket": given} if isinstance(given, str) else given

    @property
    def is_far(self) -> bool:
        """Whether it answers on a port and nothing says where its files are."""
        return self.host is None and not self.socket.startswith("/")


class BackendNames(Value):
    """The backend of each color."""

    blue: ProxyName
    """Blue's backend."""
    green: ProxyName
    """Green's backend."""

    @model_validator(mode="after")
    def _are_two(self) -> BackendNames:
        if self.blue == self.green:
            raise ValueError("both colors have the same backend: they could not be told apart")
        return self


class ServersByColor(Value):
    """The servers of each color, as ``backend/server``, in backends that both share."""

    blue: Annotated[tuple[ServerName, ...], Field(min_length=1)]
    """Blue's servers, each as ``backend/server``."""
    green: Annotated[tuple[ServerName, ...], Field(min_length=1)]
    """Green's servers; in every backend that has servers of blue."""

    @model_validator(mode="after")
    def _share_backends(self) -> ServersByColor:
        if set(self.blue) & set(self.green) or len({*self.blue, *self.green}) < len(self.blue) + len(self.green):
            raise ValueError("a server is listed twice")
        blue, green = ({name.partition("/")[0] for name in names} for names in (self.blue, self.green))
        if blue != green:
            lonely = ", ".join(sorted(blue ^ green))
            raise ValueError(
                f"only one color has servers in {lonely}: colors with backends of their own need no servers"
            )
        return self


class TrafficSettings(Value):
    """``traffic: {kind: haproxy, public: "https://shop.example", balancers: [/run/haproxy/admin.sock]}``."""

    kind: Literal["haproxy"] = "haproxy"
    public: str = Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")
    """The base URL that users know."""
    balancers: Annotated[tuple[BalancerSettings, ...], Field(min_length=1)]
    """Every HAProxy that serves this environment. A write is in all of them or in none."""
    ssh: SshAccess = AS_SSH_DOES
    """How the balancers' hosts are reached: the keys of ``ssh``."""
    state: Folder | None = None
    """The folder of the maps on a balancer's host; by default ``/var/lib/haproxy/deploytasks``. A balancer that is only
    a port has none unless this says so: then a restart of HAProxy forgets the split, and we say so instead of
    guessing."""
    map: AbsolutePath | None = None
    """What HAProxy's configuration calls the split's map; by default ``split.map`` in ``state``."""
    backends: BackendNames | None = None
    """The backend of each color; by default ``<application>_blue`` and ``<application>_green``."""
    servers: ServersByColor | None = None
    """For a configuration whose frontend cannot change: both colors share backends, by the weights of their servers."""
    up_within: Annotated[Duration, Field(ge=0, le=300)] = 10.0
    """How long until HAProxy's own checks must have found a color that is to get its first traffic."""

    @model_validator(mode="after")
    def _are_distinct(self) -> TrafficSettings:
        known = [(each.host, each.socket) for each in self.balancers]
        if len(set(known)) < len(known):
            raise ValueError("a balancer is listed twice")
        if self.servers is not None and self.backends is not None:
            raise ValueError("`backends` (each color has its own) and `servers` (they share them) exclude each other")
        return self


class MaintenanceSettings(NoticePage):
    """``maintenance: {kind: haproxy, message: "Back at noon.", retry_after: 300}``."""

    means: ClassVar[dict[str, str]] = {
        "page": (
            "An HTML file to show; `{message}` and `{retry_after}` in it are replaced. Some 8 kB at most, since "
            "it travels in a map, and in one line. By default a plain page."
        ),
    }

    kind: Literal["haproxy"] = "haproxy"


class MetricsSettings(Measuring):
    """``metrics: {kind: haproxy, log: /var/log/haproxy.log}``."""

    means: ClassVar[dict[str, str]] = {
        "measures": (
            "What it gives, of several sources: `errors`, `latency`. By default all that it can: without `log` no"
            " latency."
        ),
    }

    kind: Literal["haproxy"] = "haproxy"
    log: AbsolutePath | None = None
    """The file with the lines of our log-format. Without it there are counts only, and nothing feeds the limits on
    latency but a ``probe`` or another source."""

    @property
    def able(self) -> tuple[Measure, ...]:
        """Its counters know nothing of how long requests take."""
        return ("errors", "latency") if self.log else ("errors",)
