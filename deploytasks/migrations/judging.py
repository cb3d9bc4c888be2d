"""What the pending migrations do to the release that serves users while they are applied, and after."""

from __future__ import annotations

from collections.abc import Sequence

from . import alembic, django, sql, sql_judging
from .files import Source
from .rules import Finding
from .state import state_of


def judged(new: Sequence[Source], known: Sequence[Source] = (), dialect: str = "postgres") -> list[Finding]:
    """The changes in new migrations that do more than expand, in their order.

    ``known``: the migrations that the old release has. Nobody waits in SQLite for an index: there, locks are left
    aside.
    """
    live = state_of(known)
    is_server = dialect != "sqlite"
    seen = django.Seen(live, live, transactional=is_server)
    found: list[Finding] = []
    for one in new:
        if one.kind == "django":
            more, seen = django.judged(one, seen)
            found += more
        elif one.kind == "alembic":
            found += alembic.judged(one, seen.created, transactional=is_server)
        elif one.kind == "sql":
            up, _ = sql.sections(one.text)
            found += [Finding(one.path, at, what, rule) for rule, what, at in sql_judging.judged(up, seen.created)]
        else:
            found.append(Finding(one.path, 1, "a file that is no migration we can read", "unread"))
    return [each for each in found if is_server or each.verdict != "locks"]
