"""A project in a real git repository, and a checklist's subject about what is committed there."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import memory
from invoke import Context

from deploytasks.checklist import Subject
from deploytasks.ports import Release
from deploytasks.settings.base import Value
from deploytasks.settings.postgres import PostgresSettings
from deploytasks.settings.sqlite import SqliteSettings


class Project:
    """A git repository, and a world in memory that stands in it."""

    def __init__(self, folder: Path, **database: Any) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.world = memory.world(folder)
        self.world.site = self.world.site._replace(root=self.root, context=Context())
        self.configure(**{"kind": "sqlite", "path": "db.sqlite3", "preset": "django", **database})

    def configure(self, **database: Any) -> None:
        kinds: dict[str, type[Value]] = {"sqlite": SqliteSettings, "postgres": PostgresSettings}
        section = kinds[database["kind"]](**{key: value for key, value in database.items() if value is not None})
        sections = {**self.world.settings.sections, "database": section}
        self.world.settings = replace(self.world.settings, sections=sections)

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write_all(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        """Commit all that is there, and these files."""
        self.write_all(files or {})
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "more")
        return self.git("rev-parse", "HEAD")

    def goes_live(self, version: str = "1.0.0", commit: str | None = None) -> None:
        """The ledger hears of a deployment that ended well."""
        self.world.note(
            "settled",
            version=version,
            commit=self.git("rev-parse", "HEAD") if commit is None else commit,
            digest=memory.release(version).digest,
            color="blue",
            deployment=f"d{version}",
        )

    def release(self, *, dirty: bool = False) -> Release:
        return Release("2.0.0", self.git("rev-parse", "HEAD"), "d" * 64, "/nowhere", dirty)

    def subject(self, *, dirty: bool = False, thorough: bool = True) -> Subject:
        return Subject(self.world, self.release(dirty=dirty), thorough=thorough)


def django(operations: str = "", after: str = "", more: str = "") -> str:
    """A migration's module. ``after``: ``app.name``."""
    before = f"({after.partition('.')[0]!r}, {after.partition('.')[2]!r})" if after else ""
    return (
        "from django.db import migrations, models\n\n\n"
        f"class Migration(migrations.Migration):\n    dependencies = [{before}]\n{more}"
        f"    operations = [{operations}]\n"
    )


def alembic(revision: str, after: str | None = None, upgrade: str = "pass", downgrade: str = "pass") -> str:
    """A revision's module."""
    return (
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision: str = {revision!r}\ndown_revision = {after!r}\n\n\n"
        f"def upgrade() -> None:\n    {upgrade}\n\n\ndef downgrade() -> None:\n    {downgrade}\n"
    )
