"""The audit export: `inv history --format csv|json|html`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import redaction, view
from ..audit.columns import COLUMNS, EVENTS, as_json
from ..audit.spreadsheet import csv_of
from ..audit.trail import Trail, controls, trail, within
from ..checklist.controls import STANDARDS
from ..errors import OverThreshold
from ..ledger.chain import event_key
from ..ledger.event import instant_text, read_event
from . import files, periods
from .opening import open_world
from .translating import readable

if TYPE_CHECKING:
    from invoke import Context

    from ..ledger import Verification
    from ..ports import Event
    from ..world import World
    from .asking import Wanted

Answer = dict[str, Any]
SCHEMA = "deploytasks.audit/1"


def export(c: Context, env: str | None, wanted: Wanted) -> None:
    """Write it to stdout, or to a file. Raises ``OverThreshold`` for a ledger that was changed, once it is written."""
    world = open_world(c, env, need=("store", "people"))
    answer = audit(world, wanted)
    if wanted.out:
        name = f"audit-{world.site.environment}.{wanted.form}"
        document = written(answer, wanted.form).encode("utf-8", "replace")
        file = files.written(wanted.out, document, name, option="--out")
        view.say(f"{len(answer['rows'])} rows written to {file}, head {answer['ledger']['head']}")
    elif wanted.form == "json":
        view.show("audit", answer, json=True)
    else:
        view.document(written(answer, wanted.form))
    found = answer["ledger"]
    if found["verified"] is False:
        raise OverThreshold(
            f"the ledger of {world.scope} was changed: {'; '.join(found['problems'])}",
            state="the export was written all the same, and says so",
            do="keep a copy of it as it is, and find out who had access",
        )


def written(answer: Answer, form: str) -> str:
    """The answer in one of the formats; each ends with a line's end."""
    if form == "csv":
        return csv_of([*answer["rows"], _export_row(answer)])
    if form == "html":
        from ..view.html.audit import page

        return f"{page(answer)}\n"
    return f"{view.as_json(answer)}\n"


@readable
def audit(world: World, wanted: Wanted) -> Answer:
    """All rows of the period as plain data, with what was verified; without secrets, and with people's names as far as
    they are known here."""
    now = world.clock.now()
    since, until = periods.since(wanted.since, now), periods.until(wanted.until, now)
    periods.ordered(since, until)
    world.spool.drain(world.ledger)
    found = world.ledger.verify(wanted.expect) if wanted.verify else None
    events = world.ledger.events() if found is None or found.ok else _still_readable(world)
    seen = trail(_up_to(events, found), world.site.application, world.site.environment)
    rows = [row for row in seen.rows if within(row, since, until)]
    answer = {
        "schema": SCHEMA,
        "application": world.site.application,
        "environment": world.site.environment,
        "exported_at": instant_text(now),
        "exported_by": world.site.who,
        "since": instant_text(since) if since else None,
        "until": instant_text(until) if until else None,
        "ledger": _ledger(seen, found, wanted.expect),
        "standards": {name: title for name, title in STANDARDS.items() if name != "gdpr"},
        "columns": [
            {"name": one.name, "title": one.title, "says": one.says, "controls": as_json(one.controls)}
            for one in COLUMNS
        ],
        "events": {name: {"says": says, "controls": as_json(of)} for name, (says, of) in EVENTS.items()},
        "rows": rows[-wanted.limit :] if wanted.limit > 0 else rows,
    }
    clean: Answer = redaction.clean(answer)
    return clean


def _ledger(seen: Trail, found: Verification | None, expect: str | None) -> Answer:
    """What it was made from, and what is proven about that; ``verified`` is ``None`` where nobody asked."""
    return {
        "events": found.count if found else seen.count,
        "read": seen.count,
        "head": found.head if found else seen.head,
        "verified": found.ok if found else None,
        "expected": expect,
        "problems": list(found.problems) if found else [],
    }


def _up_to(events: Iterator[Event], found: Verification | None) -> Iterator[Event]:
    """What was verified, and nothing that came meanwhile."""
    for event in events:
        if found is not None and found.ok and event.number > found.count:
            return
        yield event


def _still_readable(world: World) -> Iterator[Event]:
    """The events of a ledger that was changed, as far as anybody can read them: evidence as well."""
    for key in world.store.keys(f"{world.scope}/events/"):
        content = world.store.get(key)
        try:
            event = read_event(content[0] if content else b"")
        except ValueError:
            continue
        if key == event_key(world.scope, event.number):
            yield event


def _export_row(answer: Answer) -> Answer:
    """The last line of a CSV: who exported what, and whether it was verified."""
    of = answer["ledger"]
    word = {True: "verified", False: "NOT VERIFIED: the ledger was changed", None: "not verified: nobody asked"}
    period = f"{answer['since'] or 'the beginning'} to {answer['until'] or 'now'}"
    said = [f"{len(answer['rows'])} rows, {period}", f"{of['events']} events in the ledger", *of["problems"]]
    said += [f"expected digest {of['expected']}"] if of["expected"] else []
    row = {
        "timestamp": answer["exported_at"],
        "event": "export",
        "application": answer["application"],
        "environment": answer["environment"],
        "engineer": answer["exported_by"],
        "outcome": word[of["verified"]],
        "reason": "; ".join(said),
        "last_event": of["events"],
        "event_digest": of["head"],
    }
    return {**row, "controls": controls(row)}
