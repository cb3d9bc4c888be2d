"""Practice what one hopes never to need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import task, words

if TYPE_CHECKING:
    from invoke import Context

OPTIONS = words(
    "env",
    "plan",
    "yes",
    "json",
    html="Write the same as a page to this file or folder. Default: no page.",
    at="Only the steps whose names begin so; several times. Default: all of them.",
    rollback="Rehearse a rollback also where everything is on this machine.",
    thorough="Have each of resume, rollback and deploy come after each death. Default: by turns.",
    rps="Requests per second of visitors while deployers die, at most 100. Default: 20.",
)


@task(iterable=["at"], help=OPTIONS)
def drill(
    c: Context,
    env: Any = None,
    at: Any = None,
    rollback: bool = False,
    thorough: bool = False,
    rps: float = 20.0,
    plan: bool = False,
    yes: bool = False,
    html: Any = None,
    json: bool = False,
) -> None:
    """Kill deployers at every step on this machine, or rehearse a rollback elsewhere; code 9 when something is lost."""
    from ..operations.drilling import drill as practice

    practice(
        c,
        env,
        at=at or (),
        rollback=rollback,
        thorough=thorough,
        rps=rps,
        preview=plan,
        consent=yes,
        html=html,
        json=json,
    )
