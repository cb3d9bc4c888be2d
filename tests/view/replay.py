"""Tells a deployment to a live view in real time, for tests at a pseudo-terminal: ``replay.py END``.

``end``: conclude as tasks do; ``raise``: fail in the middle; ``wait``: wait in the middle for a signal.
"""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

from view.story import Story, until

from deploytasks import view
from deploytasks.engine.run import Outcome
from deploytasks.ports import Split


def main(end: str) -> None:
    """Tell it."""
    story = Story()
    events = story.tell()
    listener = view.progress()
    view.say("said before")
    for event in until(events, "reading", 12) if end != "end" else events:
        listener.tell(event)
    if end == "raise":
        raise RuntimeError("boom")
    if end == "wait":
        view.say("now waiting")
        threading.Event().wait(20)
    world = SimpleNamespace(
        traffic=SimpleNamespace(read=lambda: Split.all_on("green", "blue", "settled:x")),
        site=SimpleNamespace(application="library", environment="development", who="ann@laptop"),
    )
    view.conclude(world, story.plan, Outcome(0, "done", "", 72.0))  # type: ignore[arg-type]  # what cannot be read says so


if __name__ == "__main__":
    main(sys.argv[1])
