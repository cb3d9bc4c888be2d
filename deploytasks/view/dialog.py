"""What keys mean while a deployment is drawn: pure, a key in, what is asked of the deployment out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from .wording import clean

Mode = Literal["watching", "help", "abort?", "abort", "promote"]
"""What the next key answers: nothing; the page of help; whether to abort, and then why; why to promote."""
ENTER, ESCAPE, BACKSPACE, ERASE = "\r", "\x1b", "\x7f", "\x15"
LONGEST = 200
"""Characters of a reason."""
_SAME = {"\n": ENTER, "\b": BACKSPACE}


class Order(NamedTuple):
    """Something that is asked of the deployment. An empty reason: a key says no more."""

    verb: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dialog:
    """What a person is in the middle of. ``said``: what came of the last key, until something better is known."""

    mode: Mode = "watching"
    typed: str = ""
    said: str = ""


WATCHING = Dialog()
"""Nothing is typed."""


def press(dialog: Dialog, key: str) -> tuple[Dialog, Order | None]:
    """What one key does. A key that means nothing does nothing."""
    key = _SAME.get(key, key)
    if dialog.mode == "watching":
        return _watching(dialog, key)
    if dialog.mode == "help":
        return Dialog(), None
    if dialog.mode == "abort?":
        return (Dialog("abort"), None) if key in "yY" else (Dialog(said="not aborted"), None)
    return _typing(dialog, key)


def _watching(dialog: Dialog, key: str) -> tuple[Dialog, Order | None]:
    asked = {"p": "pause", "c": "continue"}.get(key)
    if asked:
        return Dialog(said=f"{asked}: asked"), Order(asked, "")
    modes: dict[str, Mode] = {"a": "abort?", "f": "promote", "?": "help"}
    return (Dialog(modes[key]), None) if key in modes else (dialog, None)


def _typing(dialog: Dialog, key: str) -> tuple[Dialog, Order | None]:
    verb, reason = dialog.mode, " ".join(dialog.typed.split())
    if key == ESCAPE:
        return Dialog(said=f"{verb}: not asked"), None
    if key == ENTER and not reason and verb == "promote":
        return replace(dialog, typed="", said=f"{verb}: say why; Esc leaves it"), None
    if key == ENTER:
        return Dialog(said=f"{verb}: asked"), Order(verb, reason)
    if key == ERASE:
        return replace(dialog, typed=""), None
    typed = dialog.typed[:-1] if key == BACKSPACE else dialog.typed + clean(key)
    return replace(dialog, typed=typed[:LONGEST], said=""), None


def keys(text: str) -> list[str]:
    """The keys in what a terminal sent: one character each, and nothing for the arrows and their like."""
    found = []
    at = 0
    while at < len(text):
        if text[at] == ESCAPE and text[at + 1 : at + 2] in ("[", "O"):
            at = _after_sequence(text, at + 2)
            continue
        found.append(text[at])
        at += 1
    return found


def _after_sequence(text: str, at: int) -> int:
    """Where a control sequence ends: after its first letter or tilde."""
    while at < len(text) and not ("@" <= text[at] <= "~"):
        at += 1
    return at + 1
