"""What a deployment's own events tell: it began, traffic moved, it is held, it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..bulletins import Bulletin
from ..ledger.facts import Facts, color, lists, part, parts, text, texts, truth, whole
from ..ledger.projections import done_by, happened_at
from ..ports import COLORS, Color, Event, Json
from .ending import ended
from .making import bulletin, subject
from .story import About, Story, Tale
from .wording import AT_THE_DATABASE, QUIET, all_on, numbers, verdict, weights

__all__ = ["CHANGES"]

LOOK_BACK = 40
"""Events before a deployment in which its checklist is looked for: whoever begins in its middle reads so many."""

Told = tuple[Story, Bulletin | None]


def _began(about: About, story: Story, event: Event) -> Told:
    facts = event.facts
    split, placed = _start(part(facts, "plan"))
    live = all_on(split)
    target = color(facts, "color")
    is_again = whole(facts, "first") > 0
    before = story.tale if is_again and story.tale and story.tale.deployment == text(facts, "deployment") else None
    tale = Tale(
        deployment=text(facts, "deployment"),
        number=whole(facts, "first") or event.number,
        task=text(facts, "task"),
        version=text(facts, "version") or (placed.get(target, "") if target else ""),
        previous=placed.get(live, "") if live else "",
        commit=text(facts, "commit"),
        color=target,
        who=text(facts, "who") or done_by(event),
        began=before.began if before else happened_at(event),
        notes=text(facts, "notes"),
        run=_run(facts),
        approvals=_approvals(story, event),
        home=weights(split),
        split=before.split if before else weights(split),
        warned=before.warned if before else (),
    )
    change = bulletin(about, event, "started", _beginning(about, tale, is_again=is_again), tale, notes=tale.notes)
    if tale.task in QUIET:
        change = change._replace(severity="detail")
    return story._replace(tale=tale, placed={**story.placed, **placed}), change


def _start(plan: Facts) -> tuple[Json, Mapping[Color, str]]:
    """Where traffic was when a deployment was planned, and the version on each color: from ``Situation`` as it is
    recorded, a list of its fields."""
    found = plan.get("starts_from")
    situation = found if isinstance(found, list | tuple) else ()
    installed = dict(zip(COLORS, situation[1:3], strict=False))
    versions = {
        color: each[2]
        for color, each in installed.items()
        if isinstance(each, list | tuple) and len(each) > 2 and isinstance(each[2], str)
    }
    return (situation[0] if situation else None), versions


def _run(facts: Facts) -> str:
    """The address of the job that runs it."""
    given = text(facts, "run") or text(part(facts, "run"), "url")
    return given if given.startswith(("https://", "http://")) else ""


def _approvals(story: Story, event: Event) -> str:
    """Who reviewed the change, and who approved the plan."""
    checked, digest = story.checked, text(event.facts, "digest")
    is_about_it = digest and checked.digest == digest and event.number - checked.number <= LOOK_BACK
    by = texts(part(event.facts, "planned"), "by")
    found = [checked.approvals if is_about_it else "", f"the plan was approved by {', '.join(by)}" if by else ""]
    return "; ".join(filter(None, found))


def _beginning(about: About, tale: Tale, *, is_again: bool) -> str:
    if is_again:
        return f"{subject(about, tale)}: the deployment goes on"
    if tale.task in AT_THE_DATABASE:
        doing = {"migrate": "migrated", "backup-database": "backed up"}.get(tale.task, "restored")
        return f"{subject(about, tale)} is being {doing}"
    if tale.task == "shift":
        return f"{subject(about, tale)} gets traffic"
    doing = {"install": "installed", "retire": "retired"}.get(tale.task, "deployed")
    hotfix = ", a hotfix," if tale.task == "hotfix" else ""
    what = " ".join(filter(None, (about.application, tale.version)))
    return f"{what}{hotfix} is being {doing} {'to' if doing == 'deployed' else 'in'} {about.environment}"


# -- on its way ----------------------------------------------------------------------------------------------


def _shifted(about: About, story: Story, event: Event) -> Told:
    split = weights(event.facts.get("split"))
    if story.tale is None or not split:
        return story, None
    tale = story.tale._replace(split=split)
    after = story._replace(tale=tale)
    if split == story.tale.split:
        return after, None
    return after, bulletin(about, event, "shifted", f"{subject(about, tale)}: {split}", tale, numbers=tale.numbers)


def _read(about: About, story: Story, event: Event) -> Told:
    outlook = part(event.facts, "outlook")
    if story.tale is None or not outlook:
        return story, None
    before = story.tale
    tale = before._replace(
        numbers=numbers(outlook, before.color),
        verdict=verdict(outlook),
        was_judged_bad=text(event.facts, "move") == "turn back",
        is_held=any(outlook.get(name) is not None for name in ("hold_left", "pause_left")),
        paused=text(outlook, "paused_by") if outlook.get("pause_left") is not None else "",
    )
    for tell in (_paused, _held, _warned):
        tale, change = tell(about, before, tale, outlook, event)
        if change is not None:
            return story._replace(tale=tale), change
    return story._replace(tale=tale), None


def _paused(about: About, before: Tale, tale: Tale, outlook: Facts, event: Event) -> tuple[Tale, Bulletin | None]:
    """By a person: people hear of each."""
    if not tale.paused or tale.paused == before.paused:
        return tale, None
    headline = f"{subject(about, tale)} is paused at {whole(outlook, 'percent')} % by {tale.paused}"
    return tale, bulletin(about, event, "held", headline, tale, why=text(outlook, "paused_why"), numbers=tale.numbers)


def _held(about: About, before: Tale, tale: Tale, outlook: Facts, event: Event) -> tuple[Tale, Bulletin | None]:
    """People hear of the first hold of each stage; whoever follows closely, of each."""
    is_over = tale.was_judged_bad or text(event.facts, "move") in ("stop", "finish")
    if tale.is_held == before.is_held or is_over:
        return tale, None
    where, stage = subject(about, tale), whole(outlook, "stage")
    if not tale.is_held:
        return tale, bulletin(about, event, "went-on", f"{where} goes on", tale, numbers=tale.numbers)
    said = bulletin(
        about,
        event,
        "held",
        f"{where} is held at {whole(outlook, 'percent')} %",
        tale,
        why=tale.verdict,
        numbers=tale.numbers,
    )
    if stage in tale.held_at:
        return tale, said._replace(severity="detail")
    return tale._replace(held_at=(*tale.held_at, stage)), said


def _warned(about: About, before: Tale, tale: Tale, outlook: Facts, event: Event) -> tuple[Tale, Bulletin | None]:
    """Of each limit once in a deployment."""
    new = [each for each in parts(outlook, "warnings") if text(each, "metric") not in before.warned]
    metrics = tuple(dict.fromkeys(filter(None, (text(each, "metric") for each in new))))
    if not metrics:
        return tale, None
    tale = tale._replace(warned=(*tale.warned, *metrics))
    headline = f"{subject(about, tale)}: {', '.join(metrics)} over the limit that warns"
    why = "; ".join(filter(None, (text(each, "why") for each in new)))
    shown = (*((text(each, "metric"), text(each, "why")) for each in new if text(each, "why")), *tale.numbers)
    return tale, bulletin(about, event, "warned", headline, tale, why=why, numbers=shown)


def _host_set_aside(about: About, story: Story, event: Event) -> Told:
    tale = story.tale or Tale(deployment=text(event.facts, "deployment"))
    headline = f"{subject(about, tale)} goes on without the host {text(event.facts, 'host')}"
    return story, bulletin(about, event, "warned", headline, tale, why=text(event.facts, "why"))


def _overridden(about: About, story: Story, event: Event) -> Told:
    tale = story.tale or Tale(deployment=text(event.facts, "deployment"))
    items = [(str(pair[0]), str(pair[1])) for pair in lists(event.facts, "items") if len(pair) == 2]
    if truth(event.facts, "promoted"):
        headline = f"{subject(about, tale)}: {_listed([item for item, _ in items])} was cut short"
        why = "; ".join(said for _, said in items)
        return story, bulletin(about, event, "overridden", headline, tale, why=why)
    headline = f"{subject(about, tale)} goes out in spite of {_listed([item for item, _ in items])}"
    why = "; ".join(f"{item}: {said}" for item, said in items)
    return story, bulletin(about, event, "overridden", headline, tale, why=why)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "an open item")))


# -- what only adds to what is known -------------------------------------------------------------------------


def _installed(about: About, story: Story, event: Event) -> Told:
    where = color(event.facts, "color")
    version = text(event.facts, "version")
    return (story._replace(placed={**story.placed, where: version}) if where and version else story), None


def _settled(about: About, story: Story, event: Event) -> Told:
    version = text(event.facts, "version")
    after, _ = _installed(about, story, event)
    return (after._replace(live=version) if version else after), None


def _checked(about: About, story: Story, event: Event) -> Told:
    results = lists(event.facts, "results")
    said = next(
        (str(one[2]) for one in results if len(one) == 3 and one[0] == "code.reviewed" and one[1] == "pass"), ""
    )
    seen = story.checked._replace(number=event.number, digest=text(event.facts, "digest"), approvals=said)
    return story._replace(checked=seen), None


CHANGES = {
    "began": _began,
    "shifted": _shifted,
    "reading": _read,
    "host-set-aside": _host_set_aside,
    "overridden": _overridden,
    "installed": _installed,
    "settled": _settled,
    "checked": _checked,
    "ended": ended,
}
"""Kind of event → the story after it, and what is told."""
