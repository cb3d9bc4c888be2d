"""The site itself: laid out, built, and made to stand alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .navigation import mistakes
from .staging import lay_out

CONFIGURATION = "mkdocs.yml"
ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
"""What a site that works from a folder would fetch. Ours brings its own, of a few lines: worker.js."""
OURS = "reference/worker.js"


def build(at: Path) -> int:
    """Build build/site below ``at``, where mkdocs.yml is; 0, or 1 when anything is wrong with a page."""
    pages = at / "build/pages"
    there = [page.relative_to(pages).as_posix() for page in lay_out(pages)]
    if wrong := mistakes((at / CONFIGURATION).read_text(encoding="utf-8"), there):
        sys.stderr.writelines(f"{one}\n" for one in wrong)
        return 1
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=at, check=False).returncode:
        return 1
    stand_alone(at / "build/site")
    return 0


def stand_alone(site: Path) -> None:
    """Have every page load our own script in the place of the one from elsewhere."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        near = os.path.relpath(site / OURS, page.parent)
        page.write_text(text.replace(ELSEWHERE, near), encoding="utf-8")
