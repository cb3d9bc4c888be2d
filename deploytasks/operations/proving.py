"""Bring evidence, and see whether there is enough of it."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from .. import view
from ..checklist import Result, evaluate, evidence, refused
from ..errors import GateRefused
from . import answers

if TYPE_CHECKING:
    from ..ports import Release
    from ..world import World


def run_tests(world: World, release: Release, *, preview: bool, again: bool) -> None:
    """Run the configured tests, unless they passed for this content within a day; record how they went."""
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
    _run(world, command, about)


def _run(world: World, command: str, about: str) -> None:
    assert world.site.context is not None
    began = world.clock.elapsed()
    line = command.replace("{python}", shlex.quote(sys.executable))
    # Not by Context.cd: it escapes blanks, and does so inside of quotes as well.
    there = f"cd {shlex.quote(str(world.site.root))} || exit\n"
    result = world.site.context.run(there + line, hide=True, warn=True, in_stream=False)
    took = world.clock.elapsed() - began
    passed = result is not None and result.ok
    last = _last_line(f"{result.stderr}\n{result.stdout}" if result else "")
    world.note("evidence", item="tests", key=about, ok=passed, detail=f"`{command}`: {last} in {took:.1f} s")
    if not passed:
        output = (result.stdout + result.stderr).strip() if result else ""
        view.say(output[-6000:])
        raise GateRefused(f"tests failed: {last}", state="nothing was changed", do=f"run them by hand: {line}")
    view.say(f"tests passed: {last}")


def _last_line(text: str) -> str:
    lines = [line.strip("= ") for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def check(world: World, release: Release, *, preview: bool, json: bool) -> None:
    """Evaluate the checklist, show it, record it; refuse when an item fails.

    What is ``pending`` may still come from a later task of the same chain: the gate in the plan decides.
    """
    results = evaluate(world, release)
    view.show("checklist", answers.checklist(world, results), json)
    if not preview:
        for result in results:
            _record(world, release, result)
    failed = refused(results, pending_counts=False)
    if failed and not preview:
        lines = [f"  {result.item}: {result.evidence}" for result in failed]
        raise GateRefused("\n".join(["the checklist stands in the way:", *lines]), state="nothing was changed")


def _record(world: World, release: Release, result: Result) -> None:
    about = evidence.key(release.digest, result.item)
    passed = result.answer in ("pass", "warn", "not applicable")
    world.note("evidence", item=result.item, key=about, ok=passed, detail=f"{result.answer}: {result.evidence}")
