"""How a deployment ended, in one bulletin: whatever told the same before is not told again."""

from __future__ import annotations

from ..bulletins import Bulletin, Change
from ..ledger.facts import Facts, number, text, texts, whole
from ..ledger.projections import happened_at
from ..ports import Event
from .making import bulletin, subject
from .story import About, Story, Tale
from .wording import AT_THE_DATABASE, QUIET, sentence

_BY_WORD: dict[str, Change] = {
    "done": "finished",
    "refused": "refused",
    "held": "gave-up",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "stuck": "stuck",
    "closed": "stuck",
}
_BY_CODE: dict[int, Change] = {
    0: "finished",
    2: "refused",
    3: "refused",
    5: "stopped",
    6: "gave-up",
    8: "stuck",
    130: "interrupted",
    143: "interrupted",
}
_AT_HOME: frozenset[Change] = frozenset(("refused", "failed", "taken-back", "gave-up", "interrupted"))
"""Ends after which traffic is where it was."""
SWITCH_FIRED = "the dead-man's switch has fired"
"""What a deployer says who finds that out."""
ABORTED = "abort by "
"""How the reason of one begins that a person has had taken back."""


def ended(about: About, story: Story, event: Event) -> tuple[Story, Bulletin | None]:
    """The end of the deployment that is open; of one that nobody saw begin, as much as is known."""
    found = story.tale
    tale = found if found and _is_of(found, event) else Tale(deployment=text(event.facts, "deployment"))
    change = _change(tale, event.facts)
    split = tale.split if change == "finished" else tale.home if change in _AT_HOME else ""
    tale = tale._replace(split=split)
    told = bulletin(
        about,
        event,
        change,
        _headline(about, tale, change, event.facts),
        tale,
        why=_why(tale, change, event.facts),
        numbers=tale.numbers,
        notes=tale.notes if change == "finished" else "",
        seconds=_seconds(event, tale),
        code=whole(event.facts, "code"),
    )
    if _is_known(tale, change):
        told = told._replace(severity="detail")
    tale = tale._replace(taken=change) if change == "switch-fired" else tale
    is_over = found is None or _is_of(found, event)
    last = tale if tale.task not in QUIET | AT_THE_DATABASE else story.last
    return story._replace(tale=None if is_over else found, last=last), told


def _is_of(tale: Tale, event: Event) -> bool:
    return tale.deployment == text(event.facts, "deployment")


def _change(tale: Tale, facts: Facts) -> Change:
    word, code = text(facts, "outcome"), whole(facts, "code")
    if word == "taken back" and text(facts, "why").startswith(ABORTED):
        return "interrupted"
    if word in _BY_WORD:
        found = _BY_WORD[word]
        is_the_switch = found == "stopped" and SWITCH_FIRED in text(facts, "why") and not tale.taken
        return "switch-fired" if is_the_switch else found
    if code in _BY_CODE and word not in ("taken back", "recovered"):
        return _BY_CODE[code]
    if code == 8:
        return "stuck"
    return "taken-back" if tale.was_judged_bad and code == 4 and word == "taken back" else "failed"


def _is_known(tale: Tale, change: Change) -> bool:
    """Whether people know already, or need not know: somebody else took traffic home and said so; a restored database
    was told of by itself; a small piece that went well, or that was not even begun, is a detail."""
    if tale.taken and change in ("stopped", "failed", "taken-back", "interrupted"):
        return True
    if tale.task == "restore-database" and change == "finished":
        return True
    return tale.task in QUIET and change in ("finished", "refused")


def _why(tale: Tale, change: Change, facts: Facts) -> str:
    said = sentence(text(facts, "why"))
    left = texts(facts, "left")
    if change == "finished" and not said:
        said = tale.verdict
    return "; ".join(filter(None, (said, f"NOT taken back: {'; '.join(left)}" if left else "")))


def _seconds(event: Event, tale: Tale) -> float | None:
    if isinstance(event.facts.get("seconds"), int | float):
        return number(event.facts, "seconds")
    return (happened_at(event) - tale.began).total_seconds() if tale.began else None


def _headline(about: About, tale: Tale, change: Change, facts: Facts) -> str:
    if change == "finished":
        return _good_end(about, tale)
    what = subject(about, tale)
    if change == "stuck" and text(facts, "outcome") == "closed":
        return f"{what} failed, and there is nothing to go back to: a person must act now"
    if change == "interrupted" and text(facts, "why").startswith(ABORTED):
        return f"{what} was aborted, and taken back"
    words = {
        "refused": f"{what} was refused: nothing was changed",
        "failed": f"{what} failed, and was taken back",
        "taken-back": f"{what} was taken back",
        "gave-up": f"{what} was held for too long: all traffic is home",
        "stopped": f"{what} stopped: somebody else moved traffic, or has the lease",
        "interrupted": f"{what} was interrupted, and taken back",
        "switch-fired": f"{what}: the dead-man's switch took all traffic home",
    }
    return words.get(change, f"{what}: the way back could not complete, a person must act now")


def _good_end(about: About, tale: Tale) -> str:
    what, where = " ".join(filter(None, (about.application, tale.version))), about.environment
    if tale.task in AT_THE_DATABASE:
        done = {"migrate": "migrated", "backup-database": "backed up"}.get(tale.task, "restored")
        return f"the database of {about.application} in {where} is {done}"
    if tale.task in ("install", "retire"):
        return f"{what}: {tale.task} in {where} is done"
    has_all = bool(tale.color) and f"{tale.color} 100 %" in tale.split
    if tale.task == "shift" and not has_all:
        return f"{what} in {where}: the share of traffic was tried, and is home again"
    return f"{what} is live in {where}"
