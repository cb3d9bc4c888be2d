"""What is read afterwards: the report of one deployment, and how well software is delivered."""

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


@task(
    help=words(
        "json",
        env="Which environment; default: the protected one, or the only one.",
        since="From when on: 90d, 12w, 36h, a date or an instant (UTC where it has no offset); default: 90d.",
        until="Up to then: as --since; of a date, all of it. Default: now.",
        html="Write the same as a page with charts to this file or folder. Default: no page.",
    )
)
def metrics(
    c: Context, env: Any = None, since: Any = None, until: Any = None, html: Any = None, json: bool = False
) -> None:
    """Measure delivery as DORA does: how often, how long, how much fails, how soon it is mended; with definitions."""
    from ..operations import measuring

    measuring.metrics(c, env, since=since, until=until, html=html, json=json)
