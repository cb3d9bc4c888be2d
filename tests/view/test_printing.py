"""Where words go, and what happens when nobody can take them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploytasks import view
from deploytasks.view import printing


@pytest.fixture(autouse=True)
def no_screen() -> Iterator[None]:
    """Whatever a test leaves is closed."""
    yield
    printing.close_screen()


class Screen:
    """Keeps what it was told."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.said: list[str] = []
        self.is_closed = False
        self.is_broken = is_broken

    def say(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        self.is_closed = True


def test_json_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """With JSON, stdout has one line with one object, and what is said goes to stderr."""
    view.say("reading green for 60 s")
    view.show("status", {"a": 1, "deep": [float("inf"), {"b": float("nan")}], "text": "ü…"}, json=True)
    view.say("done")
    out, err = capsys.readouterr()
    assert 1 == len(out.splitlines())
    assert {"a": 1, "deep": [None, {"b": None}], "text": "ü…"} == json.loads(out)
    assert "reading green for 60 s\ndone\n" == err


def test_text_answers_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer is what was asked for; so it is on stdout as text, too."""
    view.show("validate", {"environment": "development", "ok": True, "sections": []}, json=False)
    out, err = capsys.readouterr()
    assert "the configuration of development is fine" in out
    assert "" == err


def test_no_colors_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe or a file gets no escape sequences."""
    view.show("doctor", {"environment": "e", "findings": [{"state": "fail", "subject": "a"}]}, json=False)
    assert "\x1b" not in capsys.readouterr().out


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, False)],
)
def test_colors_on_a_terminal(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], colored: bool) -> None:
    """A terminal that knows colors has them, unless ``NO_COLOR`` is set."""
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colored == printing.has_color(Terminal())
    assert not printing.has_color(io.StringIO())


def test_ascii_streams_get_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that has no Unicode gets the text all the same."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    printing.answer("✓ blue → green … ü")
    assert b"+ blue > green ... ?\n" == raw.getvalue()


@pytest.mark.parametrize("error", [OSError(28, "no space left"), ValueError("closed file")])
def test_words_that_nobody_takes_stop_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A full disk or a closed stream is no reason to end a deployment."""

    class Refusing(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    monkeypatch.setattr(sys, "stderr", Refusing())
    monkeypatch.setattr(sys, "stdout", None)
    view.say("hello")
    printing.answer("hello")


def test_a_reader_that_leaves_is_no_error() -> None:
    """`inv history | head` ends well: neither a traceback nor another code because the pipe is closed."""
    lines = 5000
    code = (
        f"from deploytasks import view\nfor at in range({lines}):\n"
        "    view.show('validate', {'environment': str(at)}, json=at % 2 == 1)"
    )
    reading, writing = os.pipe()
    run = subprocess.Popen([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    os.read(reading, 100)
    os.close(reading)
    _, err = run.communicate(timeout=30)
    assert (0, b"") == (run.returncode, err)


def test_words_go_through_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """While a live view has the terminal, it prints what is said; an answer closes it first."""
    screen = Screen()
    printing.take_screen(screen)
    view.say("above")
    assert (["above"], "") == (screen.said, capsys.readouterr().err)
    printing.answer("the end")
    view.say("below")
    assert screen.is_closed
    assert ("the end\n", "below\n") == capsys.readouterr()


def test_words_pass_a_broken_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """A live view that gave up swallows nothing."""
    printing.take_screen(Screen(is_broken=True))
    view.say("hello")
    assert "hello\n" == capsys.readouterr().err


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The value of an environment variable that is secret by its name appears nowhere."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-123456")
    view.say("output: xoxb-123456")
    view.show("x", {"a": ["xoxb-123456"]}, json=True)
    view.show("doctor", {"environment": "xoxb-123456", "findings": []}, json=False)
    assert "xoxb" not in "".join(capsys.readouterr())


def test_end_of_input_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D is not consent."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert not view.confirm("Roll production back?")
    assert "" == view.prompt("Type production: ")


@pytest.mark.parametrize(("typed", "consent"), [("y\n", True), ("YES\n", True), ("\n", False), ("yeah\n", False)])
def test_consent(monkeypatch: pytest.MonkeyPatch, typed: str, consent: bool) -> None:
    """Yes is yes, anything else is no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert consent == view.confirm("Go on?")


def test_a_pipe_is_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who sits at a terminal, with both eyes and hands, can be asked."""
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not view.is_terminal()
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert view.is_terminal()


def test_the_way_back_imports_nothing_heavy() -> None:
    """A rollback says its line without loading what draws: the face and that line need the standard library only."""
    code = (
        "import sys\nfrom deploytasks import view\nfrom deploytasks.ports import Split\n"
        "from types import SimpleNamespace as N\n"
        "view.progress(); view.say('x')\n"
        "view.returned(N(changed=True, before=Split(50, 50), after=Split(100, 0), why=''), None)\n"
        "heavy = {'rich', 'pydantic', 'invoke', 'asyncio', 'requests', 'deploytasks.rollout', 'deploytasks.steps'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert ["rolled back: blue 100 % / green 0 % (was blue 50 % / green 50 %)", "[]"] == found.stdout.splitlines()


def test_status_draws_nothing() -> None:
    """A status is text: it does not pay for the library of the live view."""
    code = (
        "import sys\nfrom deploytasks import view\nview.show('status', {}, json=False)\n"
        "print(sorted({'rich', 'pydantic'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert "[]" == found.stdout.splitlines()[-1]


@pytest.mark.parametrize(("given", "columns"), [("30", 60), ("100", 100), ("300", 120)])
def test_prose_is_as_wide_as_it_is_read_easily(given: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the terminal is, but not narrower than 60 columns, nor wider than 120."""
    monkeypatch.setenv("COLUMNS", given)
    assert columns == printing.columns()
