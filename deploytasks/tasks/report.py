"""The report of one deployment."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .options import Task, task, words

if TYPE_CHECKING:
    from invoke import Context
    from invoke.parser.argument import Argument

_SWITCHES = ("--json", "--open", "--text")
"""What no value follows."""


class _Report(Task):
    """A task whose one argument may come without its name, or not at all. Invoke knows only those that must come; so
    the argument is one of them when the command line has it."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        found = super().get_arguments(ignore_unknown_help)
        for each in found:
            if each.name == "deployment":
                each.positional = is_named(sys.argv, self.name)
        return found


def is_named(line: Sequence[str], task: str) -> bool:
    """Whether a deployment or a version follows a task without the name of an option: both begin with a digit, as no
    task does."""
    after = line[line.index(task) :] if task in line else ()
    return any(
        re.match(r"\d", token) and (not before.startswith("-") or before in _SWITCHES)
        for before, token in pairwise(after)
    )


@partial(task, klass=_Report)(
    help=words(
        "env",
        "json",
        deployment="Which one: its name, the beginning or end of it, or a version; default: the last.",
        out="The page goes to this file or folder instead; default: reports in the environment's state folder.",
        open="Then open the page in a browser.",
        text="Text alone: no page is written, unless --out or --open asks for it.",
    )
)
def report(
    c: Context,
    deployment: Any = None,
    env: Any = None,
    out: Any = None,
    open_: bool = False,
    text: bool = False,
    json: bool = False,
) -> None:
    """Tell everything that the ledger knows about one deployment: as text, and as a page with charts."""
    from ..operations import reporting

    reporting.tell(c, env, deployment, out=out, open_=open_, text_only=text, json=json)
