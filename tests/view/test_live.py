"""The live view on real and made-up terminals: it draws, it gives the terminal back, and nobody waits for it."""

from __future__ import annotations

import fcntl
import io
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from view.story import Story, until

from deploytasks.view import live as live_module, printing, telling
from deploytasks.view.live import Live

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"
ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
COLOR = re.compile(r"\x1b\[[0-9;]*3[0-7]")
EVENTS = Story().tell()


@pytest.fixture(autouse=True)
def no_screen() -> Iterator[None]:
    """Whatever a test leaves is closed."""
    yield
    printing.close_screen()


def wait_for(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Until it holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def terminal(file: io.StringIO, width: int = 80, height: int = 24) -> Console:
    """A console that takes the file for a terminal."""
    return Console(
        file=file, force_terminal=True, width=width, height=height, color_system="standard", legacy_windows=False
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_it_draws_and_leaves(width: int, height: int) -> None:
    """It shows the rollout, prints what is said, leaves the final state, and the cursor is back."""
    file = io.StringIO()
    live = Live(terminal(file, width, height), now=lambda: EVENTS[-1].at)
    assert live.fits
    live.start()
    for event in until(EVENTS, "reading", 12):
        live.tell(event)
    live.say("a word in between")
    wait_for(lambda: "stage 2 of 3, 50 %" in file.getvalue() and "a word in between" in file.getvalue())
    for event in EVENTS:
        live.tell(event)
    live.close()
    left = file.getvalue()
    assert not live.is_broken
    assert "deploy 1.2.3 → green: done" in ANSI.sub("", left)
    assert "traffic: blue 0 % / green 100 %" in left
    assert left.rindex(SHOW) > left.rindex(HIDE)


def test_words_cannot_move_the_cursor() -> None:
    """What is said is printed without its control characters."""
    file = io.StringIO()
    live = Live(terminal(file))
    live.start()
    live.say("nasty \x1b[2J word")
    live.close()
    assert "nasty [2J word" in file.getvalue()


def test_nothing_is_drawn_between_ctrl_z_and_the_return() -> None:
    """A tick of the clock that is due just then would write parts of a picture that is no longer there."""
    file = io.StringIO()
    live = Live(terminal(file), now=iter([EVENTS[-1].at, EVENTS[-2].at, EVENTS[-1].at]).__next__)
    for event in until(EVENTS, "reading", 12):
        live.tell(event)
    live._draw()
    live._go_away()
    at = file.tell()
    live._draw()
    assert "" == file.getvalue()[at:]
    live._return(True)
    live._draw()
    assert 23 == len(file.getvalue()[at:].split("\r\n"))


def test_not_on_a_small_terminal() -> None:
    """Where it would not fit, it does not begin."""
    assert not Live(terminal(io.StringIO(), 60, 24)).fits
    assert not Live(terminal(io.StringIO(), 80, 10)).fits


def test_garbage_is_survived() -> None:
    """Events that make no sense neither raise nor stop the picture."""
    file = io.StringIO()
    live = Live(terminal(file))
    live.start()
    for event in EVENTS[:20]:
        live.tell(event._replace(facts={"plan": 3, "step": [], "reading": {"totals": 7}, "outlook": {"users": [1]}}))
    live.say("still here")
    live.close()
    assert not live.is_broken
    assert "still here" in file.getvalue()


class Stuck(io.StringIO):
    """A terminal that was stopped with Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.is_asked = threading.Event()

    def write(self, text: str) -> int:
        self.is_asked.set()
        self.go_on.wait(20)
        return super().write(text)


def test_a_stuck_terminal_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither telling, nor saying, nor the end waits for a terminal that takes nothing."""
    monkeypatch.setattr(live_module, "_PATIENCE", 0.2)
    file = Stuck()
    live = Live(terminal(file))
    live.start()
    assert file.is_asked.wait(10)
    began = time.monotonic()
    for event in EVENTS:
        live.tell(event)
    live.say("hello")
    live.close()
    assert time.monotonic() - began < 2
    file.go_on.set()
    live._thread.join(10)


class Gone(io.StringIO):
    """A terminal whose window was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_lines_when_drawing_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """When the terminal cannot be drawn on, the log takes over, and knows the beginning."""
    live = Live(terminal(Gone()))

    def drawn() -> Live:
        live.start()
        return live

    monkeypatch.setattr(telling, "_drawn", drawn)
    listener = telling.Telling()
    listener.tell(EVENTS[0])
    wait_for(lambda: live.is_broken)
    for event in EVENTS[1:]:
        listener.tell(event)
    err = capsys.readouterr().err
    assert "10:15:00  step began: prepare the balancer" in err
    assert "10:16:00  10 %: green 60 req" in err  # the new color first: it was told with the plan
    assert "10:19:49  ended: done" in err


@pytest.mark.parametrize(
    ("change", "draws"),
    [({}, True), ({"CI": "true"}, False), ({"CI": "0"}, True), ({"TERM": "dumb"}, False), ({"TERM": ""}, False)],
)
def test_who_gets_a_picture(monkeypatch: pytest.MonkeyPatch, change: dict[str, str], draws: bool) -> None:
    """A person's own terminal does; a CI job, or a terminal that cannot, gets lines."""

    class Screen(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    for name, value in {"CI": "", "TERM": "xterm", **change}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setattr(sys, "stdout", Screen())
    assert draws == printing.can_draw()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not printing.can_draw()


# -- at a real pseudo-terminal ------------------------------------------------------


class Session:
    """``replay.py`` at a terminal of its own."""

    def __init__(self, end: str, **environment: str) -> None:
        here = Path(__file__).parent
        known = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        path = os.pathsep.join([str(here.parent), str(here.parents[1])])
        settings = {**known, "TERM": "xterm-256color", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **environment}
        self.master, inner = os.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        command = [sys.executable, str(here / "replay.py"), end]
        self.process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=settings, start_new_session=True
        )
        os.close(inner)
        self.text = ""

    def read(self, until: str = "") -> str:
        """All that is written, or as far as ``until``."""
        while not (until and until in self.text):
            try:
                found = os.read(self.master, 65536)
            except OSError:  # the other end is closed
                break
            if not found:
                break
            self.text += found.decode("utf-8", "replace")
        return self.text

    def end(self) -> int:
        """Wait for its end."""
        self.read()
        os.close(self.master)
        return self.process.wait(20)


def test_a_whole_deployment_at_a_terminal() -> None:
    """Drawn while it runs; afterwards the summary is the last line, and the cursor is there."""
    session = Session("end")
    assert 0 == session.end()
    text = session.text
    assert HIDE in text
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert COLOR.search(text)
    last = [line for line in ANSI.sub("", text).splitlines() if line.strip()][-1]
    assert last.startswith("deployed: library 1.2.3 to development in 1 min 12 s; back: inv rollback --env development")


def test_no_color_at_a_terminal() -> None:
    """``NO_COLOR`` is respected by the picture and by the last lines."""
    session = Session("end", NO_COLOR="1")
    assert 0 == session.end()
    assert HIDE in session.text
    assert not COLOR.search(session.text)


def test_lines_in_a_terminal_of_ci() -> None:
    """A CI job with a pseudo-terminal gets the log."""
    session = Session("end", CI="true")
    assert 0 == session.end()
    assert HIDE not in session.text
    assert "10:16:45  shifted: blue 50 % / green 50 %" in session.text


def test_an_exception_gives_the_terminal_back() -> None:
    """Whoever fails in the middle leaves a terminal with a cursor, the traceback, and the last picture."""
    session = Session("raise")
    assert 1 == session.end()
    assert "RuntimeError: boom" in session.text
    assert session.text.rindex(SHOW) > session.text.rindex(HIDE)


def test_ctrl_c_gives_the_terminal_back() -> None:
    """So does Ctrl-C."""
    session = Session("wait")
    session.read("now waiting")
    session.process.send_signal(signal.SIGINT)
    assert 0 != session.end()
    assert session.text.rindex(SHOW) > session.text.rindex(HIDE)
