"""What HAProxy itself counts about a color: rows of ``show stat``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...errors import Unreachable
from . import replies
from .balancer import Balancer
from .members import Members

Row = Mapping[str, str]


class Counted(NamedTuple):
    """One color at one balancer, since that HAProxy was started."""

    up: bool
    """Whether it can take requests."""
    why: str
    """What its servers' checks say."""
    open: int
    """Requests that are at its servers, or wait for one."""
    requests: int
    """Requests that were answered, by a server or by HAProxy in its place."""
    errors: int
    """Those that were answered with 5xx."""


def count(balancer: Balancer, of: Members, timeout: float) -> Counted:
    """One color at a balancer. Raises ``Unreachable`` when it does not answer, or knows nothing of that name."""
    rows = replies.rows(balancer.ask("show stat\n", timeout))
    if of.servers:
        return _of_servers([_row(rows, balancer.name, *name.split("/")) for name in of.servers])
    total = _row(rows, balancer.name, of.backend, "BACKEND")
    servers = [row for row in rows if row["pxname"] == of.backend and row.get("type") == "2"]
    return Counted(
        up=total["status"].startswith("UP") and any(_is_up(server) for server in servers),
        why=", ".join(_said(server) for server in servers) or "it has no servers",
        open=_number(total, "qcur") + _open(servers),
        requests=_answered(total),
        errors=_number(total, "hrsp_5xx"),
    )


def _of_servers(servers: Sequence[Row]) -> Counted:
    """Some servers of a backend. What HAProxy answers when none of it is up is nobody's."""
    backends = {row["pxname"] for row in servers}
    failed = sum(_number(row, "econ") + _number(row, "eresp") for row in servers)
    return Counted(
        up=backends == {row["pxname"] for row in servers if _is_up(row)},
        why=", ".join(_said(server) for server in servers),
        open=_open(servers),
        requests=sum(_answered(row) for row in servers) + failed,
        errors=sum(_number(row, "hrsp_5xx") for row in servers) + failed,
    )


def _row(rows: Sequence[Row], name: str, proxy: str, service: str) -> Row:
    for row in rows:
        if (row["pxname"], row["svname"]) == (proxy, service):
            return row
    what = f"backend {proxy}" if service == "BACKEND" else f"server {proxy}/{service}"
    raise Unreachable(
        f"haproxy at {name} has no {what}",
        do="mend traffic.backends or traffic.servers, or the names in haproxy.cfg",
    )


def _answered(row: Row) -> int:
    return sum(_number(row, f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))


def _open(servers: Sequence[Row]) -> int:
    return sum(_number(server, "scur") + _number(server, "qcur") for server in servers)


def _is_up(server: Row) -> bool:
    return server["status"].startswith(("UP", "no check"))


def _said(server: Row) -> str:
    check = " ".join(filter(None, (server.get("check_status", ""), server.get("last_chk", ""))))
    return f"{server['svname']} {server['status']}{f' ({check})' if check else ''}"


def _number(row: Row, field: str) -> int:
    text = row.get(field) or ""
    return int(text) if text.isdecimal() else 0
