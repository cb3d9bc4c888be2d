"""What the lab's RDS remembers, and how it gets on: things take a few looks, not seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .service import AwsError, Params

READY = ("available", "storage-optimization")


@dataclass
class Stage:
    """A status that lasts for so many looks, and what happens then."""

    status: str
    looks: int
    then: Callable[[], None] | None = None


@dataclass
class Thing:
    """An instance, a cluster or a snapshot."""

    facts: dict[str, Any]
    status_key: str
    rest: str = "available"
    """Its status when nothing is being done to it."""
    stages: list[Stage] = field(default_factory=list)
    seen: int = 0
    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> str:
        return self.stages[0].status if self.stages else self.rest

    def begin(self, *stages: Stage) -> None:
        """Go through these; those that take no look are over at once."""
        self.stages += stages
        self._skip()

    def look(self) -> dict[str, Any]:
        """What it shows now; it is a little further the next time."""
        shown = {**self.facts, self.status_key: self.status}
        if "PercentProgress" in self.facts:
            shown["PercentProgress"] = self.percent
        if self.stages:
            self.seen += 1
            self._skip()
        return shown

    @property
    def percent(self) -> int:
        if self.rest == "failed" or not self.stages:
            return 42 if self.rest == "failed" else 100
        return 100 * self.seen // max(1, self.stages[0].looks)

    def _skip(self) -> None:
        while self.stages and self.seen >= self.stages[0].looks:
            stage, self.seen = self.stages.pop(0), 0
            if stage.then is not None:
                stage.then()


def refuse(code: str, message: str, status: int = 400) -> AwsError:
    return AwsError(code, message, status)


def aware(at: datetime) -> datetime:
    """An instant of a request, which knows no zone: it is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def named(name: str, what: str = "identifier", longest: int = 63) -> str:
    """An identifier as RDS takes it: it is kept in lower case."""
    if len(name) > longest or not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name):
        raise refuse("InvalidParameterValue", f"{name!r} is no valid {what}")
    return name.lower()


def tags(params: Params) -> list[dict[str, str]]:
    found = [{"Key": one["Key"], "Value": one.get("Value", "")} for one in params.get("Tags") or ()]
    for one in found:
        text = one["Key"] + one["Value"]
        if one["Key"].startswith("aws:") or not re.fullmatch(r"[\w\s.:/=+@-]*", text) or len(one["Value"]) > 256:
            raise refuse("InvalidParameterValue", f"invalid tag {one}")
    if len({one["Key"] for one in found}) != len(found) or len(found) > 50:
        raise refuse("InvalidParameterValue", "too many tags, or one twice")
    return found


def filtered(params: Params, known: dict[str, str]) -> Callable[[dict[str, Any]], bool]:
    """Whether something is asked for. ``known``: filter → key of the facts."""
    wanted = [(one["Name"], [value.lower() for value in one["Values"]]) for one in params.get("Filters") or ()]
    for name, values in wanted:
        if name not in known or not values:
            raise refuse("InvalidParameterValue", f"Unrecognized filter name: {name}")
    return lambda facts: all(str(facts.get(known[name], "")).lower() in values for name, values in wanted)


def page(listed: list[Any], params: Params, key: str, size: int) -> dict[str, Any]:
    """One page of what is listed."""
    at = int(params.get("Marker") or 0)
    more = {"Marker": str(at + size)} if at + size < len(listed) else {}
    return {key: listed[at : at + size], **more}
