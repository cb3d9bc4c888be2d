"""The keys of a part, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploytasks.__main__ import main
from deploytasks.settings.explained import names

if TYPE_CHECKING:
    import pytest


def test_a_part_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Each key with its type and default, then its sentence."""
    assert 0 == main(["keys", "warm_up"])
    assert capsys.readouterr().out == (
        "paths  (list; default [/])\n    Pages, asked for in turn.\n\n"
        "requests  (whole number, 0 to 100000; default 20)\n"
        "    How many to each host, over all paths; 0: no warm-up.\n"
    )


def test_every_part_has_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name all of them are listed, and each can be asked for."""
    assert 0 == main(["keys"])
    listed = capsys.readouterr().out.split()
    assert {"deploy", "environment", "gates", "traffic.envoy"} < set(listed)
    assert list(names()) == listed
    assert [0] * len(listed) == [main(["keys", name]) for name in listed]


def test_a_name_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What was meant, and code 2."""
    assert 2 == main(["keys", "trafic.envoy"])
    assert "there is no part 'trafic.envoy'; there is traffic.envoy" in capsys.readouterr().err
