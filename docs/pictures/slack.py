"""The messages in docs/images/slack-messages.json as pictures beside it: `inv dev.pictures`.

Each entry has a ``name`` (slack-NAME.png), what it ``shows`` in words, and ``messages`` as the lab's Slack keeps them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from browser import picture
from page import WIDTH, page

IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(given: Sequence[str] | None = None) -> None:
    """Make all of them, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--album", type=Path, default=IMAGES / "slack-messages.json")
    parser.add_argument("--to", type=Path, default=IMAGES)
    parser.add_argument("names", nargs="*")
    said = parser.parse_args(given)
    for entry in json.loads(said.album.read_text(encoding="utf-8")):
        if not said.names or entry["name"] in said.names:
            to = said.to / f"slack-{entry['name']}.png"
            picture(page(entry["messages"]), WIDTH, to)
            print(f"{to.name}: {to.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
