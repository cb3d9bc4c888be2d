"""What a change of the schema does to the release that still serves users. Every rule names where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Verdict = Literal["contract", "ask", "locks"]
"""``contract``: the old release breaks. ``ask``: only a person can know. ``locks``: it can live with what comes, but it
waits while that is done, for as long as the table is large. What does none of it expands, and needs no rule."""

_DJANGO = "https://docs.djangoproject.com/en/5.2/ref/"
_SQUAWK = "https://squawkhq.com/docs/"
_POSTGRES = "https://www.postgresql.org/docs/current/"


class Rule(NamedTuple):
    """Why a change is none that the old release can live with unseen, and how it is done instead."""

    verdict: Verdict
    why: str
    instead: str
    see: str


class Finding(NamedTuple):
    """A change that a rule is about."""

    path: str
    line: int
    """From 1."""
    operation: str
    """As it stands there, shortly: ``RemoveField book.year``."""
    rule: str
    by: str = ""
    """Another program's name for it, with its link; it stands in the place of the rule's own."""

    @property
    def verdict(self) -> Verdict:
        """What the rule says."""
        return RULES[self.rule].verdict

    def __str__(self) -> str:
        rule = RULES[self.rule]
        instead = f"; instead: {rule.instead}" if rule.instead else ""
        return f"{self.path}:{self.line} {self.operation}: {rule.why}{instead} ({self.by or rule.see})"


RULES: Mapping[str, Rule] = {
    # -- the old release breaks ------------------------------------------------------------------
    "drop-column": Rule(
        "contract",
        "the old release still reads and writes this column",
        "now let the code go without it (null=True or a default in the database, and remove it from the state alone); "
        "drop it in the release after",
        _SQUAWK + "ban-drop-column",
    ),
    "drop-table": Rule(
        "contract",
        "the old release still uses this table",
        "now let the code go without it, and remove the model from the state alone; drop it in the release after",
        _SQUAWK + "ban-drop-table",
    ),
    "drop-object": Rule(
        "contract",
        "the old release, or the database for it, may still use this",
        "drop it in the release after the one that goes without it",
        _POSTGRES + "sql-drop-type.html",
    ),
    "rename-column": Rule(
        "contract",
        "the old release knows it by its old name only",
        "rename it in the code alone (db_column=), or add a column, write both, copy, and drop the old one in a later "
        "release",
        _SQUAWK + "renaming-column",
    ),
    "rename-table": Rule(
        "contract",
        "the old release knows it by its old name only",
        "rename it in the code alone (db_table=)",
        _SQUAWK + "renaming-table",
    ),
    "add-required-column": Rule(
        "contract",
        "the old release writes rows without this column, which must not be null",
        "null=True, or a default that the database keeps (db_default=, server_default=); require it in the release "
        "after",
        _SQUAWK + "adding-required-field",
    ),
    "add-column-default-dropped": Rule(
        "contract",
        "the old release writes rows without this column, which must not be null: Django uses `default` for the rows "
        "that are there, and drops it again",
        "db_default= (Django 5.0 or newer), or null=True; require it in the release after",
        _DJANGO + "models/fields/#db-default",
    ),
    "set-not-null": Rule(
        "contract",
        "the old release may still write null here",
        "let this release write a value always, and fill the rows that have none; forbid null in the release after",
        _SQUAWK + "adding-not-nullable-field",
    ),
    "drop-default": Rule(
        "contract",
        "the old release leaves it to the database to fill this in",
        "drop the default in the release after the one that always writes a value",
        _DJANGO + "models/fields/#db-default",
    ),
    "narrow-type": Rule(
        "contract",
        "the old release may still write values that no longer fit",
        "let this release write only what fits; narrow the column in the release after",
        _SQUAWK + "changing-column-type",
    ),
    "change-type": Rule(
        "contract",
        "the old release reads and writes values of the other type",
        "add a column of the new type, write both, copy, and drop the old one in a later release",
        _SQUAWK + "changing-column-type",
    ),
    "change-key": Rule(
        "contract",
        "the old release finds its rows by the old primary key",
        "add the new one beside it, write both, and drop the old one in a later release",
        _DJANGO + "models/fields/#primary-key",
    ),
    "lose-rows": Rule(
        "contract",
        "the rows are gone while the old release still uses them",
        "do it after the way back is closed",
        _POSTGRES + "sql-truncate.html",
    ),
    "in-a-transaction": Rule(
        "contract",
        "it cannot run inside of a transaction, so the migration fails",
        "atomic = False (Django), autocommit_block() (Alembic)",
        _DJANGO + "contrib/postgres/operations/#concurrent-index-operations",
    ),
    # -- only a person can know ------------------------------------------------------------------
    "unique": Rule(
        "ask",
        "the old release may write duplicates, which fails from then on",
        "",
        _SQUAWK + "disallowed-unique-constraint",
    ),
    "constraint": Rule(
        "ask",
        "the old release may write rows that it forbids",
        "",
        _SQUAWK + "constraint-missing-not-valid",
    ),
    "retype": Rule(
        "ask",
        "whether the new type holds all that the old release writes cannot be read from this",
        "",
        _SQUAWK + "changing-column-type",
    ),
    "data": Rule(
        "ask",
        "it changes rows while the old release uses them",
        "",
        _DJANGO + "migration-operations/#runpython",
    ),
    "unread": Rule(
        "ask",
        "it cannot be read what this does",
        "",
        _DJANGO + "migration-operations/#writing-your-own",
    ),
    "behavior": Rule(
        "ask",
        "it changes what happens when the old release reads or writes",
        "",
        _POSTGRES + "sql-createtrigger.html",
    ),
    # -- the old release waits -------------------------------------------------------------------
    "index": Rule(
        "locks",
        "nobody can write to the table while the index is built",
        "AddIndexConcurrently, CREATE INDEX CONCURRENTLY",
        _SQUAWK + "require-concurrent-index-creation",
    ),
    "foreign-key": Rule(
        "locks",
        "nobody can write to both tables while all rows are looked at",
        "add it NOT VALID, and validate it in a migration of its own",
        _SQUAWK + "adding-foreign-key-constraint",
    ),
    "rewrite": Rule(
        "locks",
        "nobody can read or write the table while it is written anew",
        "add a column, copy in batches, and drop the old one in a later release",
        _SQUAWK + "changing-column-type",
    ),
    "long-lock": Rule(
        "locks",
        "nobody can use the table meanwhile",
        "",
        _POSTGRES + "explicit-locking.html",
    ),
}
