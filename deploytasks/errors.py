"""What can go wrong, one class per thing a caller would treat differently.

Every error says what happened and to what, which state things are in now, and what to do next; and it
knows the exit code the process leaves with. The table of codes is ``EXIT_CODES``, the only one there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ports import Split

EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "a bug or an unforeseen error",
    2: "wrong usage or configuration",
    3: "a gate refused",
    4: "judged bad, or failed after changes began: taken back",
    5: "someone else holds the lease, or moved traffic",
    6: "not enough evidence (a deployment was taken home; nothing was judged bad)",
    7: "an outside system did not answer; nothing was changed",
    8: "the way back itself could not complete: a person must act now",
    9: "a reading is over its threshold (check-*, smoke), or a command failed on a host (run)",
    130: "interrupted by Ctrl-C, taken back",
    143: "interrupted by SIGTERM, taken back",
}


class DeployError(Exception):
    """An error of ours: ``what`` happened, in which ``state`` things are, what to ``do`` about it."""

    exit_code = 1
    told = False
    """Whether people were told all of it already: then only the exit code is left to say."""

    def __init__(self, what: str, *, state: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.state = state
        self.do = do

    def __str__(self) -> str:
        lines = [self.what]
        if self.state:
            lines.append(f"  state: {self.state}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)


class UsageError(DeployError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class SettingsError(UsageError):
    """The configuration is wrong; ``mistakes`` has all of them, each with its path in the file."""

    def __init__(self, mistakes: list[str], *, do: str = "mend invoke.yaml; `inv validate` checks all of it") -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"{count} in the configuration:", *(f"  {m}" for m in mistakes)]), do=do)
        self.mistakes = mistakes


class GateRefused(DeployError):
    """A condition that must hold before this may happen does not hold; nothing was changed."""

    exit_code = 3


class TakenBack(DeployError):
    """Judged bad, or failed after changes began; everything begun was taken back."""

    exit_code = 4


class LeaseHeld(DeployError):
    """Someone else is at work on this environment."""

    exit_code = 5


class LeaseLost(LeaseHeld):
    """We held the lease and no longer do: nothing more may be written."""


class SplitMoved(DeployError):
    """Traffic is not where we put it: someone else moved it, and we touch nothing more."""

    exit_code = 5


class NotEnoughEvidence(DeployError):
    """Nothing was judged bad, but there was too little to judge by."""

    exit_code = 6


class Unreachable(DeployError):
    """An outside system did not answer, or answered what nobody could use."""

    exit_code = 7


class Undeliverable(DeployError):
    """A message was understood and refused: the same words would be refused again."""

    exit_code = 7


class PartlyKnown(Unreachable):
    """Of several balancers some did not answer, or they disagree. Traffic may still be taken home: ``split`` is what
    a way back may go by, as far as it is known."""

    def __init__(self, what: str, *, split: Split | None, state: str = "", do: str = "") -> None:
        super().__init__(what, state=state, do=do)
        self.split = split


class HostsDown(Unreachable):
    """Some hosts of a fleet did not answer; ``hosts`` has their names."""

    def __init__(self, what: str, hosts: Sequence[str], *, state: str = "", do: str = "") -> None:
        super().__init__(what, state=state, do=do)
        self.hosts = tuple(hosts)


class HostsFailed(DeployError):
    """What was to be done on several hosts failed on some, named in ``hosts``; the others have finished."""

    exit_code = 4

    def __init__(self, what: str, hosts: Sequence[str], *, state: str = "", do: str = "") -> None:
        super().__init__(what, state=state, do=do)
        self.hosts = tuple(hosts)


class WayBackFailed(DeployError):
    """The way back itself could not complete: a person must act now."""

    exit_code = 8


class OverThreshold(DeployError):
    """A reading is over its threshold."""

    exit_code = 9


class CommandsFailed(DeployError):
    """What somebody ran on hosts failed on some of them."""

    exit_code = 9


class Conflict(Exception):
    """A compare-and-swap found something else than it expected: read again and decide again."""


class Interrupted(KeyboardInterrupt):
    """A signal asked us to stop. A ``KeyboardInterrupt``, so that Invoke's runners end their child."""

    def __init__(self, exit_code: int, said: str = "") -> None:
        super().__init__(said or f"interrupted ({EXIT_CODES[exit_code]})")
        self.exit_code = exit_code


class Aborted(Interrupted):
    """Somebody elsewhere asked to take it back. It ends what runs as a signal does, with the code of what is bad."""

    def __init__(self, who: str, reason: str) -> None:
        super().__init__(TakenBack.exit_code, f"abort by {who}: {reason}")
