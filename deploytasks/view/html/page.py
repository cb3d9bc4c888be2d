"""A template as a page: what people wrote is escaped and cannot turn text around, a secret never shows, and nothing is
fetched, whatever a page says."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ... import redaction
from .. import wording
from . import words

FOLDER = Path(__file__).parent
"""Where the templates are, with the style and the script that every page carries inside."""


def rendered(template: str, **values: object) -> str:
    """The page that a template of this folder makes of these values. Raises ``jinja2.UndefinedError`` for a value that
    the template names and nobody gave."""
    script = _text("base.js")
    page = _templates().get_template(template)
    return page.render(script=Markup(script), policy=Markup(policy(script)), **values)  # noqa: S704 (our own files)


def policy(script: str) -> str:
    """What a page may do (Content-Security-Policy): show itself and run this script; it may ask nobody anything."""
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"style-src 'unsafe-inline'; script-src 'sha256-{known}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    made.filters.update(words.FILTERS)
    return made


def _harmless(value: Any) -> Any:
    """Every text that a template shows: without what could turn it around, and without a secret."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return wording.clean(redaction.clean(value))


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
