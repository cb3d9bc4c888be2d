"""What was seen of a watcher on its host, and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ...ports import Json, News, Split


class Seen(NamedTuple):
    """The answer of one host to ``commands.look``. Texts are empty where there is nothing."""

    host: str
    armed: str
    """The id of the order in force."""
    lives: bool
    phase: str
    """``watching``; ``firing``: it tries to take traffic home; ``fired``: it did; ``ended``: it had no reason to;
    ``gave-up``: it could not; ``disarmed``."""
    id: str
    """The id of the order that this state belongs to."""
    at: str
    """When it began, by the host's clock (ISO, UTC)."""
    how: str
    """``systemd`` or ``detached``."""
    silence: int
    """Seconds without a beat."""
    tries: int
    note: Mapping[str, Json]
    """What the deployer left for the ledger."""
    why: str

    @property
    def is_armed(self) -> bool:
        """Whether a living watcher stands ready, or is at work."""
        return self.lives and bool(self.armed) and self.armed == self.id and self.phase in ("watching", "firing")

    @property
    def fired_at(self) -> datetime | None:
        """When it took traffic home."""
        return instant(self.at) if self.phase == "fired" else None

    @property
    def is_broken(self) -> bool:
        """Whether it was armed, and nobody watches."""
        return bool(self.armed) and not self.is_armed and self.phase not in ("fired", "ended", "gave-up")

    @property
    def detail(self) -> str:
        """One line for people."""
        if self.is_broken:
            return f"{self.host}: armed for {self.deployment}, but its process is gone"
        if self.is_armed and self.phase == "watching":
            return f"{self.host}: watches over {self.deployment} ({self.how})"
        if self.is_armed:
            return f"{self.host}: {self.deployment}: {self.why}"
        if self.phase in ("fired", "ended", "gave-up"):
            return f"{self.host}: {self.phase.replace('-', ' ')} at {self.at} for {self.deployment}: {self.why}"
        return f"{self.host}: not armed"

    @property
    def deployment(self) -> str:
        """Over which it watches, or watched."""
        return str(self.note.get("deployment", "a deployment"))

    @property
    def news(self) -> News | None:
        """What the ledger must know of it; the same name every time it is asked."""
        kind = {"fired": "deadman-fired", "gave-up": "deadman-failed"}.get(self.phase)
        at = instant(self.at)
        if kind is None or at is None:
            return None
        note = {name: value for name, value in self.note.items() if name != "who"}
        facts = {**note, "host": self.host, "why": self.why, "silence": self.silence, "tries": self.tries}
        return News(f"{at:%Y%m%dT%H%M%S}-{self.id}", kind, facts, at, str(self.note.get("who", "")))


def seen(host: str, printed: str) -> Seen:
    """From what ``commands.look`` printed. What cannot be understood is nothing."""
    armed, lives, *state = [*printed.splitlines(), *[""] * 10][:10]
    phase, whose, at, how, silence, tries, note, why = state
    return Seen(
        host, armed, lives == "lives", phase, whose, at, how, _number(silence), _number(tries), _note(note), why
    )


def note(deployment: str, home: Split, who: str) -> Mapping[str, Json]:
    """What a watcher keeps for the ledger."""
    return {"deployment": deployment, "split": list(home._replace(writer=f"deadman:{deployment}")), "who": who}


def instant(text: str) -> datetime | None:
    """The instant that a host wrote down."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _note(text: str) -> Mapping[str, Json]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
