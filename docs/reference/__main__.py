"""Build the documentation site, strictly, into build/site."""

from __future__ import annotations

import sys

from .building import build
from .staging import ROOT

sys.exit(build(ROOT))
