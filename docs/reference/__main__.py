"""Lay the pages of the site out in a folder, which is emptied first; code 1 when the navigation does not fit them."""

from __future__ import annotations

import sys
from pathlib import Path

from .navigation import mistakes
from .staging import ROOT, lay_out


def main(to: Path) -> int:
    """Lay out, and look at the navigation."""
    pages = [page.relative_to(to).as_posix() for page in lay_out(to)]
    found = mistakes((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), pages)
    sys.stderr.writelines(f"{one}\n" for one in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
