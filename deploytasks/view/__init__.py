"""What people and machines see. Progress goes to stderr, answers to stdout, one JSON object for a machine.

A thin face: whatever costs time is imported when it is used, for a rollback says one line and must not wait for more.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import redaction
from . import printing

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..engine.run import Outcome
    from ..engine.step import Step
    from ..operations.returning import Returned
    from ..ports import Listener, Reading
    from ..rollout import Course
    from ..world import World
    from .desk import Life
    from .job import Job
    from .repeated import Looking
    from .standing import Showing
    from .telling import Telling


class _Progress:
    """Becomes a log or a live view with the first event: who is told nothing imports nothing."""

    def __init__(self) -> None:
        self._listener: Telling | None = None

    @property
    def job(self) -> Job | None:
        """What is known of it in a CI that shows more than a log."""
        return self._listener.job if self._listener is not None else None

    def tell(self, event: Any) -> None:
        if self._listener is None:
            from .telling import Telling

            self._listener = Telling()
        self._listener.tell(event)

    def take_orders(self, ask: Callable[[str, str], None]) -> None:
        """From now on keys mean something, where a person has a keyboard: ``ask`` is told a verb and a reason. It must
        return at once, and never raise."""
        if self._listener is not None:
            self._listener.take_orders(ask)

    def show_life(self, life: Life) -> None:
        """What a live view shows of the lease and the dead-man's switch."""
        if self._listener is not None:
            self._listener.show_life(life)


def progress() -> Listener:
    """Someone who shows a deployment while it runs: a live view on a person's terminal, lines everywhere else."""
    return _Progress()


def say(text: str) -> None:
    """Words for people, to stderr; above the live view while there is one."""
    printing.tell(text)


A_WHILE = 3.0
"""Seconds of silence after which whoever waits is told what is waited for."""


@contextmanager
def a_word_in_time(words: Callable[[], str]) -> Iterator[None]:
    """Say something, once, when what is done meanwhile takes a while. ``words``: asked for only then."""
    timer = threading.Timer(A_WHILE, lambda: say(words()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def show(kind: str, answer: Mapping[str, Any], json: bool) -> None:
    """An answer (see ``operations.answers``) on stdout: one line of JSON, or text."""
    if json:
        printing.answer_json(answer)
    else:
        from .text import text

        printing.answer(text(kind, redaction.clean(answer), _paint()))  # before it is wrapped: a secret may be long
    if printing.is_in_ci():
        from .job import answered

        answered(kind, answer)


def document(text: str) -> None:
    """A whole document on stdout, for a file or another program: it ends as it ends, and nothing is added."""
    printing.answer(text.removesuffix("\n"))


def as_json(answer: Mapping[str, Any]) -> str:
    """An answer as ``show`` prints it for a machine."""
    return printing.json_line(answer)


def plan(rendered: Sequence[tuple[Step, Sequence[Sequence[str]]]], plan: Plan, digest: str) -> None:
    """A plan on stdout: each step with every call it would make."""
    from .text.planned import planned

    printing.answer("\n".join(planned(rendered, plan, digest, _paint())))


def conclude(world: World, plan: Plan, outcome: Outcome) -> None:
    """The last lines of a deployment, on stdout; the very last one sums it up."""
    printing.close_screen()
    from .ending import ending, told

    found = told(world, plan, outcome)
    printing.answer("\n".join(ending(found, _paint(), well=outcome.code == 0)))
    if printing.is_in_ci():
        from .job import concluded

        job = next((each.job for each in getattr(world, "listeners", ()) if isinstance(each, _Progress)), None)
        concluded(world, plan, outcome, found, job)


def returned(returned: Returned, world: World, reason: str = "") -> None:
    """What a rollback did, on stdout, at once."""
    if returned.changed:
        printing.answer(f"rolled back: {returned.after.weights()} (was {returned.before.weights()})")
    else:
        printing.answer(f"nothing to take back: {returned.why}")
    if printing.is_in_ci():
        from . import job

        job.returned(returned, world, reason)


def reading(course: Course, reading: Reading) -> None:
    """One reading of a watch, as a line on stderr."""
    from .watching import watched

    printing.tell(watched(course, reading))


def looking(*, json: bool) -> Looking:
    """Someone who shows one judged reading (see ``operations.judged``) after the other, until it is closed."""
    from . import repeated

    return repeated.looking(json=json)


def statuses(*, json: bool) -> Showing:
    """Someone who shows one status after the other, until it is closed."""
    from . import standing

    return standing.statuses(json=json)


def is_picture() -> bool:
    """Whether what is shown again and again can be drawn in its place."""
    return printing.can_draw()


def hosts(names: Sequence[str]) -> Callable[[str, str], None]:
    """Writes lines of hosts, each behind the host's name, on stdout; from any thread."""
    from .prefixed import prefixed

    return prefixed(names)


def is_terminal() -> bool:
    """Whether a person can be asked something."""
    return printing.is_terminal(sys.stdin) and printing.is_terminal(sys.stdout)


def confirm(question: str) -> bool:
    """Ask; anything but yes, the end of input included, is no."""
    return prompt(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def prompt(question: str) -> str:
    """What a person typed; nothing at the end of input."""
    printing.close_screen()
    try:
        return input(question)
    except EOFError:
        return ""


def _paint() -> Any:
    from .paint import Paint

    return Paint(printing.has_color(sys.stdout), printing.columns())
