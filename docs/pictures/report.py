"""The reports of the deployments in docs/images/report-*.json as pictures beside them: `inv dev.pictures`.

Each file is what `inv report --json` said of a real deployment; ``record.py`` made them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import shrunk  # noqa: E402  the path comes first
from lab.browsing import browser, opened  # noqa: E402

from deploytasks.view.html.report import page  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PICTURES: dict[str, tuple[str, str, int, int, str]] = {
    "report-taken-back.png": ("taken-back", "light", 1040, 1500, ""),
    "report-charts.png": ("taken-back", "dark", 1040, 1385, "#charts"),
    "report-phone.png": ("live", "light", 375, 1050, ""),
}
"""Picture → which recording, in which colors, how many pixels wide and high, and from where on."""


def main() -> None:
    """Make all of them."""
    with browser() as chromium:
        for name, of in PICTURES.items():
            made = shot(chromium, *of)
            (IMAGES / name).write_bytes(made)
            shrunk(IMAGES / name, 48)
            print(f"{name}: {(IMAGES / name).stat().st_size / 1000:.0f} kB")


def shot(chromium: Any, recording: str, scheme: str, width: int, height: int, begin: str) -> bytes:
    """A PNG of a part of a report, two pixels for each of the page's."""
    answer = json.loads((IMAGES / f"report-{recording}.json").read_text(encoding="utf-8"))
    file = IMAGES.parent / f".report-{recording}.html"
    file.write_text(page(answer), encoding="utf-8")
    try:
        with opened(chromium, file, width=width, scheme=scheme, device_scale_factor=2) as shown:
            top = shown.page.locator(begin).bounding_box()["y"] if begin else 0
            shown.page.set_viewport_size({"width": width, "height": int(top) + height})
            clip = {"x": 0, "y": top, "width": width, "height": height}
            found: bytes = shown.page.screenshot(clip=clip)
            return found
    finally:
        file.unlink()


if __name__ == "__main__":
    main()
