"""The live view, as docs/images/live-*.png: `inv dev.pictures` draws the screens in live-screens.json anew.

`python docs/pictures/live.py --record` makes those screens: it deploys the sample application for real, behind an
Envoy, under load, in a terminal of tmux, and keeps what that showed at its moments. Takes two minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from browser import picture
from screen import page, plain, width
from stage import ROOT, Project, Terminal, users

IMAGES = Path(__file__).resolve().parent.parent / "images"
COLUMNS, LINES = 110, 40
RATE = 80.0
"""Requests of users per second."""
TIMES = {"stages": [10, 25, 50, 100], "watch": "15s", "bake": "10s", "baseline": "6s"}
Entry = dict[str, Any]


def main(given: Sequence[str] | None = None) -> None:
    """Record if asked to, then draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--album", type=Path, default=IMAGES / "live-screens.json")
    parser.add_argument("--to", type=Path, default=IMAGES)
    said = parser.parse_args(given)
    album: list[Entry] = record() if said.record else json.loads(said.album.read_text(encoding="utf-8"))
    for entry in album:
        for theme in entry["themes"]:
            to = said.to / f"live-{entry['name']}-{theme}.png"
            picture(page(entry["screen"], entry["columns"], theme), width(entry["columns"]), to)
            print(f"{to.name}: {to.stat().st_size / 1000:.0f} kB")
        entry["drawn"] = digest(entry["screen"])
    said.album.write_text(json.dumps(album, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def digest(screen: Sequence[str]) -> str:
    """By which a picture is known to be of this screen."""
    return hashlib.sha256("\n".join(screen).encode()).hexdigest()[:16]


def record() -> list[Entry]:
    """Deploy three releases, the last of which is bad; raises ``TimeoutError`` when something is not seen."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name) / "library"
        folder.mkdir()
        project = Project(folder, **TIMES)
        known = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "DEPLOY_WHO": "ann@laptop", "PS1": "$ "}
        terminal = Terminal(folder, COLUMNS, LINES, **known)
        try:
            project.inv("deploy")
            with users(project.port, RATE):
                return [*_good(project, terminal), *_bad(project, terminal)]
        except TimeoutError as error:
            sys.exit(str(error))
        finally:
            terminal.close()
            project.inv("down")


def _good(project: Project, terminal: Terminal) -> Iterator[Entry]:
    """A release that is fine, paused on its way."""
    project.release({}, "1.5.0")
    terminal.type("clear; inv deploy --env development", enter=True)
    yield _entry(
        "shifting",
        "A rollout at 25 %: the plan with ticks and times, the split as two bars, what both colors met, how far errors"
        " and P99 are from their limits, and what is waited for.",
        terminal.until(lambda seen: re.search(r" stage 2 of 4, 25 % .* [3-6] s left", seen), 120),
    )
    terminal.until(lambda seen: re.search(r" stage 3 of 4, 50 % .* ([4-9]|1[0-2]) s left", seen), 60)
    terminal.type("p")
    yield _entry(
        "paused",
        "The same rollout, paused at 50 % by a key: by whom, that it is still watched, and when it goes home.",
        terminal.until(lambda seen: " PAUSED " in seen and "asked" not in seen.splitlines()[-3], 20),
        "light",
    )
    terminal.type("c")
    terminal.until(lambda seen: "deployed: library 1.5.0" in seen, 120)


def _bad(project: Project, terminal: Terminal) -> Iterator[Entry]:
    """A release that fails a few requests, from a while after its start on."""
    project.release({"errors": {"share": 0.06, "after": 25}}, "1.5.1")
    terminal.type("clear; inv deploy --env development", enter=True)
    yield _entry(
        "evidence",
        "A bad release: errors are past the mark, and the bar of evidence fills toward rolling back.",
        terminal.until(_is_suspected, 150),
    )
    yield _entry(
        "taken-back",
        "The end of it: what was undone, why, and where traffic is.",
        terminal.until(lambda seen: "exit code 4" in seen, 60),
    )


def _is_suspected(seen: str) -> bool:
    """Well on the way, and not there yet."""
    found = re.search(r"evidence [█─]+ +([0-9]+) %", seen)
    if "exit code" in seen:
        raise TimeoutError(f"it was over before the evidence was seen: try again:\n{seen}")
    return found is not None and 45 <= int(found[1]) <= 99


def _entry(name: str, shows: str, seen: str, *themes: str) -> Entry:
    lines = seen.rstrip("\n").split("\n")
    first = max((at for at, line in enumerate(plain(lines)) if line.startswith("library deploy ")), default=0)
    return {"name": name, "shows": shows, "themes": ["dark", *themes], "columns": COLUMNS, "screen": lines[first:]}


if __name__ == "__main__":
    main()
