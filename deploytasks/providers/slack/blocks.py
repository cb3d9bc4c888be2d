"""A bulletin as Slack shows it: Block Kit, within every limit of it. Pure.

The limits: docs.slack.dev, "Blocks"; beside those there is one of a whole message that no page tells of, of about
13,200 characters, and not of texts alone (slackapi/bolt-js#2509 and #2867). Nobody reads that much: we stay far below.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ...release.changelog.rendering import rendered, shortened
from ...spans import span
from .text import cleaned, code, fitted, length, link, plain
from .words import AHEAD, BACK, STUCK, SYMBOLS, WORDS

if TYPE_CHECKING:
    from ...bulletins import Bulletin

LARGEST = 9000
"""Characters of all blocks, as JSON."""
HEADER = 150
FALLBACK = 1000
WHY = 1500
NOTES = 1200
LINKS = 8
LATE = 120.0
"""Seconds after which a message says that it is late."""
_LEAST = ("links", "notes", "numbers")
"""What goes first where there is no room for all."""

Block = Mapping[str, Any]


class Message(NamedTuple):
    """``text``: what notifications and screen readers have."""

    text: str
    blocks: Sequence[Block]


def whole(bulletin: Bulletin, now: datetime, mention: str | None = None) -> Message:
    """A message of its own in the channel. ``mention``: as in the settings; it is used where a person must act."""
    parts: list[tuple[str, Block]] = [("header", _header(bulletin))]
    parts += _named("mention", _mention(bulletin, mention))
    parts += _named("fields", _fields(bulletin))
    parts += [*_reasons(bulletin), *_named("help", _help(bulletin)), *_named("notes", _notes(bulletin))]
    parts += [*_named("links", _links(bulletin)), ("context", _context(bulletin, now))]
    return Message(_fallback(bulletin), _within(parts))


def reply(bulletin: Bulletin, now: datetime, mention: str | None = None) -> Message:
    """A message in the thread of a deployment, which knows version and environment already."""
    headline = f"{SYMBOLS[bulletin.change]} *{fitted(_headline(bulletin), 500)}*"
    parts: list[tuple[str, Block]] = [("header", _section(headline))]
    parts += _named("mention", _mention(bulletin, mention))
    parts += [*_reasons(bulletin), *_named("help", _help(bulletin))]
    parts += [("context", _context(bulletin, now, is_reply=True))]
    return Message(_fallback(bulletin), _within(parts))


def calls(mention: str) -> str:
    """Whom a mention calls, in Slack's marks."""
    if mention in ("here", "channel"):
        return f"<!{mention}>"
    return f"<!subteam^{mention}>" if mention.startswith("S") else f"<@{mention}>"


# -- parts -------------------------------------------------------------------------------------------------------------


def _header(bulletin: Bulletin) -> Block:
    symbol = f"{SYMBOLS[bulletin.change]} "
    words = plain(_headline(bulletin), HEADER - length(symbol))
    return {"type": "header", "text": {"type": "plain_text", "text": symbol + words, "emoji": False}}


def _headline(bulletin: Bulletin) -> str:
    return cleaned(bulletin.headline) or f"{bulletin.application} in {bulletin.environment}: {WORDS[bulletin.change]}"


def _fallback(bulletin: Bulletin) -> str:
    why = fitted(bulletin.why, FALLBACK // 2)
    headline = fitted(_headline(bulletin), FALLBACK // 2 - 10)
    return f"{SYMBOLS[bulletin.change]} {headline}" + (f": {why}" if why else "")


def _mention(bulletin: Bulletin, mention: str | None) -> str:
    return calls(mention) if mention and bulletin.severity == "critical" else ""


def _fields(bulletin: Bulletin) -> Block | None:
    environment = f"{bulletin.environment} (protected)" if bulletin.protected else bulletin.environment
    found = [
        ("Version", fitted(_versions(bulletin), 160)),
        ("Environment", fitted(environment, 120)),
        ("By", fitted(bulletin.who, 160)),
        ("Approved by", fitted(bulletin.approvals, 300)),
        ("Traffic", fitted(bulletin.split, 120)),
        ("Took", span(bulletin.seconds) if bulletin.seconds is not None else ""),
    ]
    shown = [_text(f"*{name}*\n{value}") for name, value in found if value]
    return {"type": "section", "fields": shown} if shown else None


def _versions(bulletin: Bulletin) -> str:
    """From which to which; after a way back, from which one it is back."""
    version, previous = bulletin.version, bulletin.previous
    if not version or not previous or version == previous:
        return version or previous
    return f"{version}, back to {previous}" if bulletin.change in BACK else f"{previous} → {version}"


def _reasons(bulletin: Bulletin) -> Iterator[tuple[str, Block]]:
    why = fitted(bulletin.why, WHY)
    yield from _named("why", f"*Why*\n{why}" if why else "")
    new = [(name, said) for name, said in bulletin.numbers if said and said not in bulletin.why]
    lines = [f"• *{fitted(name, 60)}*: {fitted(said, 160)}" for name, said in new[:10]]
    yield from _named("numbers", "\n".join(lines))


def _help(bulletin: Bulletin) -> str:
    if bulletin.change not in STUCK:
        return ""
    env = shlex.quote(cleaned(bulletin.environment))
    home = f"inv rollback --env {env} --reason 'by hand' --to blue"
    steps = [
        f"{code(f'inv status --env {env}')} says where traffic is",
        f"{code(f'inv doctor --env {env}')} says what does not answer",
        f"{code(home, 200)} (or green) takes it home",
    ]
    return "*A person must act now*\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def _notes(bulletin: Bulletin) -> str:
    if bulletin.change not in AHEAD:
        return ""
    found = re.sub(r"\n{2,}", "\n", rendered(cleaned(bulletin.notes).encode(), "slack"))
    limit = NOTES - (length(found) - len(found))
    body = shortened(found, max(100, limit)).strip()
    title = f"*What is new in {fitted(bulletin.version, 100)}*" if bulletin.version else "*What is new*"
    return f"{title}\n{body}" if body and length(body) <= NOTES else ""


def _links(bulletin: Bulletin) -> str:
    found = [link(words, url) for words, url in list(bulletin.links.items())[:LINKS]]
    shown: list[str] = []
    for each in found:
        if each and sum(map(length, shown)) + length(each) <= 2500:
            shown.append(each)
    return " · ".join(shown)


def _context(bulletin: Bulletin, now: datetime, *, is_reply: bool = False) -> Block:
    """The state in words, when it was (in the zone of whoever reads it), and what to look it up by."""
    at = bulletin.at.astimezone(UTC)
    said = [
        f"{WORDS[bulletin.change]}",
        f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%F %H:%M} UTC>",
    ]
    if (late := (now - at).total_seconds()) >= LATE:
        said.append(f"*told {span(late)} late*")
    if is_reply:
        said.append(f"by {fitted(bulletin.who, 160)}" if bulletin.who else "")
    else:
        said.append(f"deployment {code(bulletin.deployment)}" if bulletin.deployment else "")
        said.append(f"commit {code(bulletin.commit[:8])}" if bulletin.commit else "")
    said.append(f"exit code {bulletin.code}" if bulletin.code else "")
    return {"type": "context", "elements": [_text(" · ".join(filter(None, said)))]}


# -- blocks ------------------------------------------------------------------------------------------------------------


def _text(marked: str) -> Block:
    """``verbatim``: what other people wrote is neither linked nor calls anybody; our own marks count all the same."""
    return {"type": "mrkdwn", "text": marked, "verbatim": True}


def _section(marked: str) -> Block:
    return {"type": "section", "text": _text(marked)}


def _named(name: str, found: Block | str | None) -> list[tuple[str, Block]]:
    if not found:
        return []
    return [(name, _section(found) if isinstance(found, str) else found)]


def _within(parts: list[tuple[str, Block]]) -> list[Block]:
    """All of them, or those that matter most."""
    for least in ("", *_LEAST):
        parts = [part for part in parts if part[0] != least]
        blocks = [block for _, block in parts]
        if size(blocks) <= LARGEST:
            break
    return blocks


def size(blocks: Sequence[Block]) -> int:
    """Characters of them as JSON."""
    return length(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
