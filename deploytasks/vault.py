"""Where the values of secrets come from: the environment of this process, then the source that is configured.

A value is asked for when it is needed, once per process, and kept in memory alone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from . import redaction
from .errors import DeployError

if TYPE_CHECKING:
    from .ports import Secrets

_AGAIN = 15.0
"""Seconds until a source that failed, or did not have something, is asked for it again."""


class Vault:
    """Secrets by the names of their variables. ``opened`` opens the source, when it is first needed; it may raise, as
    the source may, which concerns those alone who need a secret of it. ``None``: there is no source."""

    def __init__(self, opened: Callable[[], Secrets | None] | None = None) -> None:
        self._opened = opened
        self._source: Secrets | None = None
        self._known: dict[str, str] = {}
        self._failed: dict[str, tuple[float, DeployError | None]] = {}
        self._lock = threading.Lock()

    @property
    def has_source(self) -> bool:
        """Whether more than the environment of this process is looked at."""
        return self._opened is not None

    def get(self, name: str) -> str | None:
        """The value of a secret. A variable that is empty counts as none where there is a source.

        Raises what the source has to say about it: ``Unreachable`` or ``UsageError``, with its name and no value.
        """
        return self.learn((name,)).get(name, os.environ.get(name))

    def learn(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of those that are anywhere, asked for together. Raises as ``get`` does, with all that is wrong."""
        here = {name: value for name in names if (value := os.environ.get(name))}
        if self._opened is None:
            return here
        rest = [name for name in dict.fromkeys(names) if name not in here]
        with self._lock:
            self._ask([name for name in rest if name not in self._known and not self._is_fresh(name)])
            wrong = [error for name in rest if (error := self._failed.get(name, (0.0, None))[1]) is not None]
        if wrong:
            raise _one(wrong)
        return {**here, **{name: self._known[name] for name in rest if name in self._known}}

    def unset(self, name: str) -> str:
        """For people: that a secret is nowhere, and where it would be."""
        text = f"the environment variable {name} is not set"
        if self._opened is None:
            return text
        place = self._source.place(name) if self._source is not None else ""
        return f"{text}, and {f'{place} is not there' if place else '`secrets` names none for it'}"

    def _is_fresh(self, name: str) -> bool:
        return name in self._failed and time.monotonic() - self._failed[name][0] < _AGAIN

    def _ask(self, names: Sequence[str]) -> None:
        if not names:
            return
        found: Mapping[str, str | DeployError]
        try:
            source = self._open()
            found = source.get(names) if source is not None else {}
        except DeployError as error:
            found = dict.fromkeys(names, error)
        for name in names:
            value = found.get(name)
            if isinstance(value, str):
                redaction.hide(value)
                self._known[name] = value
                self._failed.pop(name, None)
            else:
                self._failed[name] = time.monotonic(), value

    def _open(self) -> Secrets | None:
        if self._source is None and self._opened is not None:
            self._source = self._opened()
        return self._source


HERE = Vault()
"""The environment of this process, and nothing else."""


def _one(errors: Sequence[DeployError]) -> DeployError:
    """One error of several: the first one's class, and what all of them say."""
    each = list(dict.fromkeys(error.what for error in errors))
    first = errors[0]
    return first if len(each) == 1 else type(first)("; ".join(each), state=first.state, do=first.do)
