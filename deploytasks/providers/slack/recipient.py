"""Slack as a recipient of bulletins.

By a webhook: a message for each change of state. By a bot: a message for each deployment, edited as it moves, with what
is worth reading in its thread; an end that is an error is shown in the channel as well, since an edit calls nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...bulletins import ENDINGS, Bulletin, Change, Memory, Sending, reaches
from . import blocks, threads
from .bot import Bot, Gone
from .hook import Hook
from .text import cleaned

if TYPE_CHECKING:
    from ...ports import Finding
    from ...settings.slack import SlackSettings
    from ..site import Site

MOVES: frozenset[Change] = ENDINGS | {
    "started", "shifted", "held", "went-on", "rolled-back", "switch-fired", "switch-failed",
}  # fmt: skip
"""After these the message about a deployment says something else."""
QUIET: frozenset[Change] = frozenset(("started", "shifted", "went-on"))
"""All that is to be said about these is in the message itself."""
_KEYS = uuid.UUID("6e9a2c1e-5a57-4b0e-9d0a-4f1f3e6f5d11")
"""The name space of keys; any UUID will do, as long as it stays."""


def _now() -> datetime:
    return datetime.now(UTC)


class Slack:
    """One webhook, or one bot in one channel."""

    def __init__(self, settings: SlackSettings, site: Site, *, clock: Callable[[], datetime] = _now) -> None:
        self._settings = settings
        self._clock = clock
        self._bot = Bot(settings, site) if settings.token_from else None
        self._hook = Hook(settings, site)

    def sending(self, bulletin: Bulletin, memory: Memory) -> Sending | None:
        known = threads.place(memory, bulletin.deployment) if self._bot else None
        if known is None and not self._is_told(bulletin):
            return None
        where = self._bot.where if self._bot else self._hook.where
        text = f"Slack, {where}: {cleaned(bulletin.headline) or bulletin.change}"
        return Sending(text, lambda seconds: self._told(bulletin, memory, known, seconds))

    def diagnose(self) -> Sequence[Finding]:
        return self._bot.diagnose() if self._bot else self._hook.diagnose()

    def _is_told(self, bulletin: Bulletin) -> bool:
        """Whether it is worth a message of its own. ``detail`` is for the message of a bot that is there already."""
        return bulletin.severity != "detail" and reaches(bulletin, self._settings.severity)

    def _told(self, bulletin: Bulletin, memory: Memory, known: threads.Place | None, seconds: float) -> Memory:
        if self._bot is None:
            self._hook.post(self._payload(self._whole(bulletin)), seconds)
            return memory
        until = self._bot.until(seconds)
        try:
            if known is not None:
                self._follow(self._bot, bulletin, known, until)
                return memory
        except Gone:
            if not self._is_told(bulletin):
                return threads.forgotten(memory, bulletin.deployment)
        posted = self._bot.post(self._payload(self._whole(bulletin)), until, key=_key(bulletin, "whole"))
        return threads.remembered(memory, bulletin.deployment, posted)

    def _follow(self, bot: Bot, bulletin: Bulletin, known: threads.Place, until: float) -> None:
        """Edit the message and answer it. The edit first: it may be done twice without any harm."""
        if bulletin.change in MOVES:
            bot.edit(known, self._payload(self._whole(bulletin)), until)
        if bulletin.change not in QUIET:
            said = blocks.reply(bulletin, self._clock(), self._settings.mention)
            more = {"reply_broadcast": True} if _is_loud(bulletin) else {}
            bot.post({**self._payload(said), **more}, until, key=_key(bulletin, "reply"), under=known)

    def _whole(self, bulletin: Bulletin) -> blocks.Message:
        return blocks.whole(bulletin, self._clock(), self._settings.mention)

    def _payload(self, message: blocks.Message) -> dict[str, Any]:
        return {
            "text": message.text,
            "blocks": list(message.blocks),
            "unfurl_links": False,
            "unfurl_media": False,
        }


def _is_loud(bulletin: Bulletin) -> bool:
    """Whether the whole channel is told, and not only who follows the thread."""
    return bulletin.change in MOVES and reaches(bulletin, "error")


def _key(bulletin: Bulletin, part: str) -> str:
    """``client_msg_id``: Slack documents its errors and not itself; where it is not heeded it does no harm."""
    parts = (bulletin.application, bulletin.environment, str(bulletin.number), bulletin.at.isoformat(), part)
    return str(uuid.uuid5(_KEYS, "\x00".join(parts).encode("utf-8", "replace").decode()))
