"""The whole of ``inv drill``: which one is meant, how it went, and the evidence that is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import view
from ..checklist import drilled
from ..drill import Death
from ..errors import OverThreshold, UsageError
from . import files
from .consent import agree
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..world import World

Answer = dict[str, Any]


def drill(
    c: Context,
    env: str | None,
    *,
    at: Sequence[str],
    rollback: bool,
    thorough: bool,
    rps: float,
    preview: bool,
    consent: bool,
    html: str | None,
    json: bool,
) -> None:
    """Deaths where all runs on this machine, a rollback for real everywhere else. Raises ``OverThreshold`` when
    something was lost, or not in order."""
    world = open_world(c, env, consent=consent)
    if is_about_deaths(world, rollback=rollback, at=at, thorough=thorough):
        answer = deaths(world, at, thorough=thorough, rps=rps, preview=preview)
    else:
        answer = there_and_back(world, preview=preview)
    if answer is None:
        return
    view.show("drill", answer, json)
    if html:
        from ..view.html.drill import page

        file = files.written(html, page(answer).encode("utf-8", "replace"), "drill.html")
        view.say(f"the drill as a page: {file}")
    if not answer["ok"]:
        raise OverThreshold(f"the drill has found what would go wrong: {_first(answer)}", do="mend it, and drill again")


def is_about_deaths(world: World, *, rollback: bool, at: Sequence[str], thorough: bool) -> bool:
    """Raises ``UsageError`` where somebody wants deaths, and they would be others'."""
    from .dying import is_for_this

    if is_for_this(world):
        return not rollback
    if at or thorough:
        raise UsageError(
            f"nobody is killed in {world.settings.name}: not all of it is on this machine, for nobody but you",
            state="nothing was changed",
            do="leave --at and --thorough out: a rollback is rehearsed there",
        )
    return False


def deaths(world: World, at: Sequence[str], *, thorough: bool, rps: float, preview: bool) -> Answer | None:
    """Kill the deployer at each step."""
    from .dying import Deaths

    of = Deaths(world, rps)
    if preview:
        view.say(of.would(thorough=thorough))
        return None
    began = world.clock.elapsed()
    found = of.drill(at, thorough=thorough, told=_tell)
    answer: Answer = {
        **_about(world, "deaths"),
        "ok": all(each.is_well for each in found),
        "rounds": [each.to_json() for each in found],
        "sent": sum(each.sent for each in found),
        "lost": sum(each.lost for each in found),
        "counted": True,
        "seconds": round(world.clock.elapsed() - began, 1),
    }
    _keep(world, answer, f"{len(found)} deaths, {answer['lost']} of {answer['sent']} requests lost")
    return answer


def there_and_back(world: World, *, preview: bool) -> Answer | None:
    """Rehearse a rollback."""
    from .going_and_coming import rehearse, would

    if preview:
        view.say(would(world))
        return None
    agree(world, f"Send all traffic of {world.settings.name} to the release before, and forward again?")
    began = world.clock.elapsed()
    answer: Answer = {**_about(world, "rollback"), **rehearse(world)}
    answer["ok"] = not answer["wrong"] and not answer["lost"]
    answer["seconds"] = round(world.clock.elapsed() - began, 1)
    _keep(world, answer, drilled.told(answer))
    return answer


def _about(world: World, what: str) -> Answer:
    return {
        "application": world.site.application,
        "environment": world.settings.name,
        "what": what,
        "who": world.site.who,
        "at": world.clock.now().isoformat(),
    }


def _tell(death: Death) -> None:
    said = "; ".join(death.wrong) or f"in order within {death.seconds:g} s, nothing lost of {death.sent}"
    view.say(f"killed at {death.at}, then {death.by}: {said}")


def _keep(world: World, answer: Answer, detail: str) -> None:
    """Evidence that somebody has practiced, and what came of it."""
    facts = {
        name: value for name, value in answer.items() if name not in ("application", "environment", "who", "at", "ok")
    }
    world.note("evidence", item=drilled.ITEM, key=answer["what"], ok=bool(answer["ok"]), detail=detail, **facts)


def _first(answer: Answer) -> str:
    wrong = list(answer.get("wrong", ())) or [one for each in answer.get("rounds", ()) for one in each["wrong"]]
    lost = f"{answer['lost']} of {answer['sent']} requests were lost"
    return str(wrong[0]) if wrong else f"{lost}: {answer.get('why_lost', '')}".rstrip(": ")
