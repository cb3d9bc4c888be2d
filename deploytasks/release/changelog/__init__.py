"""Changelogs (https://keepachangelog.com): a release made in one without losing a byte, and the notes of a version."""

from __future__ import annotations

from .notes import notes
from .promoting import Promotion, promote
from .reading import categories
from .refused import ChangelogRefused
from .rendering import rendered

__all__ = ["ChangelogRefused", "Promotion", "categories", "notes", "promote", "rendered"]
