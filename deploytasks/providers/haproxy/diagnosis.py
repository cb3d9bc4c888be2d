"""What doctor finds out about every HAProxy and its log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from ...errors import DeployError
from ...ports import Color, Finding, NoData, Totals
from . import replies
from .balancer import Balancer
from .counters import count
from .keys import split_from
from .logfile import LogFile
from .looking import described, in_force
from .members import Members
from .requests import parse

WITHIN = 10.0
"""Seconds for one question."""
_LOOKED_AT = 256 * 1024
"""Bytes of a log's end."""


def diagnose(balancers: Sequence[Balancer], of: Mapping[Color, Members]) -> Iterator[Finding]:
    """Each balancer: whether it answers, can do what we need, has what we need, and remembers it."""
    for balancer in balancers:
        subject = f"traffic: haproxy at {balancer.name}"
        try:
            yield _process(subject, balancer)
            yield from _colors(subject, balancer, of)
            yield _split(subject, balancer)
            yield _memory(subject, balancer)
        except DeployError as error:
            yield Finding(subject, "fail", error.what, error.do)


def _process(subject: str, balancer: Balancer) -> Finding:
    facts = replies.facts(balancer.ask("show info\n", WITHIN))
    version = facts["Version"]
    level = balancer.ask("show cli level\n", WITHIN).strip()
    if replies.numbers(version) < replies.OLDEST:
        return Finding(subject, "fail", f"HAProxy {version} cannot replace a map as a whole", "HAProxy 2.4 or newer")
    if facts.get("Nbproc", "1") != "1":
        return Finding(subject, "fail", "several processes, each with a map of its own", "remove nbproc")
    if level != "admin":
        return Finding(subject, "warn", f"HAProxy {version}, its socket has level {level}", "give it `level admin`")
    if facts.get("DroppedLogs", "0") != "0":
        detail = f"HAProxy {version} could not send {facts['DroppedLogs']} log lines"
        return Finding(subject, "warn", detail, "have its log taken faster: requests are missing in our numbers")
    return Finding(subject, "ok", f"HAProxy {version}, up {facts.get('Uptime', '?')}")


def _colors(subject: str, balancer: Balancer, of: Mapping[Color, Members]) -> Iterator[Finding]:
    for color, members in of.items():
        yield Finding(f"{subject}, {color}", "ok", f"{members}: {count(balancer, members, WITHIN).why}")


def _split(subject: str, balancer: Balancer) -> Finding:
    return Finding(f"{subject}, split", "ok", described(in_force(balancer, WITHIN)))


def _memory(subject: str, balancer: Balancer) -> Finding:
    """Whether a restart would bring back what is in force."""
    subject = f"{subject}, memory"
    known = balancer.ask("show map\n", WITHIN)
    has_page = f"({balancer.maintenance.map})" in known  # not everybody has the maintenance page at HAProxy
    for table in (balancer.split, balancer.maintenance)[: 1 + has_page]:
        if table.file is None:
            return Finding(
                subject,
                "warn",
                "a restart of HAProxy forgets split and marks: nothing would be served until somebody writes them",
                "say `host` of this balancer, or traffic.state",
            )
        kept, used = balancer.kept(table, WITHIN), balancer.in_force(table, WITHIN)
        if kept != used:
            is_split = table is balancer.split
            detail = f"in force: {described(split_from(used))}; kept: {described(split_from(kept))}" if is_split else ""
            return Finding(
                subject,
                "fail",
                f"{table.file} is not what HAProxy uses. {detail}".strip(),
                "`inv rollback --to COLOR`, or `inv maintenance-mode`, writes the same to both",
            )
    return Finding(subject, "ok", f"kept in {balancer.split.file}")


# -- metrics ---------------------------------------------------------------------------------------------------


def diagnose_counters(found: Mapping[Color, Totals] | NoData, *, has_prober: bool) -> Iterator[Finding]:
    """Without a log: whether the counters can be read, and whether anything feeds the limits on latency."""
    subject = "metrics: haproxy"
    if isinstance(found, NoData):
        yield Finding(subject, "fail", found.why, "`traffic` has the same balancers: mend that first")
        return
    yield Finding(subject, "ok", ", ".join(f"{color} {total.requests} requests" for color, total in found.items()))
    if has_prober:
        yield Finding(f"{subject}, latency", "warn", "only our own probes are timed", "set metrics.log")
    else:
        detail = "nothing feeds the limits on latency: HAProxy counts no histogram"
        yield Finding(f"{subject}, latency", "fail", detail, "set metrics.log (docs/haproxy.md), or configure `probe`")


def diagnose_logs(logs: Sequence[LogFile], ours: Collection[str]) -> Iterator[Finding]:
    """Whether each log can be read, and how much of its end is ours."""
    for log in logs:
        try:
            yield _log(log, ours)
        except DeployError as error:
            yield Finding(f"metrics: {log.name}", "fail", error.what, error.do)


def _log(log: LogFile, names: Collection[str]) -> Finding:
    subject = f"metrics: {log.name}"
    now = log.piece(0, 0, 0)
    text = log.piece(now.inode, max(0, now.size - _LOOKED_AT), _LOOKED_AT).content.decode("latin-1")
    lines = text.splitlines()[1 if now.size > _LOOKED_AT else 0 :]
    found = [request for request in map(parse, lines) if request]
    ours = sum(bool({request.backend, f"{request.backend}/{request.server}"} & set(names)) for request in found)
    if not lines:
        return Finding(subject, "warn", "it is empty", "send a request, and look again")
    if not found:
        do = "send a request and look again; if it stays so, see docs/haproxy.md, The log"
        return Finding(subject, "fail", f"none of its last {len(lines)} lines has our log-format", do)
    strange = 100 * (len(lines) - len(found)) / len(lines)
    detail = f"{ours} requests of both colors in its last {len(lines)} lines; {strange:.1f} % could not be read"
    return Finding(subject, "ok" if strange <= 50 else "warn", detail)
