"""Frozen value objects of an application and its environments; all mistakes reported, with their paths.

``load`` is the way in; nothing is imported for sections that a task does not need.
"""

from __future__ import annotations

from .loading import Settings, load, plain

__all__ = ["Settings", "load", "plain"]
