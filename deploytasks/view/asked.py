"""What somebody asked of a running deployment last, and what came of it: a pure fold of its events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..ledger.facts import part, text, truth, whole
from ..ports import Event

_OBEYED = {
    "pause": "paused: watched on, but no more traffic until `continue`",
    "continue": "goes on",
    "abort": "being taken back",
    "promote": "this stage need not wait; it is judged all the same",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """``said``: the answer; ``obeyed`` is ``None`` while there is none. ``number``: of the event that asks; 0 where it
    was asked at the deployer's own keyboard, and is not recorded yet."""

    verb: str
    who: str
    reason: str
    at: datetime
    number: int = 0
    obeyed: bool | None = None
    said: str = ""


def asked(before: Asked | None, event: Event) -> Asked | None:
    """Somebody asks. What was obeyed before it could be recorded is not asked again."""
    verb, signer, reason = (text(event.facts, name) for name in ("verb", "signer", "reason"))
    if before and (before.verb, before.reason, before.number) == (verb, reason, 0) and before.obeyed is not None:
        return before
    return Asked(verb, signer or event.who, reason, event.at, event.number)


def answered(before: Asked | None, event: Event) -> Asked:
    """An answer; one to what was asked earlier is none to what was asked last."""
    facts, number = event.facts, whole(event.facts, "asked")
    to = before if before and before.number in (0, number) else Asked(text(facts, "verb"), "", "", event.at, number)
    return replace(to, obeyed=truth(facts, "obeyed"), said=text(facts, "said"), at=event.at)


def answered_by(before: Asked | None, event: Event) -> Asked | None:
    """A reading that carries what was asked is the answer to it, or brings it."""
    command, answer = part(event.facts, "reading").get("command"), part(event.facts, "answer")
    if not isinstance(command, list | tuple) or len(command) < 3:
        return before
    verb, who, reason = map(str, command[:3])
    obeyed, said = (truth(answer, "obeyed"), text(answer, "said")) if answer else (True, _OBEYED.get(verb, ""))
    return Asked(verb, who, reason, event.at, obeyed=obeyed, said=said)
