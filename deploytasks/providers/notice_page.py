"""What visitors see while the site is closed: the page of the project, or a plain one."""

from __future__ import annotations

from html import escape

from ..errors import UsageError
from .site import Site

PLAIN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Down for maintenance</title>
<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}</style></head>
<body><h1>Down for maintenance</h1><p>{message}</p></body></html>
"""


def rendered(page: str | None, site: Site, message: str, retry_after: int) -> str:
    """The file ``page`` (none: a plain page) with the message, escaped, and the seconds in their places.

    Raises ``UsageError`` when it cannot be read.
    """
    template = PLAIN
    if page:
        try:
            template = site.path(page).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UsageError(f"maintenance.page cannot be read: {error}", do="mend maintenance.page") from error
    return template.replace("{retry_after}", str(retry_after)).replace("{message}", escape(message))
