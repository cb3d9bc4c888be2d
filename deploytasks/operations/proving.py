"""Bring evidence, and see whether there is enough of it."""

from __future__ import annotations

import shlex
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import redaction, view
from ..checklist import Result, Subject, evaluate, evidence, fingerprints, quality, refuse, refused
from ..errors import GateRefused, Unreachable
from .checklists import answer

if TYPE_CHECKING:
    from pathlib import Path

    from ..ports import Release
    from ..world import World


def run_tests(world: World, release: Release, *, preview: bool, again: bool, beside: Path | None = None) -> None:
    """Run the configured tests, unless they passed for this content within a day; record how they went.

    Raises ``GateRefused`` when they fail, and for a release that is not checked out: evidence is about what was tested.
    ``beside``: a file of ours that is no change to it.
    """
    command = world.settings.tests
    if command is None:
        view.say("no tests are configured (deploy.tests)")
        return
    about = evidence.key(release.digest, command)
    known = evidence.fresh(world.ledger.head().standing, "tests", about, world.clock.now())
    if known and known.ok and not again:
        view.say(f"tests passed for exactly this content already ({known.who}, {known.at:%H:%M} UTC)")
        return
    if preview:
        view.say(f"would run: {command}")
        return
    if not quality.is_checked_out(world, release, beside):
        raise GateRefused(
            f"tests can only run on what is checked out, and that is not {release.version}",
            state="nothing was changed",
            do=f"git checkout {release.commit[:12]}",
        )
    _run(world, command, about, release.digest)


def _run(world: World, command: str, about: str, digest: str) -> None:
    assert world.site.context is not None
    began = world.clock.elapsed()
    line = command.replace("{python}", shlex.quote(sys.executable))
    # Not by Context.cd: it escapes blanks, and does so inside of quotes as well.
    there = f"cd {shlex.quote(str(world.site.root))} || exit\n"
    with view.a_word_in_time(lambda: f"still running the tests: {line}"):
        result = world.site.context.run(there + line, hide=True, warn=True, in_stream=False)
    took = world.clock.elapsed() - began
    assert result is not None  # only a disowned command has none; a result is false where it failed
    passed = result.ok
    last = _last_line(f"{result.stderr}\n{result.stdout}")
    detail = f"`{command}`: {last} in {took:.1f} s"
    world.note("evidence", item="tests", key=about, ok=passed, detail=detail, digest=digest)
    if not passed:
        view.say(str(redaction.clean((result.stdout + result.stderr).strip()))[-6000:])
        raise GateRefused(f"tests failed: {last}", state="nothing was changed", do=f"run them by hand: {line}")
    view.say(f"tests passed: {last}")


def _last_line(text: str) -> str:
    lines = [line.strip("= ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def check(
    world: World,
    release: Release,
    *,
    preview: bool = False,
    json: bool = False,
    hotfix: bool = False,
    older: str = "",
) -> None:
    """Evaluate the checklist, show it, record it; refuse while an item is open, and list them all.

    What is ``pending`` may still come from a later task of the same chain: the gate in the plan decides.
    """
    of = Subject(world, release, hotfix=hotfix, older=older, thorough=not preview)
    with view.a_word_in_time(_waited_for):
        results = evaluate(of)
    view.show("checklist", world.site.readable(answer(of, release, results)), json)
    if preview:
        return
    _record(of, release, results)
    found = refused(results, pending_counts=False)
    refuse(found, "the checklist stands in the way:", _what_to_do(found, world))


def _waited_for() -> str:
    """The systems that are still asked, each in a thread of its own; or else it is a command of this machine."""
    names = [thread.name for thread in threading.enumerate()]
    systems = sorted({name.removeprefix("check ") for name in names if name.startswith("check ")})
    return (
        f"still asking: {', '.join(systems)}" if systems else "still looking: commands that read the code take a while"
    )


def _what_to_do(found: Sequence[Result], world: World) -> str:
    name = world.settings.name
    unsigned = sum(result.answer == "needs a signature" for result in found)
    sign = f"`inv sign ITEM --env {name} --note …` for what only people know"
    aside = f"set it aside: `inv override ITEM --env {name} --reason …`, which is recorded"
    if not unsigned:
        return f"mend it, or {aside}"
    return f"{sign}; {'' if unsigned == len(found) else 'mend the rest, '}or {aside}"


def _record(of: Subject, release: Release, results: Sequence[Result]) -> None:
    """One event with all of it. Raises ``Unreachable`` when the ledger cannot take it; one that was silent already is
    not asked again."""
    try:
        _ = of.standing
    except Unreachable as error:
        why = f"the checklist cannot be recorded: {error.what}"
        raise Unreachable(why, state="nothing was changed", do=error.do) from error
    of.world.note(
        "checked",
        version=release.version,
        commit=release.commit,
        digest=release.digest,
        level=of.world.settings.level,
        hotfix=of.hotfix,
        results=[[result.item, result.answer, result.evidence] for result in results],
    )
    fingerprints.remember(of.world)
