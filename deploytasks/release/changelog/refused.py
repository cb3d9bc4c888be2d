"""What becomes of a changelog that nobody can change, or read, without a guess."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import GateRefused


class ChangelogRefused(GateRefused):
    """A changelog that cannot be changed or read without a guess: at which line, what to do; nothing was changed."""

    def __init__(self, what: str, *, do: str) -> None:
        super().__init__(what, state="nothing was changed", do=do)


def listed(numbers: Sequence[int]) -> str:
    """Line numbers for people."""
    return ", ".join(str(number) for number in numbers[:10]) + (", …" if len(numbers) > 10 else "")
