"""A plain log for pipes, files and CI: one line per event that is worth reading, easy to search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from ..ledger.facts import Facts, number, part, text, texts
from ..ports import Event
from . import sentences
from .outlooks import begins_stage, verdicts
from .printing import tell
from .scene import Scene, follow
from .wording import clock, one_line

_SILENT = ("evidence", "checked", "secrets")
"""Whoever brings evidence, or a checklist, shows it."""
_EARLY = 0.8
"""Of a poll: a reading that comes sooner, with nothing new to say, is not worth a line."""


class Lines:
    """Writes a deployment as lines ``HH:MM:SS  text`` (UTC). Never raises."""

    def __init__(self, write: Callable[[str], None] = tell) -> None:
        self._write = write
        self._scene = Scene()
        self._said_at: datetime | None = None

    def hear(self, event: Event) -> None:
        """Take note of an event that somebody else shows."""
        with suppress(Exception):  # the same as below
            self._scene = follow(self._scene, event)

    def tell(self, event: Event) -> None:
        try:
            before, self._scene = self._scene, follow(self._scene, event)
            for line in self._lines(event, before):
                self._write(f"{clock(event.at)}  {one_line(line)}")
        except Exception as error:  # noqa: BLE001  a log must never stop what it is about
            self._write(f"--:--:--  (an event could not be shown: {one_line(error, 200)})")

    def _lines(self, event: Event, before: Scene) -> Iterator[str]:
        if event.kind in _SILENT:
            return
        if event.kind != "reading":
            yield sentences.sentence(event.kind, event.facts)
            if event.kind == "began":
                self._said_at = None
                yield from (f"note: {note}" for note in texts(part(event.facts, "plan"), "notes"))
            return
        news = list(_news(before.outlook, self._scene.outlook))
        if news or self._is_due(event.at):
            self._said_at = event.at
            if begins_stage(self._scene.outlook):
                yield from news
                return
            yield sentences.reading(event.facts, self._scene.target)
        yield from news

    def _is_due(self, at: datetime) -> bool:
        poll = number(self._scene.rules, "poll")
        return self._said_at is None or (at - self._said_at).total_seconds() >= _EARLY * poll


def _news(before: Facts, now: Facts) -> Iterator[str]:
    """What this reading says that the one before did not."""
    words = {"PASS": "pass", "WARN": "warning", "HOLD": "hold", "FAIL": "roll back"}
    for name in ("warnings", "verdicts"):
        known = {_key(verdict) for verdict in verdicts(before, name)}
        for verdict in verdicts(now, name):
            if _key(verdict) not in known:
                yield f"{words.get(text(verdict, 'kind'), 'verdict')}: {text(verdict, 'why')}"
    said = {note.partition(":")[0] for note in texts(before, "notes")}
    yield from (f"note: {note}" for note in texts(now, "notes") if note.partition(":")[0] not in said)


def _key(verdict: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes a verdict a new one: for a hold not its numbers, which change with each reading."""
    kind, metric = text(verdict, "kind"), text(verdict, "metric")
    return (kind, metric, text(verdict, "why")) if kind == "PASS" else (kind, metric)
