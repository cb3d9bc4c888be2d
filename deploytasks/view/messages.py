"""What is waited for and why, in sentences; or what is asked of the person who looks. Pure."""

from __future__ import annotations

from datetime import datetime
from textwrap import wrap

from rich.text import Text

from ..ledger.facts import text, texts
from .desk import Desk
from .outlooks import is_over, verdicts
from .scene import Scene
from .wording import number, one_line, seconds

_SENTENCE = 2
"""Lines of an explanation."""
_CURSOR = "▏"

Lines = list[Text]


def messages(scene: Scene, width: int, now: datetime, desk: Desk) -> Lines:
    """The most important first: what is asked, what is waited for, what warns, what is to be known."""
    if asking := _asking(desk, width):
        return asking
    warned = [text(verdict, "why") for verdict in verdicts(scene.outlook, "warnings")]
    found = [line for why in reversed(warned) for line in _wrapped("! ", why, width)]
    notes = [line for note in texts(scene.outlook, "notes") for line in _wrapped("", note, width, style="dim")]
    return [*_waiting(scene, width, now), *found, *notes]


def _asking(desk: Desk, width: int) -> Lines:
    """A question, with what is typed so far."""
    dialog = desk.dialog
    if dialog.mode == "abort?":
        words = " abort: take back all that was begun, traffic first?  y: yes   else: no "
        return [Text(words, "bold reverse")]
    said = {
        "abort": (" abort ", "why? Enter: abort   Esc: leave it"),
        "promote": (" promote now ", "why? Enter: ask   Esc: leave it"),
    }.get(dialog.mode)
    if said is None:
        return []
    typed = dialog.typed[-max(1, width - 4) :]
    about = "skips the waiting, never a FAIL; a protected environment wants a signature"
    return [
        Text.assemble((said[0], "bold reverse"), f" {dialog.said or said[1]}"),
        Text.assemble("> ", (typed, "bold"), _CURSOR),
        Text(about if dialog.mode == "promote" else "", "dim"),
    ]


def _waiting(scene: Scene, width: int, now: datetime) -> Lines:
    """What is being waited for, and how long."""
    outlook = scene.outlook
    if scene.ended:
        return _wrapped("", text(scene.ended, "why") or text(scene.ended, "outcome"), width)
    if number(outlook.get("pause_left")) is not None and not is_over(outlook):
        who, why = text(outlook, "paused_by") or "somebody", text(outlook, "paused_why")
        return _wrapped(" PAUSED ", f"by {who}{f': {why}' if why else ''}; it is watched on", width)
    held = next((v for v in verdicts(outlook, "verdicts") if text(v, "kind") in ("HOLD", "FAIL")), None)
    if held is not None:
        return _wrapped(" ON HOLD " if text(held, "kind") == "HOLD" else " BAD ", text(held, "why"), width)
    if outlook and scene.read_at and scene.running:
        poll = number(scene.rules.get("poll")) or 0.0
        ahead = max(0.0, poll - (now - scene.read_at).total_seconds())
        return [Text(f"waiting for the next reading, in {seconds(ahead)}", "dim")]
    if scene.running and scene.running.at:
        since = seconds((now - scene.running.at).total_seconds())
        return [Text(f"waiting for: {one_line(scene.running.label)}, {since} so far", "dim")]
    return [Text("", "dim")]


def _wrapped(mark: str, said: str, width: int, style: str = "") -> Lines:
    """A sentence on at most two lines; a mark in capitals is a badge, which is seen in any colors and in none."""
    badge = mark if mark.strip().isupper() else ""
    start = mark + (" " if badge else "") + one_line(said)
    lines = wrap(start, width, max_lines=_SENTENCE, placeholder=" …", subsequent_indent="  ", drop_whitespace=True)
    found = [Text(line, style) for line in lines]
    if badge and found:
        found[0] = Text.assemble((badge, "bold reverse"), " " + found[0].plain.strip()[len(badge.strip()) :].strip())
    elif mark and found:
        found[0].stylize("bold", 0, len(mark))
    return found
