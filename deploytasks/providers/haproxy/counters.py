"""What HAProxy itself counts about a backend: the rows of ``show stat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...errors import Unreachable
from . import replies
from .balancer import Balancer


class Backend(NamedTuple):
    """One backend at one balancer, since that HAProxy was started."""

    up: bool
    """Whether a server of it can take requests."""
    why: str
    """What its servers' checks say."""
    open: int
    """Requests that are at its servers, or wait for one."""
    requests: int
    """Requests that were answered, by a server or by HAProxy in its place."""
    errors: int
    """Those that were answered with 5xx."""


def backend(balancer: Balancer, name: str, timeout: float) -> Backend:
    """One backend of a balancer. Raises ``Unreachable`` when it does not answer, or has none of that name."""
    rows = [row for row in replies.rows(balancer.ask("show stat\n", timeout)) if row.get("pxname") == name]
    totals = [row for row in rows if row["svname"] == "BACKEND"]
    if not totals:
        raise Unreachable(
            f"haproxy at {balancer.name} has no backend {name}",
            do="mend traffic.backends, or the names of the backends in haproxy.cfg",
        )
    return _backend(totals[0], [row for row in rows if row.get("type") == "2"])


def _backend(total: Mapping[str, str], servers: Sequence[Mapping[str, str]]) -> Backend:
    return Backend(
        up=total["status"].startswith("UP") and any(_is_up(server) for server in servers),
        why=", ".join(_said(server) for server in servers) or "it has no servers",
        open=_number(total, "qcur") + sum(_number(server, "scur") + _number(server, "qcur") for server in servers),
        requests=sum(_number(total, f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other")),
        errors=_number(total, "hrsp_5xx"),
    )


def _is_up(server: Mapping[str, str]) -> bool:
    return server["status"].startswith(("UP", "no check")) and _number(server, "weight") > 0


def _said(server: Mapping[str, str]) -> str:
    check = " ".join(filter(None, (server.get("check_status", ""), server.get("last_chk", ""))))
    return f"{server['svname']} {server['status']}{f' ({check})' if check else ''}"


def _number(row: Mapping[str, str], field: str) -> int:
    text = row.get(field) or ""
    return int(text) if text.isdecimal() else 0
