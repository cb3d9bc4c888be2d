"""Whether Slack would take a message: Block Kit by its documented limits, and by nothing that our renderer knows.

Written from docs.slack.dev ("Blocks", "Text object", "Button"), and for the limit of a whole message, which no page
has, from what was measured in slackapi/bolt-js#2509 and #2867: taken at its strictest, as the length of all blocks
in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

TOGETHER = 13_200
KNOWN = {
    "header": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
    "context": {"elements"},
    "divider": set(),
    "actions": {"elements"},
    "markdown": {"text"},
}
TOKEN = re.compile(
    r"https?://[^\s|<>]+(\|[^<>|]+)?|mailto:[^\s|<>]+(\|[^<>|]+)?|@[UW][A-Z0-9]{5,}|!subteam\^S[A-Z0-9]{5,}"
    r"|!(here|channel|everyone)|#C[A-Z0-9]{5,}|!date\^[0-9]+\^[^|<>]+\|[^<>|]+"
)
"""What may stand between < and >."""


def units(text: str) -> int:
    """Characters as JavaScript counts them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def wrong(payload: Any) -> tuple[str, list[str]]:
    """Slack's error for a payload of ``text`` and ``blocks`` (none: it is taken), and all that is wrong in detail."""
    if not isinstance(payload, dict):
        return "invalid_payload", ["no object"]
    text, blocks = payload.get("text"), payload.get("blocks")
    if not text and not blocks:
        return "no_text", ["neither text nor blocks"]
    if text is not None and (not isinstance(text, str) or units(text) > 40_000):
        return "msg_too_long", ["text"]
    if blocks is None:
        return "", []
    if not isinstance(blocks, list):
        return "invalid_blocks_format", ["blocks are no list"]
    found = [f"{at}: {each}" for at, block in enumerate(blocks) for each in _block(block)]
    found += [f"{len(blocks)} blocks"] if len(blocks) > 50 else []
    names = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    found += ["block ids twice"] if len(set(names)) != len(names) else []
    if found:
        return "invalid_blocks", found
    size = units(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
    return ("msg_blocks_too_long", [f"{size} characters"]) if size > TOGETHER else ("", [])


def complaints(payload: Any) -> list[str]:
    """All that is wrong with it, and what Slack would take and we would not: no fallback, marks that mean something
    else than was meant."""
    error, found = wrong(payload)
    text = payload.get("text") if isinstance(payload, dict) else None
    if not isinstance(text, str) or not text.strip():
        found = [*found, "no text as a fallback"]
    elif units(text) > 4000:
        found = [*found, "the fallback is longer than notifications are"]
    else:
        found = [*found, *_marks(text)]
    return [error, *found] if error else found


def _block(block: Any) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in KNOWN:
        yield f"unknown block {block!r:.60}"
        return
    kind = block["type"]
    yield from (f"unknown key {key}" for key in block.keys() - {"type", "block_id"} - KNOWN[kind])
    if len(block.get("block_id", "")) > 255:
        yield "block id too long"
    yield from {"header": _header, "section": _section, "context": _context, "actions": _actions}.get(kind, _other)(
        block
    )


def _header(block: dict[str, Any]) -> Iterator[str]:
    yield from _object(block.get("text"), 150, ("plain_text",))


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "neither text nor fields"
    if "text" in block:
        yield from _object(block["text"], 3000)
    if "fields" in block:
        fields = block["fields"]
        if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
            yield "1 to 10 fields are needed"
        else:
            for field in fields:
                yield from _object(field, 2000)


def _context(block: dict[str, Any]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        yield "1 to 10 elements are needed"
        return
    for element in elements:
        if isinstance(element, dict) and element.get("type") == "image":
            if not element.get("alt_text") or not element.get("image_url"):
                yield "an image without address or words"
        else:
            yield from _object(element, 3000)


def _actions(block: dict[str, Any]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        yield "1 to 25 elements are needed"
        return
    for element in elements:
        if not isinstance(element, dict) or element.get("type") != "button":
            yield "only buttons are known here"
            continue
        yield from _object(element.get("text"), 75, ("plain_text",))
        if len(element.get("action_id", "")) > 255 or len(element.get("url", "")) > 3000:
            yield "a button's id or address is too long"


def _other(block: dict[str, Any]) -> Iterator[str]:
    if block["type"] == "markdown" and not 1 <= units(str(block.get("text", ""))) <= 12_000:
        yield "1 to 12000 characters of Markdown are needed"


def _object(text: Any, limit: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds or not isinstance(text.get("text"), str):
        yield f"one of {kinds} is needed"
        return
    only = {"plain_text": {"emoji"}, "mrkdwn": {"verbatim"}}[text["type"]]
    yield from (f"unknown key {key}" for key in text.keys() - {"type", "text"} - only)
    said = text["text"]
    if not 1 <= units(said) <= limit:
        yield f"{units(said)} characters, 1 to {limit} are allowed"
    try:
        said.encode()
    except UnicodeEncodeError:
        yield "half of a character"
    if text["type"] == "mrkdwn":
        yield from _marks(said)


def _marks(said: str) -> Iterator[str]:
    """Everything between angle brackets is a link, a mention or a date; every ``&`` begins one of three entities."""
    rest = re.sub(r"<([^<>]*)>", lambda found: "" if TOKEN.fullmatch(found[1]) else "<", said)
    if "<" in rest or ">" in rest:
        yield f"an angle bracket that is no mark of Slack: {rest[max(0, rest.find('<') - 20) :][:60]!r}"
    if re.search(r"&(?!amp;|lt;|gt;)", said):
        yield "an & that is not escaped"
