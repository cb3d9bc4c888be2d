"""What a shell offers when somebody presses Tab behind ``inv``.

A script per shell (``inv.bash``, ``inv.zsh``, ``inv.fish``) hands the words over to ``deploytasks complete``, beside
the ``inv`` that is meant. That must be quick and silent: a value (an environment, a color) is found without Invoke, and
only names of tasks and options need the task file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SHELLS = ("bash", "zsh", "fish")


class Offer(NamedTuple):
    """One thing that could stand there, and what it means."""

    text: str
    meaning: str = ""


def script(shell: str) -> str:
    """What a shell has to read once."""
    return (Path(__file__).parent / f"inv.{shell}").read_text(encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """``SHELL inv WORD … WORD``: print what could stand in the place of the last word. Always 0, and never a word else:
    whoever presses Tab has not asked for an error."""
    import contextlib
    import io
    import sys

    shell, words = arguments[0] if arguments else "", list(arguments[1:])
    found: Sequence[str] = ()
    with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
        from .answering import answered

        found = answered(shell, words, Path.cwd())
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 0
