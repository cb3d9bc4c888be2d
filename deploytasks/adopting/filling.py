"""A configuration from a template, with what is known of a repository in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .choices import Choices
from .detecting import Found

FOLDER = Path(__file__).parents[1] / "templates"
FILES = {
    "embedded": "invoke.yaml",
    "servers": "servers.yaml",
    "aws-alb": "aws-alb.yaml",
    "aws-ecs": "aws-ecs.yaml",
}
"""Name of a template → its file."""
DEPLOYED = "deployed"
"""The module of Django settings that is written beside theirs."""
DATABASE_FILE = "DATABASE_FILE"
"""The variable that tells those settings where the database is."""
HEALTH = "/health"
"""The page that the templates have."""
_FILE = "db.sqlite3"
_NOT_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", ".nan", ".inf"}


def filled(choices: Choices, found: Found) -> str:
    """The text of ``invoke.yaml``."""
    text = (FOLDER / FILES[choices.template]).read_text(encoding="utf-8")
    for old, new in changes(choices, found):
        text = replaced(text, old, new)
    return text


def replaced(text: str, old: str, new: str) -> str:
    """The text with ``new`` for the first ``old``; a comment behind it stays in its column where there is room.

    Raises ``LookupError`` when there is no ``old``: then a template and what is to be filled in have parted.
    """
    before, found, after = text.partition(old)
    if not found:
        raise LookupError(f"the template has no {old!r}")
    rest, end, below = after.partition("\n")
    comment = re.search(r" +(?=# )", rest)
    if comment and "\n" not in new:
        room = max(1, len(comment[0]) + len(old) - len(new))
        rest = rest[: comment.start()] + " " * room + rest[comment.end() :]
    return before + new + rest + end + below


def changes(choices: Choices, found: Found) -> Iterator[tuple[str, str]]:
    """What stands in the chosen template, and what is to stand there instead."""
    application = _plain(choices.application)
    yield "application: APPLICATION", f"application: {application}"
    if choices.template == "servers":
        yield "{service: APPLICATION}", f"{{service: {application}}}"
    if choices.source != ".":
        yield "source: .", f"source: {_plain(choices.source)}"
    if choices.tests:
        yield "# tests: python -m pytest", f"tests: {_plain(choices.tests)}"
    if found.repository and found.hub == "github":
        yield "repository: owner/name", f"repository: {found.repository}"
    yield from _served(choices)
    if found.alembic and not found.django and choices.template in ("embedded", "servers"):
        yield "preset: django", f"preset: alembic{_migrator(choices.source, found.alembic)}"
    if choices.template == "embedded":
        yield from _embedded(choices, found)


def _served(choices: Choices) -> Iterator[tuple[str, str]]:
    """How a color is served, and where it says that it is well."""
    if choices.template in ("embedded", "servers"):
        yield '"{python} -m gunicorn --bind {host}:{port} app:application"', _quoted(choices.start)
    if choices.health == HEALTH:
        return
    health = _plain(choices.health)
    yield f"{{name: health, path: {HEALTH},", f"{{name: health, path: {health},"
    yield f" health: {HEALTH} ", f" health: {health} "
    if choices.template == "servers":
        yield f"rps: 20, paths: [{HEALTH}]", f"rps: 20, paths: [{health}]"


def _migrator(source: str, configuration: str) -> str:
    """What Alembic is called with when its configuration does not lie where the release begins."""
    place = PurePosixPath(configuration)
    inside = place.relative_to(source) if source != "." and place.is_relative_to(source) else place
    return "" if inside.parent == PurePosixPath() else f', migrator: "{{python}} -m alembic -c {inside}"'


def _embedded(choices: Choices, found: Found) -> Iterator[tuple[str, str]]:
    yield "listen: 127.0.0.1:8080", f"listen: {_plain(choices.listen)}"
    blue, green = choices.colors
    yield "{blue: 127.0.0.1:8101, green: 127.0.0.1:8102}", f"{{blue: {blue}, green: {green}}}"
    if found.branch:
        yield '[main, "release/*"]', f'[{_plain(found.branch)}, "release/*"]'
    if choices.health != HEALTH:
        yield "warm_up: {paths: [/]", f"warm_up: {{paths: [{_plain(choices.health)}]"
        yield "rps: 20, paths: [/]", f"rps: 20, paths: [{_plain(choices.health)}]"
    if variables := _variables(found):
        lines = "".join(f"\n          {name}: {_quoted(value)}" for name, value in variables.items())
        yield (
            "environment: {}           # variables of the application; no secrets",
            f"environment:              # variables of the application; no secrets{lines}",
        )
    if (django := found.django) and django.database in ("file", "url"):
        place = f".deploy/development/shared/{_FILE}"
        yield (
            "# database: {kind: sqlite, path: db.sqlite3, keep: 14, preset: django}",
            f"database: {{kind: sqlite, path: {place}, keep: 14, preset: django}}",
        )


def _variables(found: Found) -> dict[str, str]:
    """What a release has to know: its settings, and where the data is that outlives it."""
    if found.django is None:
        return {}
    known = {"DJANGO_SETTINGS_MODULE": deployed_module(found.django.settings)}
    if found.django.database == "file":
        known[DATABASE_FILE] = f"{{shared}}/{_FILE}"
    elif found.django.database == "url":
        known[found.django.variable] = f"sqlite:///{{shared}}/{_FILE}"
    return known


def deployed_module(settings: str) -> str:
    """The settings of a release, beside the given ones: ``shop.deployed`` for ``shop.settings``."""
    package, _, _ = settings.rpartition(".")
    return f"{package}.{DEPLOYED}" if package else DEPLOYED


def deployed_settings(found: Found) -> tuple[str, str] | None:
    """Path and text of the Django settings that a release has here; ``None`` where no Django is."""
    if found.django is None:
        return None
    module = deployed_module(found.django.settings)
    path = f"{module.replace('.', '/')}.py"
    database = (
        '\nDATABASES["default"]["NAME"] = os.environ.get("DATABASE_FILE", DATABASES["default"]["NAME"])\n'
        if found.django.database == "file"
        else ""
    )
    text = f'''"""Settings of a release on this machine: what outlives it lies outside, and users come to an address.

`deploytasks init` has written this, and `invoke.yaml` names it. It is yours to change.
"""

{"import os" + chr(10) * 2 if database else ""}from {found.django.settings} import *  # noqa: F403
from {found.django.settings} import ALLOWED_HOSTS{", DATABASES" if database else ""}
{database}
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1", "localhost"]
'''
    return (path if found.source == "." else f"{found.source}/{path}"), text


def _plain(value: str) -> str:
    """A value as a person would write it: in quotes where YAML would take it for something else."""
    is_word = (
        re.fullmatch(r"(?:[A-Za-z_/]|\.\.?/)[\w./-]*(?:[ =:][\w./=-]+)*", value) and value.lower() not in _NOT_WORDS
    )
    return value if is_word or re.fullmatch(r"[\d.]+:\d{4,5}", value) else _quoted(value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
