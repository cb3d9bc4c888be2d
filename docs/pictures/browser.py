"""A page as a picture, by Chromium; pngquant makes it a quarter of its size, where it is there.

`apt-get install chromium fonts-lato fonts-noto-color-emoji pngquant`
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing is fetched, whatever a page says
    "--disable-lcd-text",
)
SCALE = 2
"""Pixels for each of the page's."""
_TALL = (
    "<script>document.documentElement.dataset.tall = Math.ceil(document.body.getBoundingClientRect().height)</script>"
)


def picture(page: str, width: int, to: Path) -> None:
    """A PNG of a whole page. Raises ``FileNotFoundError`` without a browser, ``CalledProcessError``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "page.html"
        file.write_text(page.replace("</body>", f"{_TALL}</body>"), encoding="utf-8")
        found = re.search(r'data-tall="([0-9]+)"', _run(folder, file, f"--window-size={width},400", "--dump-dom"))
        if found is None:
            raise RuntimeError("Chromium did not say how tall the page is")
        size = f"--window-size={width},{found[1]}"
        _run(folder, file, size, f"--force-device-scale-factor={SCALE}", f"--screenshot={to.resolve()}")
    shrunk(to)


def shrunk(picture: Path, colors: int = 20) -> None:
    """A page needs few colors: a quarter of its size."""
    if (program := shutil.which("pngquant")) is not None:
        command = [program, "--force", "--strip", "--nofs", "--output", picture, str(colors), picture]
        subprocess.run(command, check=True, timeout=60)


def browser() -> str | None:
    """Where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _run(folder: Path, file: Path, *more: str) -> str:
    program = browser()
    if program is None:
        raise FileNotFoundError("no Chromium: apt-get install chromium fonts-lato fonts-noto-color-emoji")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [program, *FLAGS, *root, f"--user-data-dir={folder / 'profile'}", *more, file.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return done.stdout.decode(errors="replace")
