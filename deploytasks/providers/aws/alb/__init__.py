"""Elastic Load Balancing: an Application Load Balancer that is there already, and its maintenance page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .maintenance import Maintenance
    from .traffic import Traffic

__all__ = ["Maintenance", "Traffic"]


def __getattr__(name: str) -> object:
    """A provider, imported on first use: a rollback reads and writes the split, and does not wait for the rest."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f".{name.lower()}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
