"""A plan is written down, approved by others than its author, and carried out exactly as it is, or not at all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import plans, view
from ..checklist.plan_approvals import Approvals, Planned, approvals, refusal
from ..checklist.signing import proven
from ..engine.plan import Plan, content, digest_of, new_deployment, rendered
from ..errors import GateRefused, UsageError
from ..steps.gate import accepted
from . import plan_file, signing
from .carrying_out import carry_out
from .drift import drift
from .executing import refuse_secrets
from .opening import open_world
from .plan_file import PlanFile, Wanted
from .releases import built_release, choose_release

if TYPE_CHECKING:
    from collections.abc import Iterable

    from invoke import Context

    from ..engine.plan import Situation
    from ..ports import Event, Release
    from ..settings import Settings
    from ..world import World


# -- writing it down ---------------------------------------------------------------------------------


def plan(world: World, version: str | None, wanted: Wanted, out: str | None, *, json: bool) -> None:
    """Show the plan of a deployment, and write it to ``out``; in a protected environment signed by its author."""
    release = choose_release(world, version, beside=Path(out) if out else None)
    _require_nothing_open(world)
    made = _build(world, release, wanted)
    if not made.steps:
        view.say("; ".join(made.notes) or "nothing to do")
        return
    refuse_secrets(made)
    found = _written_down(world, made, wanted)
    if out:
        plan_file.require_writable(found, Path(out))
        found = _signed(world, found)
        plan_file.write(found, Path(out))
    if json:
        view.show("plan", found.to_json(), json)
    else:
        view.plan(rendered(made, world), made, found.digest)
    if out:
        more = f"have it approved: inv approve {out}; then inv deploy --env {found.environment} --plan-file {out}"
        view.say(f"wrote {out}, by {found.author}: {more}")


def _require_nothing_open(world: World) -> None:
    """What is taken back before a deployment changes what it starts from."""
    found = world.ledger.head().standing.open
    if found is not None:
        raise GateRefused(
            f"{found.task} {found.deployment} is at work, or was left unfinished: what it leaves is not known yet",
            state="nothing was changed",
            do="`inv status`; `inv resume` goes on with it; then plan",
        )


def _build(world: World, release: Release, wanted: Wanted) -> Plan:
    planned = _wish(release, wanted)
    return planned(world.settings, world.situation(), new_deployment(world.clock.now(), "planned"))


def _wish(release: Release, wanted: Wanted) -> plans.Build:
    return partial(plans.deploy, release=release, **wanted._asdict())


def _written_down(world: World, made: Plan, wanted: Wanted) -> PlanFile:
    found = content(made, world)
    return PlanFile(
        application=world.site.application,
        environment=world.site.environment,
        version=made.release.version if made.release else "",
        digest=digest_of(found),
        author=world.site.who,
        made_at=world.clock.now(),
        wanted=wanted,
        content=found,
    )


def _signed(world: World, found: PlanFile) -> PlanFile:
    """The plan with its author; where people sign, with their signature, so that nobody approves their own plan under
    another name."""
    facts = signing.record(world, "plan", "", found.digest, found.version, commit=found.release.commit)
    if not facts["signer"]:
        return found
    return found._replace(author=facts["signer"], statement=facts["statement"], signature=facts["signature"])


# -- approving it ------------------------------------------------------------------------------------


def approve(
    c: Context, env: str | None, file: str, note: str | None, *, preview: bool, consent: bool, json: bool
) -> None:
    """Show a plan and record the approval of its digest. Raises ``GateRefused`` for a file that was tampered with, for
    its author, and for those who may not approve."""
    found = plan_file.read(Path(file))
    world = open_world(c, env or found.environment, need=signing.LEAST, consent=consent)
    approve_in(world, found, file, note or "", preview=preview, json=json)


def approve_in(world: World, found: PlanFile, file: str, note: str = "", *, preview: bool, json: bool) -> None:
    """The same, in an environment that is open."""
    _require_ours(world, found, file)
    planned = _handed_over(world, found)
    if not json:
        made, calls = found.rendered()
        view.plan(calls, made, found.digest)
    view.say(f"{file}: planned by {found.author}, {found.made_at:%Y-%m-%d %H:%M} UTC")
    if not preview:
        _ask(world)
    check = partial(_require_may_approve, world, planned)
    signing.record(world, "approve", "", found.digest, note, commit=planned.commit, preview=preview, check=check)
    if not preview:
        now = approvals(planned, world, world.ledger.head().standing)
        view.show("approved", _answer(world, found, now, file), json)


def _ask(world: World) -> None:
    """A person at a terminal, who has just been shown the plan. Elsewhere the command itself is their word."""
    if view.is_terminal() and not world.consent and not view.confirm(f"Approve this plan for {world.settings.name}?"):
        raise GateRefused("not approved", state="nothing was recorded")


def _require_may_approve(world: World, planned: Planned, who: str) -> None:
    why = refusal(who, planned, world) if who else ""
    if why:
        raise GateRefused(f"{who} may not approve this plan: {why}", state="nothing was recorded")


def _answer(world: World, found: PlanFile, now: Approvals, file: str) -> dict[str, Any]:
    return {
        "environment": world.site.environment,
        "file": file,
        "version": found.version,
        "digest": found.digest,
        "author": found.author,
        "approved_by": list(now.by),
        "needed": now.needed,
        "suffice": now.suffice,
        "not_counted": list(now.doubts),
    }


def _require_ours(world: World, found: PlanFile, file: str) -> None:
    ours, its = (world.site.application, world.site.environment), (found.application, found.environment)
    if ours != its:
        raise UsageError(
            f"{file} is a plan for {its[0]} in {its[1]}, and this is {ours[0]} in {ours[1]}",
            state="nothing was changed",
            do=f"say --env {its[1]}, or leave it out" if ours[0] == its[0] else "run it in that project",
        )


def _handed_over(world: World, found: PlanFile) -> Planned:
    """The plan with its author, who is proven where people sign. Raises ``BadSignature`` otherwise."""
    commit = found.release.commit
    if not world.settings.protected:
        return Planned(found.digest, found.author, commit)
    facts = {"statement": found.statement, "signature": found.signature}
    try:
        _, proof = proven(facts, ("plan", "", found.digest, found.version), world, commit)
    except GateRefused as error:
        raise GateRefused(
            f"who planned this is not proven: {error.what}",
            state="nothing was changed",
            do="plan anew: `inv plan --out`, which signs it",
        ) from error
    if proof.signer != found.author:
        raise GateRefused(f"the plan says that {found.author} made it, and {proof.signer} signed it")
    return Planned(found.digest, proof.signer, commit)


# -- carrying it out ---------------------------------------------------------------------------------


def wish(hotfix: bool, older: str, target: str | None, redeploy: bool) -> Wanted:
    """What the command line asks for."""
    return Wanted(hotfix, older, target, redeploy)


def hand_over(world: World, file: str) -> Wanted:
    """Have the gates know that a plan was handed over; what was asked for when it was made."""
    found = plan_file.read(Path(file))
    _require_ours(world, found, file)
    world.planned = _handed_over(world, found)
    return found.wanted


def deploy(world: World, file: str, given: Wanted, version: str | None, *, preview: bool, wait: float) -> None:
    """Carry out a plan that was approved: planned anew under the lease, and refused when anything differs.

    ``given``, ``version``: what the command line says besides; it may not contradict the plan.
    """
    found = plan_file.read(Path(file))
    wanted = hand_over(world, file)
    _require_no_contradiction(found, given, version)
    release = (choose_release if preview else built_release)(world, None, file)
    build = _wish(release, wanted)

    def approved(settings: Settings, seen: Situation, deployment: str) -> Plan:
        made = build(settings, seen, deployment)
        if made.steps:
            _require_the_same(world, made, found)
            _require_approved(world)
        return made

    carry_out(world, approved, task="hotfix" if wanted.hotfix else "deploy", preview=preview, wait=wait)


def _require_no_contradiction(found: PlanFile, given: Wanted, version: str | None) -> None:
    said = [
        f"--{name.replace('_', '-')}"
        for name, value in given._asdict().items()
        if value and value != getattr(found.wanted, name)
    ]
    said += ["--version"] if version and version != found.version else []
    if said:
        raise UsageError(f"the plan says something else than {', '.join(said)}", do="leave that out, or plan anew")


def _require_the_same(world: World, made: Plan, found: PlanFile) -> None:
    now = content(made, world)
    if digest_of(now) == found.digest:
        return
    lines = [f"  {line}" for line in drift(found.content, now)]
    raise GateRefused(
        "\n".join(["the plan that was approved is not what would be done now:", *lines]),
        state="nothing was changed",
        do="plan anew, and have that approved: `inv plan --out`",
    )


def _require_approved(world: World) -> None:
    assert world.planned is not None
    now = approvals(world.planned, world, world.ledger.head().standing)
    if not now.suffice:
        raise GateRefused(
            f"the plan is not approved: {now}", state="nothing was changed", do="`inv approve` it, by another person"
        )
    world.planned = world.planned._replace(by=now.by)


def remember(world: World, past: Iterable[Event]) -> None:
    """After a death: the plan that was handed over to a deployment, and what its gate found set aside."""
    for event in past:
        if event.kind == "began" and isinstance(of := event.facts.get("planned"), dict):
            by = tuple(map(str, of.get("by") or ()))
            world.planned = Planned(str(of.get("digest")), str(of.get("author")), str(of.get("commit")), by)
        if event.kind == "overridden" and isinstance(items := event.facts.get("items"), list):
            found = tuple(": ".join(map(str, each)) for each in items if isinstance(each, list))
            if event.facts.get("promoted"):  # beside what the gate found
                world.overridden += found
                continue
            world.overridden = found
            world.accepted = frozenset(accepted(event.facts))
