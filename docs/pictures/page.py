"""Messages as Slack shows them, as a page of HTML that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mrkdwn import as_html

WIDTH = 700
STYLE = """
* { box-sizing: border-box; margin: 0; padding: 0 }
html { background: #fff; color: #1d1c1d; font: 15px/1.466 Lato, "Noto Sans", sans-serif, "Noto Color Emoji" }
body { width: 700px; padding: 14px 20px 16px }
.message { display: grid; grid-template-columns: 36px 1fr; column-gap: 10px; padding: 6px 0 }
.face { width: 36px; height: 36px; border-radius: 6px; background: #1264a3; color: #fff; text-align: center }
.face { font: 900 18px/36px Lato }
.name { font-weight: 900 }
.app { background: #e8e8e8; color: #616061; font: 700 10px/14px Lato }
.app { border-radius: 2px; padding: 0 3px; margin: 0 4px }
.time { color: #616061; font-size: 12px }
.line { min-height: 22px }
.block + .block { margin-top: 8px }
.header { font: 900 18px/1.33 Lato, "Noto Color Emoji" }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px }
.context { color: #616061; font-size: 13px }
.context .line { min-height: 18px }
a { color: #1264a3; text-decoration: none }
b { font-weight: 900 }
code, pre { font: 12px/1.5 "DejaVu Sans Mono", monospace; background: #f8f8f8; border: 1px solid #ddd }
code { color: #e01e5a; border-radius: 3px; padding: 2px 3px 1px }
.context code { font-size: 11px }
pre { border-radius: 4px; padding: 8px }
.call { color: #1264a3; background: #e8f5fa; border-radius: 3px; padding: 0 2px }
.thread { margin: 4px 0 4px 46px; border-left: 3px solid #e8e8e8; padding-left: 14px }
.replies { color: #1264a3; font: 700 13px/20px Lato }
.also { color: #616061; font-size: 12px }
.rule { border-top: 1px solid #ddd }
"""


def page(messages: Sequence[Mapping[str, Any]]) -> str:
    """Messages of the channel, each with its thread."""
    shown = "".join(_with_thread(message, messages) for message in messages if not message.get("thread_ts"))
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{STYLE}</style><body>{shown}</body></html>'


def _with_thread(message: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> str:
    replies = [each for each in messages if each.get("thread_ts") == message["ts"]]
    if not replies:
        return _message(message)
    count = "1 reply" if len(replies) == 1 else f"{len(replies)} replies"
    inside = "".join(map(_message, replies))
    return f'{_message(message)}<div class="thread"><div class="replies">{count}</div>{inside}</div>'


def _message(message: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(float(message["ts"]), UTC)
    also = '<div class="also">Also sent to the channel</div>' if message.get("broadcast") else ""
    blocks = "".join(f'<div class="block">{_block(block)}</div>' for block in message["blocks"])
    return (
        f'<div class="message"><div class="face">d</div><div>{also}<span class="name">deploytasks</span>'
        f'<span class="app">APP</span><span class="time">{at:%-I:%M %p}</span>'
        f"{blocks or as_html(message['text'])}</div></div>"
    )


def _block(block: Mapping[str, Any]) -> str:
    kinds: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "header": lambda it: f'<div class="header">{_text(it["text"])}</div>',
        "section": _section,
        "context": lambda it: f'<div class="context">{"".join(map(_text, it["elements"]))}</div>',
        "divider": lambda _: '<div class="rule"></div>',
    }
    return kinds[block["type"]](block)


def _section(block: Mapping[str, Any]) -> str:
    fields = "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", ()))
    return (_text(block["text"]) if "text" in block else "") + (f'<div class="fields">{fields}</div>' if fields else "")


def _text(text: Mapping[str, Any]) -> str:
    return as_html(text["text"]) if text["type"] == "mrkdwn" else html.escape(text["text"])
