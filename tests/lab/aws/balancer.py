"""The data plane of the lab's load balancer: a real HTTP proxy that follows an emulated listener."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import random
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from .elbv2 import ElasticLoadBalancing, Rule, Target
from .elbv2_actions import groups_in

COOKIE = "AWSALBTG"
_LOOK = 0.2
"""Seconds between two looks at the health of all targets."""
_ANSWER_WITHIN = 30.0
_OWN = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Hit(NamedTuple):
    """One request that was answered."""

    at: float
    """Unix time."""
    group: str
    """The ARN of the group it was for; empty: a fixed response."""
    status: int
    seconds: float
    by_target: bool
    """False: the balancer answered in the place of a target (502, 503, 504), or by a fixed response."""


class Counts(NamedTuple):
    """What one group got, since the balancer was started. As CloudWatch counts: ``errors`` are targets' own 5xx."""

    requests: int = 0
    errors: int = 0
    balancer_errors: int = 0
    seconds: tuple[float, ...] = ()
    """How long each answer of a target took."""


class Balancer:
    """``with Balancer(cloud["elbv2"], listener) as balancer:`` — ``balancer.url`` is where users come in.

    What the listener says now holds for the next request. Nobody is hung up on when it changes.
    """

    def __init__(self, lab: ElasticLoadBalancing, listener: str, *, port: int = 0) -> None:
        self.hits: list[Hit] = []
        self._lab, self._listener, self._port = lab, listener, port
        self._health: Mapping[str, Mapping[Target, str]] = {}
        self._turn = 0
        self._random = random.Random(7)
        self._loop = asyncio.new_event_loop()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._loop.run_forever, self._watch)]

    def __enter__(self) -> Self:
        self._look()
        self._threads[0].start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=512)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self._port = self._server.sockets[0].getsockname()[1]
        self._threads[1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join()
        self._loop.close()

    @property
    def lab(self) -> ElasticLoadBalancing:
        """The control plane that it follows."""
        return self._lab

    @property
    def listener(self) -> str:
        """Its ARN."""
        return self._listener

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    def counts(self) -> dict[str, Counts]:
        """By the ARN of the group, also those that got nothing; ``""``: answered by fixed responses."""
        found = {arn: Counts() for arn in [*self._lab.groups, ""]}
        hits = list(self.hits)
        return {arn: _counted([hit for hit in hits if hit.group == arn]) for arn in found}

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- health --------------------------------------------------------------

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            self._look()

    def _look(self) -> None:
        with self._lab.lock:
            groups = list(self._lab.groups)
        self._health = {
            group: {target: state for target, (state, _) in self._lab.health(group).items()} for group in groups
        }

    def _target(self, group: str) -> Target | None:
        """The next healthy one; when none is, any that is registered: AWS fails open. ``None``: it has none."""
        targets = list(self._lab.groups[group].targets)
        known = self._health.get(group, {})
        usable = [target for target in targets if known.get(target) == "healthy"] or targets
        self._turn += 1
        return usable[self._turn % len(usable)] if usable else None

    # -- requests ------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, headers = _parsed(head)
        method, path, _ = first.split(" ", 2)
        body = await _body(reader, headers)
        began = time.perf_counter()
        with self._lab.lock:
            rule = self._rule(path, headers)
            action = dict(rule.actions[-1])
        group, cookie, by_target = "", "", False
        if action["Type"] == "forward":
            group, cookie = self._group(action, headers)
            status, named, content, by_target = await self._forwarded(group, first, headers, body)
        else:
            status, named, content = _fixed(action)
        self.hits.append(Hit(time.time(), group, status, time.perf_counter() - began, by_target))
        keeps = headers.get("connection", "").lower() != "close"
        lines = [f"HTTP/1.1 {status} {'OK' if status < 400 else 'Error'}"]
        lines += [f"{name}: {value}" for name, value in named if name.lower() not in _OWN]
        lines += [f"set-cookie: {cookie}"] if cookie else []
        lines += [f"content-length: {len(content)}"] if status not in {204, 304} else []
        lines += ["connection: " + ("keep-alive" if keeps else "close"), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else content))
        await writer.drain()
        return keeps

    def _rule(self, path: str, headers: Mapping[str, str]) -> Rule:
        for rule in self._lab.rules_of(self._listener):
            if all(_holds(condition, path, headers) for condition in rule.conditions):
                return rule
        raise AssertionError("a listener has a default rule")

    def _group(self, action: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[str, str]:
        """The group that is drawn, or the one a visitor is bound to; and the cookie that binds him."""
        weights = groups_in([action])
        config = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if not config.get("Enabled"):
            return self._drawn(weights), ""
        bound = re.search(rf"{COOKIE}=(\S+?)/([\d.]+)(?:;|$)", headers.get("cookie", ""))
        names = {arn.rpartition("/")[2]: arn for arn in weights}
        if bound is not None and bound[1] in names and float(bound[2]) > time.time():
            return names[bound[1]], ""
        group = self._drawn(weights)
        until = time.time() + config["DurationSeconds"]
        return group, f"{COOKIE}={group.rpartition('/')[2]}/{until:.3f}; Path=/; Max-Age={config['DurationSeconds']}"

    def _drawn(self, weights: Mapping[str, int]) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]

    async def _forwarded(
        self, group: str, first: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Sequence[tuple[str, str]], bytes, bool]:
        target = self._target(group)
        if target is None:
            return 503, [], b"503 Service Temporarily Unavailable", False
        try:
            status, named, content = await asyncio.wait_for(_asked(target, first, headers, body), _ANSWER_WITHIN)
        except TimeoutError:
            return 504, [], b"504 Gateway Time-out", False
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return 502, [], b"502 Bad Gateway", False
        return status, named, content, True


async def _asked(
    target: Target, first: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Sequence[tuple[str, str]], bytes]:
    reader, writer = await asyncio.open_connection(*target)
    try:
        lines = [first, *(f"{name}: {value}" for name, value in headers.items() if name not in _OWN)]
        lines += [f"content-length: {len(body)}"] if body else []
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1") + body)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        pairs = [(name, value.strip()) for name, _, value in _lines(head)]
        said = {name.lower(): value for name, value in pairs}
        is_empty = first.startswith("HEAD ") or status in {204, 304}
        return status, pairs, b"" if is_empty else await _body(reader, said, to_the_end=True)
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], *, to_the_end: bool = False) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        pieces = []
        while size := int((await reader.readline()).partition(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(pieces)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read() if to_the_end else b""


def _parsed(head: bytes) -> tuple[str, dict[str, str]]:
    first = head.partition(b"\r\n")[0].decode("latin-1")
    return first, {name.lower(): value.strip() for name, _, value in _lines(head)}


def _lines(head: bytes) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line]


def _holds(condition: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> bool:
    field = condition["Field"]
    key = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}.get(field, "")
    values = condition.get("Values") or condition.get(key, {}).get("Values", [])
    subject = path.partition("?")[0] if field == "path-pattern" else headers.get("host", "").partition(":")[0]
    return bool(key) and any(fnmatch.fnmatchcase(subject, value) for value in values)


def _fixed(action: Mapping[str, Any]) -> tuple[int, Sequence[tuple[str, str]], bytes]:
    config = action.get("FixedResponseConfig") or {"StatusCode": "500"}
    kind = config.get("ContentType", "text/plain")
    return int(config["StatusCode"]), [("content-type", kind)], config.get("MessageBody", "").encode()


def _counted(hits: Sequence[Hit]) -> Counts:
    return Counts(
        sum(hit.by_target for hit in hits),
        sum(hit.by_target and hit.status >= 500 for hit in hits),
        sum(not hit.by_target and hit.status >= 500 for hit in hits),
        tuple(hit.seconds for hit in hits if hit.by_target),
    )
