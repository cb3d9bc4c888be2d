"""Short tours: each drives every operation of AWS that one of our providers can make.

What they ask for is compared with the policies in the documentation: an action that is missing there, or that nothing
asks for, is found.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Tour = Callable[[Path], set[str]]
"""Given an empty folder, brings up what it needs, and returns what was asked for, as ``service:Operation``."""

TOURS: dict[str, Tour] = {}
"""The name of the role or policy in docs/aws that a provider needs → its tours."""
