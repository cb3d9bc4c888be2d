"""What the balancer remembers beside its weights, in the tags of the listener or rule; and which split is in force by
both. Pure.

Tags and weights cannot be written at once. So the tags go first, and hold the new split and the one it replaces;
whichever of them the weights are, that one is in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from ....ports import COLORS, Color, Split

SPLIT = "deploytasks:split"
"""The split that was written last."""
BEFORE = "deploytasks:before"
"""The one it replaces, while the weights may still be that one's."""
HOME = "deploytasks:home"
"""Where an armed dead-man's switch puts everything, and for which deployment."""
DUE = "deploytasks:due"
"""When that switch goes off, unless it is moved: nothing else tells afterwards."""
OURS = (SPLIT, BEFORE, HOME)
LONGEST = 256
"""Characters of a tag's value."""


def tag_of(split: Split, since: datetime | None = None) -> str:
    """``blue=90 green=10 back=blue by=deploy:d-17``, in characters that a tag may have. ``since``: when the weights
    became these. Raises ``ValueError`` when a writer's name is too long for a tag."""
    when = f"{since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
    marks = {"back": split.way_back, "by": encoded(split.writer or ""), "since": when}
    shares = (f"{color}={split.share(color)}" for color in COLORS)
    text = " ".join([*shares, *(f"{key}={mark}" for key, mark in marks.items() if mark)])
    if len(text) > LONGEST:
        raise ValueError(f"{split.writer!r} is too long for a tag of {LONGEST} characters")
    return text


def split_in(text: str | None) -> Split | None:
    """The split that a tag holds; ``None`` when there is none, or nonsense."""
    fields = _fields(text)
    blue, green = (int(share) if (share := fields.get(color, "")).isdecimal() else -1 for color in COLORS)
    back = fields.get("back")
    if ((blue, green) != (0, 0) and (min(blue, green) < 0 or blue + green != 100)) or back not in (None, *COLORS):
        return None
    return Split(blue, green, back, decoded(fields.get("by", "")) or None)


def since_in(text: str | None) -> datetime | None:
    """Since when the weights are those of this tag; ``None`` when it does not say."""
    with suppress(ValueError):
        return datetime.strptime(_fields(text).get("since", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return None


def home_tag(color: Color | None, deployment: str) -> str:
    """What an armed switch leaves: ``blue d-17``; ``none d-17`` where nothing was exposed before."""
    return f"{color or 'none'} {encoded(deployment)}"


def home_in(text: str | None) -> tuple[Color | None, str] | None:
    """The color and the deployment of an armed switch; ``None`` when there is none, or nonsense."""
    color, _, deployment = (text or "").strip().partition(" ")
    if color in COLORS:
        return color, decoded(deployment)
    return (None, decoded(deployment)) if color == "none" else None


def decided(shares: tuple[int, int], tags: Mapping[str, str], now: datetime) -> Split:
    """The split in force. ``shares``: percent of blue and green, as the weights have them; both 0: nothing exposed.

    The tags' new split when the weights are its own; the one it replaces when they still are that one's (whoever wrote
    was not done). Otherwise somebody else moved the weights: an armed switch, if all is where it would put it; or
    nobody who signs. One whose time has come goes before what a dead writer has left of a split it replaced.
    """
    found, home = Split(*shares), home_in(tags.get(HOME))
    is_home = home is not None and found == Split.all_on(home[0])
    has_gone_off = is_home and (due := due_in(tags.get(DUE))) is not None and due <= now
    for key in (SPLIT,) if has_gone_off else (SPLIT, BEFORE):
        split = split_in(tags.get(key))
        if split is not None and (split.blue, split.green) == shares:
            return split
    return found._replace(writer=f"deadman:{home[1]}") if home is not None and is_home else found


def due_in(text: str | None) -> datetime | None:
    """When a switch goes off, as its tag has it; ``None`` when there is none, or nonsense."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def encoded(text: str) -> str:
    """Without blanks, and with nothing that a tag may not have: ``=3B`` for a semicolon."""
    return quote(text, safe="/:@+").replace("~", "%7E").replace("%", "=")


def decoded(text: str) -> str:
    """What was encoded."""
    return unquote(text.replace("=", "%"))


def _fields(text: str | None) -> dict[str, str]:
    return {key: value for key, _, value in (part.partition("=") for part in (text or "").split())}
