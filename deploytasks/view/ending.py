"""The last lines of every deployment: how it ended and why, where traffic is now, and how to go back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..errors import EXIT_CODES, Aborted, DeployError, Interrupted
from ..ports import Color
from .paint import Paint, table, wrapped
from .wording import clean, duration, instant, one_line

if TYPE_CHECKING:
    from ..engine.plan import Plan
    from ..engine.run import Outcome
    from ..ports import Split
    from ..world import World

T = TypeVar("T")
_SUMMARY = 160
"""Characters of an explanation in the last line."""


class WayBack(NamedTuple):
    """The command that goes back, and until when it may be given; or why there is none."""

    command: str
    until: str = ""

    def __str__(self) -> str:
        return f"{self.command} ({self.until})" if self.until else self.command


class Told(NamedTuple):
    """All that is said at the end. ``about``: which deployment, by whom; ``rows``: names and what they stand for."""

    title: str
    about: str
    rows: Sequence[tuple[str, str]]
    summary: str


def told(world: World, plan: Plan, outcome: Outcome) -> Told:
    """Looked up once. Whatever cannot be read says so: this is no place to fail."""
    split = _tried(world.traffic.read)
    back = _way_back(world, plan, outcome)
    rows = [
        ("why", clean(_why(outcome))),
        ("state", clean(_state(outcome))),
        ("do", clean(_advice(world, outcome))),
        ("took", duration(outcome.seconds)),
        ("traffic", _where(split, plan, outcome)),
        ("without", _without(world)),
        ("in spite", clean("\n".join(_tried(lambda: world.overridden) or ()))),
        ("go back", str(back) if back else ""),
        ("ledger", _head(world)),
    ]
    return Told(
        title=clean(f"{_word(plan, outcome)}: {_what(world, plan)}"),
        about=clean(f"{plan.task} {plan.deployment} by {world.site.who}"),
        rows=[(name, value) for name, value in rows if value],
        summary=one_line(summary(world, plan, outcome, split, back)),
    )


def ending(of: Told, paint: Paint, *, well: bool) -> list[str]:
    """All of it as lines; the last one sums it up. ``well``: whether it ended so."""
    indent = 4 + max(len(name) for name, _ in of.rows)
    shown = [(paint(name, "dim"), _folded(value, indent, paint)) for name, value in of.rows]
    title = f"{paint(of.title, 'good' if well else 'bad')}  {paint(of.about, 'dim')}"
    return ["", title, *table(shown, "  "), paint(of.summary, "bold")]


def _folded(value: str, indent: int, paint: Paint) -> str:
    """Lines below one another; on a terminal sentences are broken between words, and a command never is."""
    further = " " * indent
    lines = [
        wrapped(line, paint.columns - indent) if paint.on and not line.startswith("inv ") else [line]
        for line in value.split("\n")
    ]
    return f"\n{further}".join(part for parts in lines for part in parts)


def summary(world: World, plan: Plan, outcome: Outcome, split: Split | None, back: WayBack | None) -> str:
    """One line: what someone who scrolls to the end has to know."""
    word, took = _word(plan, outcome), duration(outcome.seconds)
    if outcome.code == 0:
        way = f"; back: {back}" if back and back.until else f"; {back}" if back else ""
        return f"{word}: {_what(world, plan)} in {took}{way}"
    why = one_line(_why(outcome), _SUMMARY) or "no reason is known"
    return (
        f"{why if why.startswith(word) else f'{word}: {why}'}; "
        f"traffic is on {_where(split, plan, outcome)}; exit code {outcome.code}"
    )


def _why(outcome: Outcome) -> str:
    """What happened, without what the error says about a state that may have been taken back since."""
    if isinstance(outcome.error, Interrupted) and not isinstance(outcome.error, Aborted):
        return EXIT_CODES[outcome.error.exit_code].partition(",")[0]
    return outcome.error.what if isinstance(outcome.error, DeployError) else outcome.why


def _state(outcome: Outcome) -> str:
    """What the world is like now, but for traffic."""
    left = "; ".join(outcome.left)
    if left:
        return f"{'NOT taken back' if outcome.code else 'not done'}: {left}"
    stays = f", but for what stays: {', '.join(outcome.lasts)}" if outcome.lasts else ""
    states = {
        "taken back": f"everything that was begun was taken back{stays}",
        "interrupted": f"everything that was begun was taken back{stays}",
        "held": "all traffic is home; the release stays installed",
        "closed": "nothing is exposed to users any more",
        "refused": "nothing was changed",
    }
    said = outcome.error.state if isinstance(outcome.error, DeployError) else ""
    return said if outcome.word == "stopped" else states.get(outcome.word, "")


def _advice(world: World, outcome: Outcome) -> str:
    """What to do now."""
    env = world.site.environment
    advice = {
        "held": f"inv resume --env {env} tries again",
        "stopped": f"inv status --env {env} says who moved traffic or holds the lease",
        "stuck": f"ACT NOW: inv status --env {env}, inv doctor --env {env}",
        "closed": f"ACT NOW: inv status --env {env}, inv doctor --env {env}",
    }
    said = outcome.error.do if isinstance(outcome.error, DeployError) else ""
    again = (
        f"once it answers again: inv resume --env {env}" if outcome.resumable and outcome.word == "taken back" else ""
    )
    return "\n".join(filter(None, (advice.get(outcome.word), again, said)))


def _word(plan: Plan, outcome: Outcome) -> str:
    return "deployed" if outcome.code == 0 and plan.task == "deploy" else outcome.word


def _what(world: World, plan: Plan) -> str:
    version = f" {plan.release.version}" if plan.release else ""
    what = f"{world.site.application}{version} to {world.site.environment}"
    return what if plan.task == "deploy" else f"{plan.task}: {what.replace(' to ', ' in ')}"


def _where(split: Split | None, plan: Plan, outcome: Outcome) -> str:
    """Where traffic is now, with the version that is there as far as the plan knows."""
    if split is None:
        return "an unknown color: the balancer does not answer (`inv status`)"
    if split.live is None:
        return split.weights() if split.is_mixed else "nothing: no color is exposed"
    version = _version(split.live, plan, outcome)
    return f"{split.live} {version}" if version else f"{split.live}"


def _version(color: Color, plan: Plan, outcome: Outcome) -> str:
    if plan.release is not None and color == plan.color and (outcome.code == 0 or plan.starts_from.split.live != color):
        return plan.release.version
    found = plan.starts_from.on(color)
    return found.version if found else ""


def _without(world: World) -> str:
    """The hosts that were left out: behind the balancer they would serve something else."""
    env = world.site.environment
    lines = [
        f"{host} ({why}): it must be down, or be taken out of the balancer; once it is back, inv resume --env {env}"
        for host, why in (_tried(lambda: world.aside) or {}).items()
    ]
    return clean("\n".join(lines))


def _way_back(world: World, plan: Plan, outcome: Outcome) -> WayBack | None:
    """How to undo what went well."""
    env = world.site.environment
    if outcome.code != 0:
        return None
    settle = next((step for step in plan.steps if step.name == "settle"), None)
    if settle is None:
        return None
    if getattr(settle, "way_back", None) is None:
        return WayBack("no way back: this was the first deployment")
    if getattr(settle, "closes", False):
        return WayBack(
            f"inv deploy --env {env} --version …", "a new deployment: the platform has stopped the old release"
        )
    until = _tried(lambda: _until(world, plan, float(getattr(settle, "keep", 0.0))))
    return WayBack(f"inv rollback --env {env} --reason …", f"until {instant(until)}")


def _until(world: World, plan: Plan, keep: float) -> datetime:
    settled = _tried(lambda: world.ledger.head().standing.settled)
    if settled and settled.deployment == plan.deployment and settled.way_back_until:
        return settled.way_back_until
    return world.clock.now() + timedelta(seconds=keep)


def _head(world: World) -> str:
    """The digest that proves later that nobody changed what was written until now."""
    found = _tried(lambda: world.ledger.head().digest)
    if found is None:
        return "cannot be read now"
    verify = f"inv history --env {world.site.environment} --verify --expect {found}"
    return f"head {found[:12]}…: keep it, this finds any later change:\n{verify}"


def _tried(ask: Callable[[], T]) -> T | None:
    with suppress(Exception):  # it has ended, well or not: what cannot be told must not change that
        return ask()
    return None
