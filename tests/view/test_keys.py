"""Keys at a real pseudo-terminal: what they ask, and that the terminal is given back whatever happens."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

import pytest

HERE = Path(__file__).parent
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Sitting:
    """``keyboard.py`` at a terminal that is its own, as a shell would start it; ``behind``: in the background."""

    def __init__(self, end: str, folder: Path, behind: bool = False) -> None:
        self.orders = folder / "orders"
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            self._become(end, behind)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.master)

    def _become(self, end: str, behind: bool) -> None:
        """In the child: the program itself, or a leader of the session with the program as its only job."""
        path = os.pathsep.join([str(HERE.parent), str(HERE.parents[1])])
        known = {
            name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS", "LINES")
        }
        known |= {"TERM": "xterm-256color", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "ORDERS": str(self.orders)}
        with suppress(BaseException):
            if end == "shell":
                os.execve("/bin/sh", ["sh", "-i"], {**known, "PS1": "$ ", "ENV": ""})
            if behind and (job := os.fork()):
                os.setpgid(job, job)
                os.waitpid(job, os.WUNTRACED)
                os._exit(3)  # stopped, or ended: neither is what a job in the background does here
            if behind:
                os.setpgid(0, 0)
            os.execve(sys.executable, [sys.executable, str(HERE / "keyboard.py"), end], known)
        os._exit(127)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self, until: str | Callable[[], object], seconds: float = 20.0) -> str:
        """What is written until it has these words, or until something holds."""
        holds = (lambda: until in self.text) if isinstance(until, str) else until
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{until} not within {seconds:g} s: {self.text[-3000:]}"
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:  # nobody has it open any more
                    time.sleep(0.02)
        return self.text

    def asked(self) -> list[str]:
        return self.orders.read_text().splitlines() if self.orders.exists() else []

    def until_asked(self, *orders: str) -> None:
        self.read(lambda: len(self.asked()) >= len(orders))
        assert [*orders] == self.asked()

    @property
    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.master)[3] & (termios.ICANON | termios.ECHO)

    def end(self) -> int:
        """Let it end; its status. Then the terminal is as it was, and there is a cursor."""
        self.orders.open("a").write("end\n")
        return self.gone()

    def gone(self) -> int:
        status: list[int] = []

        def is_gone() -> bool:
            found, code = os.waitpid(self.pid, os.WNOHANG)
            status.extend([code] if found else [])
            return bool(found)

        self.read(is_gone)
        with suppress(OSError):
            while select.select([self.master], [], [], 0)[0]:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        assert self.before == termios.tcgetattr(self.master)
        return status[0]

    def close(self) -> None:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Callable[..., Sitting]]:
    """Sits down at a terminal."""
    sittings: list[Sitting] = []

    def down(end: str, behind: bool = False) -> Sitting:
        sittings.append(Sitting(end, tmp_path, behind))
        if not behind and end != "shell":
            sittings[-1].read("promote now")
            sittings[-1].read(lambda: sittings[-1].is_raw)
        return sittings[-1]

    yield down
    for each in sittings:
        each.close()


def test_keys_ask(sit: Callable[..., Sitting]) -> None:
    """Pause and continue at once; abort and promote after a question and a reason; help, and nothing for others."""
    sitting = sit("wait")
    sitting.type("p")
    sitting.until_asked("pause|")
    sitting.type("qz\x1b[Ac")
    sitting.until_asked("pause|", "continue|")
    sitting.type("?")
    sitting.read("any key leaves this page")
    sitting.type("p")
    sitting.type("a")
    sitting.read("abort: take back all that was begun")
    sitting.type("n")
    sitting.read("not aborted")
    sitting.type("ay")
    sitting.read("Enter: abort")
    sitting.type("too many\x7f errors\r")
    sitting.until_asked("pause|", "continue|", "abort|too man errors")
    sitting.type("f")
    sitting.read("a protected environment wants a signature")
    sitting.type("\r")
    sitting.read("say why")
    sitting.type("läuft\r")
    sitting.until_asked("pause|", "continue|", "abort|too man errors", "promote|läuft")
    assert 0 == sitting.end()
    assert sitting.text.rindex(SHOW) > sitting.text.rindex(HIDE)


def test_keys_are_not_echoed(sit: Callable[..., Sitting]) -> None:
    """A key writes nothing of its own between the lines."""
    sitting = sit("wait")
    sitting.type("zzzzzz")
    sitting.type("p")
    sitting.until_asked("pause|")
    assert 0 == sitting.end()
    assert "zz" not in _ANSI.sub("", sitting.text)


def test_an_exception_gives_the_terminal_back(sit: Callable[..., Sitting]) -> None:
    """With the traceback below the last picture."""
    sitting = sit("raise")
    sitting.type("p")
    assert 0 != sitting.gone()
    assert "RuntimeError: boom" in sitting.text
    assert sitting.text.rindex(SHOW) > sitting.text.rindex(HIDE)


def test_ctrl_c_is_an_interrupt_still(sit: Callable[..., Sitting]) -> None:
    """It arrives as SIGINT, and the deployment is taken back by who catches it."""
    sitting = sit("caught")
    sitting.type("\x03")
    assert 0 == sitting.gone()
    assert "taken back" in sitting.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_that_nobody_catches_gives_the_terminal_back(sit: Callable[..., Sitting], number: int) -> None:
    """It ends by that signal, as it would without keys."""
    sitting = sit("wait")
    os.kill(sitting.pid, number)
    status = sitting.gone()
    assert number == (os.WTERMSIG(status) if os.WIFSIGNALED(status) else None)
    assert sitting.text.rindex(SHOW) > sitting.text.rindex(HIDE)


def test_a_prompt_gets_what_is_typed(sit: Callable[..., Sitting]) -> None:
    """Once the screen is closed no key is eaten, and lines are lines again."""
    sitting = sit("prompt")
    sitting.type("p")
    sitting.read("really? ")
    sitting.type("fay?\r")
    assert 0 == sitting.gone()
    assert "typed: fay?" in sitting.text
    assert ["pause|"] == sitting.asked()


def test_ctrl_z_and_on_again(sit: Callable[..., Sitting]) -> None:
    """While it is stopped the shell has the terminal as it was; with `fg` it is drawn anew, and listened to again."""
    shell = sit("shell")
    shell.type(f"{quote(sys.executable)} {quote(str(HERE / 'keyboard.py'))} wait\n")
    shell.read("promote now")
    shell.read(lambda: shell.is_raw)
    at = len(shell.text)
    shell.type("\x1a")
    shell.read(lambda: "Stopped" in shell.text[at:] and not shell.is_raw)
    assert SHOW in shell.text[at:]
    shell.type("fg\n")
    shell.read(lambda: shell.is_raw and "evidence" in shell.text[at:])
    shell.type("c")
    shell.until_asked("continue|")
    shell.orders.open("a").write("end\n")
    shell.read(lambda: not shell.is_raw)
    shell.type("exit\n")
    assert 0 == shell.gone()


def test_a_job_in_the_background_is_not_stopped(sit: Callable[..., Sitting]) -> None:
    """It neither reads nor changes the terminal of who has it, and tells by lines."""
    sitting = sit("wait", behind=True)
    sitting.type("p")
    sitting.read("50 %: green")
    sitting.orders.open("a").write("end\n")
    assert 3 == os.waitstatus_to_exitcode(sitting.gone())
    assert ["end"] == sitting.asked()
    assert HIDE not in sitting.text


def test_another_size_is_drawn_at_once(sit: Callable[..., Sitting]) -> None:
    """By the signal, and not with the next tick of the clock."""
    sitting = sit("wait")
    at = len(sitting.text)
    fcntl.ioctl(sitting.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    os.kill(sitting.pid, signal.SIGWINCH)
    sitting.read(lambda: "P99 by poll" in sitting.text[at:])
    assert 0 == sitting.end()
