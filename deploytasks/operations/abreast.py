"""Looks at one environment or at all of them, once or again and again, and shows what is found."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .. import view
from ..errors import DeployError, Interrupted, UsageError
from ..settings import plain
from .looking import CONNECT_WITHIN, NEED
from .opening import open_world
from .questions import PATIENCE
from .status import Answer, Looked

if TYPE_CHECKING:
    from invoke import Context

    from ..view.standing import Showing

BEAT = 2.0
"""Seconds between two looks."""
_AT_ONCE = 8
"""Environments that are asked at the same time."""


class Dark:
    """An environment that cannot be opened: its configuration is wrong, say."""

    def __init__(self, name: str, error: DeployError) -> None:
        self._answer = {"environment": name, "unreadable": error.what}
        self.error = error
        self.is_unsure = False

    def ask(self, *, everything: bool = False) -> None:
        """There is nobody to be asked."""

    def answer(self, patience: float | None = None) -> Answer:
        """Why it cannot be opened."""
        return dict(self._answer)


Several = Mapping[str, Looked | Dark]


def status(c: Context, env: str | None, *, watch: bool, json: bool) -> None:
    """One environment; without ``env`` all of them, side by side. ``watch``: until Ctrl-C, which is no failure."""
    names = [env] if env else _names(c)
    several: Several = {name: _opened(c, name) for name in names}
    errors = [one.error for one in several.values() if isinstance(one, Dark)]
    if len(errors) == len(several):
        raise errors[0]
    is_one = env is not None or (len(names) == 1 and not json)
    if watch:
        again(several, view.statuses(json=json), _beats(), is_one=is_one)
    else:
        kind, found = _together(several, PATIENCE, is_one=is_one, is_once=True)
        view.show(kind, found, json)


def _names(c: Context) -> Sequence[str]:
    environments = plain(c.config.get("deploy", {})).get("environments")
    if not isinstance(environments, Mapping) or not environments:
        raise UsageError(
            "deploy.environments: no environment is configured",
            do="`python -m deploytasks init` writes an invoke.yaml with a `development` environment",
        )
    return list(environments)


def _opened(c: Context, name: str) -> Looked | Dark:
    try:
        return Looked(open_world(c, name, need=NEED, connect_within=CONNECT_WITHIN))
    except DeployError as error:
        return Dark(name, error)


def _together(several: Several, patience: float, *, is_one: bool, is_once: bool = False) -> tuple[str, Answer]:
    """The kind of the answer, and the answer."""
    found = look(several, patience)
    unsure = {name: one for name, one in several.items() if is_once and one.is_unsure}
    found |= look(unsure, patience, everything=True)
    if is_one:
        return "status", next(iter(found.values()))
    known = (each["application"] for each in found.values() if "application" in each)
    return "abreast", {"application": next(known, None), "environments": found}


def look(several: Several, patience: float, *, everything: bool = False) -> dict[str, Answer]:
    """What each is like: some at once, those together for no longer than ``patience`` seconds."""
    found: dict[str, Answer] = {}
    names = list(several)
    for at in range(0, len(names), _AT_ONCE):
        group = {name: several[name] for name in names[at : at + _AT_ONCE]}
        for one in group.values():
            one.ask(everything=everything)
        until = time.monotonic() + patience
        found |= {name: one.answer(max(0.0, until - time.monotonic())) for name, one in group.items()}
    return found


def again(several: Several, showing: Showing, beats: Iterable[float], *, is_one: bool) -> None:
    """Show it with every beat, whose number is how long what is asked may take, until Ctrl-C."""
    try:
        for patience in beats:
            showing.show(*_together(several, patience, is_one=is_one))
    except Interrupted as error:
        if error.exit_code != _CTRL_C:
            raise
    finally:
        showing.close()


_CTRL_C = 130


def _beats() -> Iterator[float]:
    """The first look may take its time where nobody sees it grow; then one every ``BEAT`` seconds."""
    yield BEAT if view.is_picture() else PATIENCE
    while True:
        began = time.monotonic()
        yield BEAT / 2
        time.sleep(max(0.0, BEAT - (time.monotonic() - began)))
