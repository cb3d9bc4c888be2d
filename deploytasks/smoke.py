"""Smoke checks: a few requests, each with what its answer must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from . import web
from .errors import Unreachable
from .ports import Color, Fleet


class Check(Protocol):
    """One configured check."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def contains(self) -> str | None: ...
    @property
    def within(self) -> float: ...


class Result(NamedTuple):
    """What one check found."""

    name: str
    passed: bool
    detail: str
    seconds: float


def addresses(fleet: Fleet, color: Color) -> Mapping[str, str]:
    """The base URL of each host of a color, past the balancer, by the host's name. Where several have one in common,
    by the first one's: it is asked once."""
    found: dict[str, str] = {}
    for host in fleet.hosts(color):
        found.setdefault(fleet.only([host]).address(color), host)
    return {host: base for base, host in found.items()}


def run_checks(base: str, checks: Iterable[Check]) -> Sequence[Result]:
    """Ask each check's page below ``base`` once."""
    return [_ask(base, check) for check in checks]


def failures(results: Iterable[Result]) -> list[str]:
    """One phrase for each check that failed."""
    return [f"{result.name}: {result.detail}" for result in results if not result.passed]


def _ask(base: str, check: Check) -> Result:
    try:
        answer = web.fetch(base + check.path, timeout=check.within)
    except Unreachable as error:
        return Result(check.name, False, error.what, check.within)
    return Result(check.name, not (wrong := _wrong(answer, check)), wrong or f"{answer.status}", answer.seconds)


def _wrong(answer: web.Answer, check: Check) -> str:
    if answer.status != check.status:
        return f"{check.path} answered {answer.status}, expected {check.status}"
    if check.contains and check.contains.encode() not in answer.body:
        return f"{check.path} does not contain {check.contains!r}"
    if answer.seconds > check.within:
        return f"{check.path} took {answer.seconds:.2f} s, allowed {check.within:g} s"
    return ""
