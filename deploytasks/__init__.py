"""Composable Invoke tasks that deploy a web application safely, and take it back when it was not safe.

``from deploytasks import namespace`` in a repository's ``tasks.py`` is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tasks import namespace

    __version__: str

__all__ = ["__version__", "namespace"]


def __getattr__(name: str) -> object:
    """``namespace`` and ``__version__``, each looked up on first use.

    A provider or a test that imports one module of ours does not pay for the tasks, and ``inv --list``
    does not pay for reading the installed metadata.
    """
    if name == "namespace":
        from .tasks import namespace

        return namespace
    if name == "__version__":
        from importlib.metadata import version

        return version("deploytasks")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
