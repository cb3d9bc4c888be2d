"""The database: what a release changes there, and whether the release before it, and people, can live with that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from . import rehearsed
from .item import Found, Item
from .pending import Pending, pending, said, section, text_of
from .review import MIGRATIONS_REVIEWED
from .window import span, window_answer

if TYPE_CHECKING:
    from ..migrations.files import Source
    from ..migrations.rules import Finding
    from .subject import Subject

BEARABLE = 3.0
"""Seconds that all migrations together took on a copy, up to which nobody minds what they lock."""
STALE = timedelta(days=7)
"""A rehearsal that is older says little: the database has grown."""
_SHOWN = 5
"""How many findings are told; the file has the others."""


def migrations_known(of: Subject) -> Found:
    """Which migrations this release brings. It informs; that it cannot be found out is a failure."""
    found = pending(of)
    if found.is_unsure:
        return Found("fail", f"unreachable: {found.why}")
    if not found.names:
        return Found("pass", f"no migration is pending: {found.why}")
    told = f"{_many(found.names)} pending: {_listed(found.names)}; {found.why}"
    if said(of, "migrate") is None:
        who = "no `database:` is configured" if section(of) is None else "no `database.migrate` is configured"
        return Found("needs a signature", f"{told}; {who}: the deployment does not apply them")
    return Found("pass", told)


def old_release_can_live_with_it(of: Subject) -> Found:
    """The release that serves users goes on working, with the new schema and while it is made."""
    found = pending(of)
    if not found.names:
        return _nothing(found)
    if found.is_first:
        return Found("pass", "nothing is live yet: no older release must live with it")
    from . import schema

    lint = schema.lint(of, found)
    by_verdict = {name: [one for one in lint.findings if one.verdict == name] for name in ("contract", "ask", "locks")}
    note = f"; {lint.note}" if lint.note else ""
    if by_verdict["contract"]:
        return Found("fail", f"contracts: {_told(by_verdict['contract'])}{note}")
    quick = _is_quick(of) if by_verdict["locks"] else ""
    open_still = by_verdict["ask"] + ([] if quick else by_verdict["locks"])
    if open_still:
        return Found("needs a signature", f"{_told(open_still)}{note}")
    return Found("pass", f"only expansions: {_listed(found.names)}{quick}{note}")


def can_be_taken_back(of: Subject) -> Found:
    """Each migration is reversible, by its tool or by a command; or somebody has written down what to do instead."""
    found = pending(of)
    if not found.names:
        return _nothing(found)
    if found.is_first:
        return Found("pass", "nothing is live yet: there is no release to go back to")
    from ..migrations.reversing import way_back

    if command := said(of, "reverse"):
        return Found("pass", f"`{command}` takes them back")
    open_still, planned = [], []
    for one in found.sources:
        way = way_back(one, _down(of, one))
        if way.is_there:
            continue
        plan = _plan(of, one)
        if (text_of(of, plan) or "").strip():
            planned.append(f"{one.shown} by {plan}")
        else:
            open_still.append(f"{one.shown} ({way.why}; no {plan})")
    open_still += [f"{name} (no file of the release)" for name in found.unread]
    if open_still:
        return Found("needs a signature", f"cannot be taken back: {_listed(open_still)}")
    by_plan = f"; by a written plan: {_listed(planned)}" if planned else ""
    return Found("pass", f"{_many(found.names)} with a way back{by_plan}")


def time_is_known(of: Subject) -> Found:
    """How long the migrations took on a copy. Nothing is guessed."""
    found, database = pending(of), section(of)
    if not found.names:
        return _nothing(found)
    if getattr(database, "rehearsal", None) is None:
        return Found("warn", "unknown: no `database.rehearsal` is configured")
    seen = rehearsed.found(of, database)
    if seen is None:
        name = of.world.settings.name
        return Found("warn", f"unknown: this content was not rehearsed (`inv rehearse --env {name}`)")
    told = f"{seen.detail}, {seen.at:%Y-%m-%d %H:%M} UTC"
    if not seen.ok:
        return Found("fail", f"the rehearsal failed: {told}")
    age = of.world.clock.now() - seen.at
    if age > STALE:
        return Found("warn", f"{told}: {span(age.total_seconds())} ago, and the database has changed since")
    return Found("pass", told)


def in_a_quiet_time(of: Subject) -> Found:
    """Migrations are applied inside of their window, and are done before it ends, as far as that is known."""
    found, gates = pending(of), of.gates
    if not found.names:
        return _nothing(found)
    setting = "gates.migration_windows" if gates.migration_windows else "gates.windows"
    seen = rehearsed.found(of, section(of))
    seconds = (rehearsed.seconds_of(seen.detail) if seen and seen.ok else None) or 0.0
    windows = gates.migration_windows or gates.windows
    return window_answer(windows, gates.freezes, of.world.clock.now(), seconds, setting=setting)


def copy_can_be_made(of: Subject) -> Found:
    """The database and its copies answer, and nothing keeps a copy from being made before anything migrates."""
    found, database = pending(of), of.world.database
    if database is None:
        if not found.names:
            return Found("not applicable", "no `database:` is configured, and the release has no migrations")
        return Found("fail", f"{_many(found.names)} pending, and no copy can be made: configure `database:`")
    busy = database.busy()  # raises what says that the database does not answer
    wrong = [each for each in database.diagnose() if each.state == "fail"]
    if wrong:
        return Found("fail", "no copy can be made: " + "; ".join(f"{each.subject}: {each.detail}" for each in wrong))
    if found.names and busy:
        return Found("fail", f"no copy can be made now: {busy}")
    copies = database.backups()
    makes = "; a verified one is made before it migrates" if found.names and said(of, "migrate") else ""
    if not copies:
        return Found("pass" if makes else "warn", f"no copy yet{makes or ': `inv backup-database` makes one'}")
    age = span((of.world.clock.now() - copies[0].at).total_seconds())
    return Found("pass", f"the newest of {len(copies)} is {copies[0].name}, {age} old{makes}")


# -- how -------------------------------------------------------------------------------------------


def _nothing(found: Pending) -> Found:
    return Found("not applicable", f"no migration is pending: {found.why}")


def _is_quick(of: Subject) -> str:
    """That a rehearsal was over so soon that nobody minds what is locked; empty when that is not known."""
    seen = rehearsed.found(of, section(of))
    seconds = rehearsed.seconds_of(seen.detail) if seen and seen.ok else None
    if seen is None or seconds is None or seconds > BEARABLE or of.world.clock.now() - seen.at > STALE:
        return ""
    return f"; what they lock is free again within {seconds:g} s, as the rehearsal has shown"


def _down(of: Subject, one: Source) -> dict[str, str]:
    text = text_of(of, one.down) if one.down else None
    return {} if text is None else {one.down: text}


def _plan(of: Subject, one: Source) -> str:
    """The path of the plan for a migration."""
    from ..settings.hosts import PLACEHOLDER
    from . import schema

    template, values = said(of, "rollback_plan") or "rollback/{full}.md", schema.values(one, of)
    return PLACEHOLDER.sub(lambda found: values.get(found[2], "") if found[2] else f"{{{found[1]}}}", template)


def _told(findings: Sequence[Finding]) -> str:
    shown = "; ".join(map(str, findings[:_SHOWN]))
    return f"{shown}; and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else shown


def _many(names: Sequence[str]) -> str:
    return "1 migration" if len(names) == 1 else f"{len(names)} migrations"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


ITEMS = (
    Item(
        "database.pending",
        "It is known which migrations are pending",
        migrations_known,
        "staging",
        critical=True,
    ),
    Item(
        "database.compatible",
        "The old release can live with the new schema",
        old_release_can_live_with_it,
        "staging",
        critical=True,
    ),
    MIGRATIONS_REVIEWED,
    Item("database.rollback", "The migrations can be taken back", can_be_taken_back),
    Item("database.estimate", "It is known how long the migrations take", time_is_known),
    Item("database.window", "Migrations run in a quiet time", in_a_quiet_time, critical=True),
    Item(
        "database.backup",
        "A verified copy is made before anything migrates",
        copy_can_be_made,
        asks="database",
        critical=True,
    ),
)
