"""A configuration from a template, with what is known of a repository in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
_FILE = "db.sqlite3"


def filled(choices: Choices, found: Found) -> str:
    """The text of ``invoke.yaml``."""
    text = (FOLDER / FILES[choices.template]).read_text(encoding="utf-8")
    for old, new in _changes(choices, found):
        text = text.replace(old, new, 1)
    return text


def _changes(choices: Choices, found: Found) -> Iterator[tuple[str, str]]:
    """What stands in the templates, and what stands there instead. What a template does not have stays away."""
    yield "APPLICATION", choices.application
    yield "  source: . ", f"  source: {choices.source} "
    if choices.tests:
        yield "  # tests: python -m pytest       #", f"  tests: {choices.tests}   #"
    if found.repository and found.hub == "github":
        yield "repository: owner/name", f"repository: {found.repository}"
    if found.branch:
        yield '[main, "release/*"]', f'[{found.branch}, "release/*"]'
    if choices.template == "embedded":
        yield from _embedded(choices, found)


def _embedded(choices: Choices, found: Found) -> Iterator[tuple[str, str]]:
    yield "listen: 127.0.0.1:8080", f"listen: {choices.listen}"
    yield '"{python} -m gunicorn --bind {host}:{port} app:application"', _quoted(choices.start)
    if choices.health != "/health":
        yield "{name: health, path: /health, status: 200", f"{{name: health, path: {choices.health}, status: 200"
        yield "health: /health  ", f"health: {choices.health}  "
        yield "warm_up: {paths: [/]", f"warm_up: {{paths: [{choices.health}]"
        yield "rps: 20, paths: [/]", f"rps: 20, paths: [{choices.health}]"
    if variables := _variables(found):
        lines = "".join(f"\n          {name}: {_quoted(value)}" for name, value in variables.items())
        yield (
            "environment: {}           # variables of the application; no secrets",
            (f"environment:              # variables of the application; no secrets{lines}"),
        )
    if (django := found.django) and django.database in ("file", "url"):
        place = f".deploy/development/shared/{_FILE}"
        yield (
            "# database: {kind: sqlite, path: db.sqlite3, keep: 14, preset: django}",
            (f"database: {{kind: sqlite, path: {place}, keep: 14, preset: django}}"),
        )
    elif found.alembic:
        yield "keep: 14, preset: django}", "keep: 14, preset: alembic}"


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


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
