"""A balancer that is a JSON file, so that a watchdog's process can be tested without a real one.

``install`` puts it into the tables of kinds: in the test by itself, in the child processes by a ``sitecustomize``.
While a file ``down`` lies beside it, it does not answer; while a file ``locked`` does, it refuses to compare.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from deploytasks.errors import SplitMoved, Unreachable
from deploytasks.ports import Call, Split
from deploytasks.settings.base import Value


class FileBalancerSettings(Value):
    """``kind: file_balancer``."""

    kind: Literal["file_balancer"] = "file_balancer"
    path: str


class FileBalancer:
    """The part of ``Traffic`` that a watchdog uses."""

    def __init__(self, settings: FileBalancerSettings, site: Any) -> None:
        self._file = site.path(settings.path)

    def read(self) -> Split:
        if self._file.with_name("down").exists():
            raise Unreachable("the balancer does not answer")
        return Split(*json.loads(self._file.read_text()))

    def shift(self, to: Split, expect: Split | None = None) -> Call:
        return Call(to.weights(), lambda _: self._write(to, expect))

    def _write(self, to: Split, expect: Split | None) -> None:
        if expect is not None:
            self._compare(expect)
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps(list(to)))
        aside.replace(self._file)

    def _compare(self, expect: Split) -> None:
        if self._file.with_name("locked").exists():
            raise Unreachable("another process is writing to the balancer")
        if self.read() != expect:
            raise SplitMoved("traffic was moved")


def install(put: Callable[[dict[str, str], str, str], None] = dict.__setitem__) -> None:
    """Make the kind known to this process."""
    from deploytasks import providers
    from deploytasks.settings import kinds

    sys.modules["deploytasks.settings.file_balancer"] = sys.modules[__name__]
    put(kinds.KINDS["traffic"], "file_balancer", "file_balancer:FileBalancerSettings")
    put(providers.KINDS["traffic"], "file_balancer", f"{__name__}:FileBalancer")


def sitecustomize(folder: Path) -> str:
    """What a child process runs at its start to know the kind as well."""
    return f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport file_balancer\nfile_balancer.install()\n"
