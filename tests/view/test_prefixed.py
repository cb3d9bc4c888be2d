"""Lines of several hosts on one screen."""

from __future__ import annotations

import pytest

from deploytasks.view import printing
from deploytasks.view.prefixed import prefixed


def test_names_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line behind the name of who said it."""
    tell = prefixed(["web1", "web10"])
    tell("web10", "ready")
    tell("web1", "ready, too")
    assert "web10 | ready\nweb1  | ready, too\n" == capsys.readouterr().out


def test_one_host_needs_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Its output can be used as it is."""
    prefixed(["web1"])("web1", "a,b,c")
    assert "a,b,c\n" == capsys.readouterr().out


def test_a_color_for_each_host(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that knows colors."""
    monkeypatch.setattr(printing, "has_color", lambda stream: True)
    tell = prefixed(["web1", "web2"])
    tell("web1", "x")
    tell("web2", "x")
    assert "\x1b[36mweb1\x1b[0m | x\n\x1b[33mweb2\x1b[0m | x\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    "line", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\x1b]8;;http://x\x1b\\red", "r\x07e\rd\x1bc"]
)
def test_no_host_takes_the_terminal_over(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Colors, titles, links and the like are not handed on."""
    prefixed(["web1"])("web1", line)
    assert "red\n" == capsys.readouterr().out
