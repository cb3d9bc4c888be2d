"""What a Django project needs to be served and migrated, read from its source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from .pages import health_page, pages_in
from .reading import read

_SQLITE_IN_TREE = re.compile(r"""ENGINE["']\s*:\s*["']django\.db\.backends\.sqlite3["']""")
_POSTGRES = re.compile(r"""["']django\.db\.backends\.postgresql""")
_VARIABLE = re.compile(r"""["'](\w*DATABASE_URL)["']""")


class Django(NamedTuple):
    """A project, as its source has it."""

    settings: str
    """The module of its settings."""
    wsgi: str
    """What gunicorn serves: ``shop.wsgi:application``."""
    health: str
    """A page that answers 200 without a log-in; ``/`` when none is known to."""
    database: str
    """``file``: SQLite beside the code; ``url``: by a variable; ``postgres``; empty: unknown."""
    variable: str = ""
    """The variable that has the address of the database."""


def django_in(folder: Path) -> Django | None:
    """The project of the ``manage.py`` in a folder."""
    settings = re.search(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""", read(folder / "manage.py"))
    if settings is None:
        return None
    module = settings[1]
    package = module.partition(".")[0]
    text = _settings_text(folder, module)
    application = re.search(r"""WSGI_APPLICATION\s*=\s*["']([\w.]+)["']""", text)
    wsgi = application[1].rpartition(".") if application else (f"{package}.wsgi", ".", "application")
    urls = re.search(r"""ROOT_URLCONF\s*=\s*["']([\w.]+)["']""", text)
    pages = pages_in(lambda name: read(_file(folder, name)), urls[1] if urls else f"{package}.urls")
    own = _database(_without_comments(read(_file(folder, module))))
    database = own if own[0] else _database(text)
    return Django(module, f"{wsgi[0]}:{wsgi[2]}", health_page(pages), *database)


def _database(text: str) -> tuple[str, str]:
    """Where the data is, and the variable that says so."""
    if variable := _VARIABLE.search(text):
        return "url", variable[1]
    if "dj_database_url" in text or "env.db(" in text:
        return "url", "DATABASE_URL"
    if _POSTGRES.search(text):
        return "postgres", ""
    return ("file", "") if _SQLITE_IN_TREE.search(text) else ("", "")


def _settings_text(folder: Path, module: str) -> str:
    """The settings; of a package all of its modules, for one of them says it."""
    file = _file(folder, module)
    if file.is_file():
        around = file.parent.glob("*.py") if file.parent.name == "settings" else (file,)
        return "\n".join(_without_comments(read(each)) for each in sorted(around))
    package = folder.joinpath(*module.split("."))
    return "\n".join(_without_comments(read(each)) for each in sorted(package.glob("*.py")))


def _without_comments(text: str) -> str:
    return re.sub(r"^\s*#.*", "", text, flags=re.MULTILINE)


def _file(folder: Path, module: str) -> Path:
    return folder.joinpath(*module.split(".")).with_suffix(".py")
