"""What the live view costs, and whether it delays a poll: a rollout at a real terminal, at twice the pace of the
fastest sensible poll, with the view, without it, and before a terminal that takes nothing any more.

Each run is a process of its own. It polls on a real clock, tells what it read, and measures by itself how late each
poll was and how much processor time it took.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

BAR_CPU = 0.02
"""Of one core, more than without the view."""
BAR_JITTER = 0.1
"""Seconds that a poll may be late."""
EVERY = 0.5
"""Seconds between two polls."""
SIZES = ((80, 24), (120, 40), (200, 50))


class Measured(NamedTuple):
    """One run: share of a core, and how late polls were (seconds), the worst and the middle one."""

    cpu: float
    worst: float
    usual: float
    drawn: int
    """Bytes that the terminal got."""


def play(seconds: float) -> None:
    """In a process of its own: tell a rollout, and print what that cost as the last line of stdout's file."""
    from view.story import RULES, Story, until

    from deploytasks import view

    events = Story(errors=0.004, rules=replace(RULES, watch=900.0, bake=900.0)).tell()
    beginning = list(until(events, "reading", 1))
    rest = [event for event in events if event.kind in ("reading", "shifting", "shifted")][1:]
    listener = view.progress()
    for event in beginning:
        listener.tell(event)
    time.sleep(1.0)  # what is imported once is imported
    began, spent, late = time.monotonic(), time.process_time(), []
    for count in range(1, round(seconds / EVERY) + 1):
        due = began + count * EVERY
        time.sleep(max(0.0, due - time.monotonic()))
        listener.tell(rest[count % len(rest)])
        late.append(time.monotonic() - due)
    took = time.monotonic() - began
    found = {"cpu": (time.process_time() - spent) / took, "worst": max(late), "usual": statistics.median(late)}
    Path(os.environ["FOUND"]).write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)  # a terminal that takes nothing would keep us


def run(folder: Path, seconds: float, size: tuple[int, int], *, drawn: bool = True, stuck: bool = False) -> Measured:
    """Play at a terminal of this size. ``drawn``: with the live view; ``stuck``: nobody reads what is written."""
    master, inner = os.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    found = folder / "found"
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "COLUMNS", "LINES", "NO_COLOR")}
    known = {**kept, "TERM": "xterm-256color", "FOUND": str(found), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(Path(__file__)), "--play", str(seconds)]
    playing = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, env=known | ({} if drawn else {"CI": "true"}),
        start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    count = 0
    while playing.poll() is None:
        if not stuck and select.select([master], [], [], 0.05)[0]:
            try:
                count += len(os.read(master, 65536))
            except OSError:
                break
        elif stuck:
            time.sleep(0.05)
    playing.wait(20)
    os.close(master)
    return Measured(**json.loads(found.read_text(encoding="utf-8")), drawn=count)


def main() -> int:
    """Run, print, judge."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--quick", action="store_true", help="8 s each, two sizes")
    parser.add_argument("--play", type=float, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play:
        play(asked.play)
    seconds = 8.0 if asked.quick else asked.seconds
    sizes = SIZES[:2] if asked.quick else SIZES
    within = True
    with tempfile.TemporaryDirectory(prefix="live") as name:
        folder = Path(name)
        without = run(folder, seconds, sizes[0], drawn=False)
        print(f"a poll each {EVERY:g} s for {seconds:g} s; bars: {BAR_CPU:.0%} of a core, {1000 * BAR_JITTER:.0f} ms")
        print(_row("lines, no view", without, 0.0))
        runs = [(f"view, {width}x{height}", (width, height), False) for width, height in sizes]
        for title, size, stuck in [*runs, ("view, stuck terminal", sizes[-1], True)]:
            found = run(folder, seconds, size, stuck=stuck)
            more = found.cpu - without.cpu
            print(_row(title, found, more))
            within &= more <= BAR_CPU and found.worst <= BAR_JITTER
    print("met" if within else "missed")
    return 0 if within else 1


def _row(title: str, found: Measured, more: float) -> str:
    late = f"polls late {1000 * found.usual:5.2f} ms, at most {1000 * found.worst:6.2f} ms"
    return (
        f"  {title:22} {found.cpu:6.2%} of a core (+{max(0.0, more):.2%})  {late}  {found.drawn / 1000:8.1f} kB drawn"
    )


if __name__ == "__main__":
    sys.exit(main())
