"""Lay the pages of the site out in a folder, which is emptied first."""

from __future__ import annotations

import sys
from pathlib import Path

from .staging import lay_out

lay_out(Path(sys.argv[1]))
