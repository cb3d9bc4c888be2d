"""What happened: the ledger's events, and whether anybody changed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..paint import Paint, table
from ..sentences import sentence
from ..wording import counted, moment, whole
from .reading import fields, items, title, word


def history(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """One line per event, the newest last."""
    heading = f"history of {title(word(answer, 'application'), word(answer, 'environment'))} (times are UTC)"
    rows = [
        (f"#{word(event, 'number')}", at(event), word(event, "who"), told(event, paint))
        for event in items(answer, "events")
    ]
    if not rows:
        return [paint(heading, "bold"), "  nothing has happened yet"]
    end = f"  ledger head {word(answer, 'head')}"
    return [paint(heading, "bold"), *table(rows, "  ", right=(0,)), paint(end, "dim")]


def at(event: Mapping[str, Any]) -> str:
    """When it happened; for one that waited in the spool, before it was recorded."""
    facts = fields(event, "facts")
    found = (moment(facts.get("at")) if facts.get("spooled") else None) or moment(event.get("at"))
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else "when is unknown"


def told(event: Mapping[str, Any], paint: Paint) -> str:
    """The event's sentence, its ill news in color."""
    kind, facts = word(event, "kind"), fields(event, "facts")
    said = sentence(kind, facts)
    is_bad = kind.startswith("deadman-") or (kind == "ended" and facts.get("code") != 0) or kind == "rolled-back"
    return paint(said, "bad") if is_bad else said


def verification(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """Whether the chain is whole; all that is wrong with it."""
    where = title(word(answer, "application"), word(answer, "environment"))
    found = answer.get("problems")
    problems = [str(problem) for problem in found] if isinstance(found, list | tuple) else []
    count = whole(answer.get("count"))
    if answer.get("ok") and not problems:
        mended = f"{paint.mark('ok')} the ledger of {where} is whole: {count} events, each follows on the one before"
        keep = f"keep it: inv history --env {word(answer, 'environment')} --verify --expect {word(answer, 'head')}"
        return [mended, f"  head {word(answer, 'head')}", f"  {keep}"]
    said = f"the ledger of {where} was changed: {counted(len(problems), 'problem')} in {count} events"
    return [f"{paint.mark('fail')} {paint(said, 'bad')}", *(f"  {problem}" for problem in problems)]


def moved(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """What was written to a file, or read from one."""
    where = title(word(answer, "application"), word(answer, "environment"))
    file, count = word(answer, "file"), answer.get("events")
    events = "1 event" if count == 1 else f"{whole(count)} events"
    if word(answer, "did") == "exported":
        said = f"exported the ledger of {where} to {file}: {events}"
    else:
        said = f"imported {whole(answer.get('added'))} of {events} from {file}; the ledger of {where} is whole"
    return [f"{paint.mark('ok')} {said}", f"  head {word(answer, 'head')}"]
