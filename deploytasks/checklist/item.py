"""What a checklist item is, and what checking it returns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import DeployError, HostsDown, Unreachable, UsageError

if TYPE_CHECKING:
    from ..settings.people import Signers
    from .subject import Subject

Answer = Literal["pass", "warn", "fail", "pending", "needs a signature", "overridden", "not applicable"]
"""``pending``: what a later task of the same chain, or a step before the gate, will still bring."""
Level = Literal["development", "staging", "production"]
"""From where on an item is demanded: each level demands all of those before it."""
Began = tuple[tuple[str, datetime], ...]
"""Things that go on: by name, since when."""
LEVELS: tuple[Level, ...] = ("development", "staging", "production")


class Found(NamedTuple):
    """What a check found: the answer and the evidence for it."""

    answer: Answer
    evidence: str
    error: DeployError | None = None
    """Why it could not be checked, if it could not."""
    began: Began = ()
    """What stands in the way, where that began at some time: an override is about what had begun when it was given."""


class Result(NamedTuple):
    """An item with what its check found."""

    item: str
    text: str
    answer: Answer
    evidence: str
    error: DeployError | None = None
    began: Began = ()


Check = Callable[["Subject"], Found]
Lasting = Callable[["Subject"], float]
"""Seconds, as the settings have them."""


class Item(NamedTuple):
    """One line of the checklist."""

    id: str
    """``section.name``, as in docs/DEPLOYMENT_CHECKLIST.md."""
    text: str
    check: Check | None
    """``None``: no machine can know; a person signs."""
    level: Level = "production"
    asks: str = ""
    """The outside system it asks (``fleet``, ``metrics``, ``reviews``, …). Those of one system are checked one after
    the other; different systems at once. Empty: this machine alone, where a command may take its time."""
    critical: bool = False
    """Whether a hotfix must pass it as well."""
    signed_for: float | Lasting | None = None
    """Seconds for which a signature counts, whatever is deployed; ``None``: for the commit that was signed."""
    signers_of: Callable[[Subject], tuple[str, Signers | None]] | None = None
    """The commit whose allowed signers count, with the files that have them (``None``: as it is configured now);
    ``None``: the commit that is deployed."""

    def signature_lasts(self, of: Subject) -> float | None:
        """Seconds for which a signature counts in this environment; ``None``: for the commit that was signed."""
        return self.signed_for(of) if callable(self.signed_for) else self.signed_for

    def look(self, of: Subject) -> Found:
        """Run the check. What cannot be checked is a failure that says why (fail closed).

        Raises ``UsageError`` for what is configured wrong: that is no refusal.
        """
        if self.check is None:
            return Found("needs a signature", "only a person knows")
        try:
            return self.check(of)
        except UsageError:
            raise
        except HostsDown as error:
            return Found("fail", f"unreachable: {error.what}", error)
        except Unreachable as error:
            return Found("fail", f"unreachable: {error.what}")
        except DeployError as error:
            return Found("fail", f"cannot be checked: {error.what}")
