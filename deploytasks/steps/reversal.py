"""Which commands take exactly one deployment's migrations back. Pure: what was recorded in, commands out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import NamedTuple

IRREVERSIBLE = "irreversible:"
"""What the check prints before it names them."""

_CHECK = """
import sys
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
def stuck(operations):
    for one in operations:
        if not one.reversible:
            yield type(one).__name__
        yield from stuck(getattr(one, "database_operations", ()))
plan = MigrationExecutor(connection).migration_plan([TARGETS])
wrong = [str(found) for found, backwards in plan if not backwards]
bad = [str(found) + " (" + ", ".join(names) + ")" for found, _ in plan if (names := list(stuck(found.operations)))]
if wrong:
    sys.exit("IRREVERSIBLE not applied any more: " + "; ".join(wrong))
if bad:
    sys.exit("IRREVERSIBLE " + "; ".join(bad))
""".replace("IRREVERSIBLE", IRREVERSIBLE)
"""Run by the release itself. Django stops at an irreversible migration when it has reversed those after it already."""


class Reversal(NamedTuple):
    """How to get from what is applied to what was applied before."""

    migrations: tuple[str, ...]
    """What is taken back, the newest first."""
    commands: tuple[str, ...]
    check: str | None = None
    """A command that changes nothing, and fails when one of them cannot be taken back."""


def reversal(preset: str, migrator: str, before: Sequence[str], after: Sequence[str]) -> Reversal:
    """From what is applied ``after`` a deployment to what was ``before`` it. Nothing to do: no commands."""
    if preset == "alembic":
        return _alembic(migrator, before, after)
    return _django(migrator, before, after)


def later(preset: str, after: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """What was applied since, by somebody else: reversing ours would take that along."""
    if preset == "alembic":
        return [] if set(now) == set(after) else sorted(set(now) - set(after))
    return [one for one in now if one not in set(after)]


def _django(migrator: str, before: Sequence[str], after: Sequence[str]) -> Reversal:
    """Each app goes to the last of its migrations that was applied before, those that moved last at first."""
    known = set(before)
    ours = [one for one in reversed(after) if one not in known]
    last: Mapping[str, str] = {_app(one): one.partition(".")[2] for one in before}
    apps = list(dict.fromkeys(_app(one) for one in ours))
    commands = [f"{migrator} migrate --noinput {_word(app)} {_word(last.get(app, 'zero'))}" for app in apps]
    targets = ", ".join(repr((app, last.get(app))) for app in apps)
    check = f"{migrator} shell -c {_word(_CHECK.strip().replace('TARGETS', targets))}" if ours else None
    return Reversal(tuple(ours), tuple(commands), check)


def _alembic(migrator: str, before: Sequence[str], after: Sequence[str]) -> Reversal:
    """Down to the heads that were there before. Alembic knows what lies between."""
    ours = sorted(set(after) - set(before))
    if set(before) == set(after):
        return Reversal((), ())
    targets = [one for one in before if one not in after] if before else ["base"]
    return Reversal(tuple(ours), tuple(f"{migrator} downgrade {_word(target)}" for target in targets))


def _app(migration: str) -> str:
    return migration.partition(".")[0]


def _word(text: str) -> str:
    """One word of a shell, in a command whose braces are placeholders."""
    return re.sub(r"\{(\w+)\}", r"{{\1}}", quote(text))
