"""Draws a deployment at a terminal, and listens to its keys: ``keyboard.py END``, for tests at a pseudo-terminal.

What is asked goes to the file named in ``ORDERS``, one line each. ``wait``: for a signal, or for the word ``end`` in
that file; ``raise``: until a key was pressed, then fail; ``prompt``: then close the screen and read a line.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from view.story import Story, until

from deploytasks import interrupt, view

ORDERS = Path(os.environ["ORDERS"])


def ask(verb: str, reason: str) -> None:
    """Write it down."""
    with ORDERS.open("a") as file:
        file.write(f"{verb}|{reason}\n")


def asked(word: str) -> None:
    """Wait until the file has a word."""
    end = time.monotonic() + 30
    while time.monotonic() < end and not (ORDERS.exists() and word in ORDERS.read_text()):
        time.sleep(0.02)


def main(end: str) -> None:
    """Tell the first half of it, and listen."""
    listener = view.progress()
    for event in until(Story().tell(), "reading", 12):
        listener.tell(event)
    listener.take_orders(ask)  # type: ignore[attr-defined]  # this listener has it
    if end == "raise":
        asked("pause")
        raise RuntimeError("boom")
    if end == "prompt":
        asked("pause")
        sys.stdout.write(f"typed: {view.prompt('really? ')}\n")
        return
    if end == "caught":
        with suppress(KeyboardInterrupt), interrupt.caught():
            asked("end")
        sys.stdout.write("taken back\n")
        return
    asked("end")


if __name__ == "__main__":
    main(sys.argv[1])
