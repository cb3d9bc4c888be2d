"""Text that nobody's log takes for a command. Pure.

GitHub's runner obeys a line that begins with ``::command::`` after any blanks, and one with ``##[command]`` anywhere in
it (actions/runner, ``ActionCommand.cs``); a carriage return ends a line, too. GitLab's page folds what stands between
``section_start:…`` and ``section_end:…``. A verdict, a changelog or the words of a server may hold any of these.
"""

from __future__ import annotations

import re

from . import Kind

_COMMAND = re.compile(r"(?:(?<=[\r\n])|\A)([^\S\r\n]*):(?=:)")
_OLD_COMMAND = re.compile(r"##(?=\[)")
_SECTION = re.compile(r"(section_(?:start|end))(?=:)")


def harmless(text: str, kind: Kind | None) -> str:
    """The same for people, with a blank where it would be obeyed: ``: :error::``, ``## [error]``."""
    if kind == "github":
        return _OLD_COMMAND.sub("## ", _COMMAND.sub(r"\1: ", text))
    return _SECTION.sub(r"\1 ", text) if kind == "gitlab" else text


def harmless_json(text: str, kind: Kind | None) -> str:
    """JSON on one line means the same afterwards, too: what would be obeyed can only stand in its strings."""
    if kind == "github":
        return _OLD_COMMAND.sub("#\\\\u0023", text)
    return text.replace("section_start:", "section_start\\u003a").replace("section_end:", "section_end\\u003a")
