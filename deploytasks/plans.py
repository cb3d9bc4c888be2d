"""From what was observed and what is wanted to a plan. Pure: no clock, no socket, no Invoke."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from .engine.plan import Plan, Situation
from .engine.step import Step
from .errors import GateRefused, UsageError
from .handing_over import handed_over, notes, only_installed, refuse_by_hand, stages_of
from .ports import COLORS, Color, Installed, Release, Split, other
from .rules import rollout_rules
from .steps import (
    Arm,
    BackUp,
    Claim,
    Disarm,
    Gate,
    Install,
    LeaveOut,
    LetGo,
    Migrate,
    Prepare,
    Prune,
    Restore,
    Retire,
    RollOut,
    Settle,
    Smoke,
    Start,
    WarmUp,
)

if TYPE_CHECKING:
    from .settings import Settings

Build = Callable[["Settings", Situation, str], Plan]
"""Settings, what was observed, the id of the deployment → its plan."""


def deploy(
    settings: Settings,
    seen: Situation,
    deployment: str,
    *,
    release: Release,
    target: Color | None = None,
    gates: bool = True,
    redeploy: bool = False,
    hotfix: bool = False,
    older: str = "",
) -> Plan:
    """Install a release on the idle color, move traffic there in stages, and settle.

    ``hotfix``: the short way: fewer gates, and stages as ``hotfix`` has them. ``older``: why a version older than the
    live one may go out.
    """
    home = _home(seen.split)
    _same_version_same_digest(release, seen)
    if home and _is(seen.on(home), release) and not redeploy and target in (None, home):
        return _as_it_is(seen, deployment, release, home)
    color = _idle(home, target)
    steps: list[Step] = [Prepare(), *_revival(seen, home)]
    if gates or settings.protected:
        steps.append(Gate(release, hotfix, older))
    steps += _installation(settings, seen, deployment, release, color)
    asked = _stages(settings, hotfix)
    stages = stages_of(settings, asked)
    steps += _exposure(settings, seen, deployment, release, home, color, stages, hotfix=hotfix)
    steps = handed_over(settings, steps, stages, home)
    spare = [found.release for found in (seen.blue, seen.green) if found]
    steps.append(Prune(settings.keep_releases, tuple(dict.fromkeys((*spare, release.name)))))
    told = (*_notes(seen, release, color, home), *notes(settings, asked))
    return Plan(deployment, "deploy", seen, tuple(steps), release, color, told)


def install(
    settings: Settings,
    seen: Situation,
    deployment: str,
    *,
    release: Release,
    target: Color | None = None,
    known: Collection[str] = (),
    hotfix: bool = False,
) -> Plan:
    """Install and start a release on the idle color, and leave traffic where it is.

    Where the environment is protected, it passes the gates first: it runs there, beside the data, and a way back may
    lead to it. ``known``: the digests of what was live there already, and comes back without them.
    """
    home = _home(seen.split)
    _same_version_same_digest(release, seen)
    color = _idle(home, target)
    gates = [] if release.digest in known else _gates(settings, release, hotfix)
    steps: list[Step] = [Prepare(), *gates]
    steps += only_installed(settings, _installation(settings, seen, deployment, release, color, migrate=False))
    steps.append(LetGo(seen.split, deployment))
    return Plan(deployment, "install", seen, tuple(steps), release, color, _notes(seen, release, color, home))


def migrate(
    settings: Settings,
    seen: Situation,
    deployment: str,
    *,
    target: Color | None = None,
    commits: Mapping[str, str] | None = None,
    hotfix: bool = False,
) -> Plan:
    """Back up, then migrate from the release on the idle color; past its gates, where the environment is protected.

    ``commits``: of what is installed, by digest.
    """
    color = target or _idle(_home(seen.split), None)
    found = seen.on(color)
    if found is None:
        raise GateRefused(f"nothing is installed on {color}", do="`inv install` first, or name another --color")
    steps = _migration(settings, deployment, color)
    if not steps:
        raise GateRefused(
            "no migration command is configured", do=f"set deploy.environments.{settings.name}.database.migrate"
        )
    gates = _gates(settings, _release(found, commits), hotfix)
    return Plan(deployment, "migrate", seen, (*gates, *steps), None, color)


def shift(
    settings: Settings,
    seen: Situation,
    deployment: str,
    *,
    stages: Sequence[int],
    watch: float,
    target: Color | None = None,
    commits: Mapping[str, str] | None = None,
    hotfix: bool = False,
) -> Plan:
    """Move traffic by hand to what is installed on the idle color: through ``stages``, each watched ``watch`` seconds.

    When the last stage is 100, it settles like a deployment; below that, traffic goes home after the watch. Where the
    environment is protected, the gates are the same as for a deployment; ``commits``: of what is installed, by digest.
    """
    refuse_by_hand(settings)
    home = _home(seen.split)
    color = _idle(home, target)
    found = seen.on(color)
    if found is None or not found.running or not found.digest:
        raise GateRefused(f"nothing runs on {color} that traffic could go to", do="`inv install` first")
    release = _release(found, commits)
    steps = [
        *_gates(settings, release, hotfix),
        Claim(seen.split, deployment),
        *_left_out(seen, color),
        *_exposure(settings, seen, deployment, release, home, color, tuple(stages), watch=watch),
    ]
    return Plan(deployment, "shift", seen, tuple(steps), release, color)


def retire(settings: Settings, seen: Situation, deployment: str) -> Plan:
    """Close the way back and stop the old color."""
    live = seen.split.live
    if live is None:
        raise GateRefused(f"nothing can be retired while traffic is at {seen.split.weights()}")
    color = other(live)
    found = seen.on(color)
    if seen.split.way_back is None and not (found and found.runs):
        return Plan(deployment, "retire", seen, (), None, color, (f"{color} is retired already",))
    steps = (*_left_out(seen, color), Retire(color, seen.split, deployment))
    return Plan(deployment, "retire", seen, steps, None, color)


def back_up(settings: Settings, seen: Situation, deployment: str, *, who: str) -> Plan:
    """One verified copy of the database."""
    step = BackUp(_backup_name(settings, deployment), _keep(settings), _tags(deployment, who))
    return Plan(deployment, "backup-database", seen, (step,))


def restore(settings: Settings, seen: Situation, deployment: str, *, backup: str, at: str = "") -> Plan:
    """Put a copy in the database's place, or what it was ``at`` a time (ISO 8601); nothing takes that back but another
    restore."""
    return Plan(deployment, "restore-database", seen, (Restore(backup, deployment, at),))


def _as_it_is(seen: Situation, deployment: str, release: Release, home: Color) -> Plan:
    """Nothing to do; unless it was shut down: then what was live is started again."""
    found = seen.on(home)
    if found and not found.digest:
        raise GateRefused(
            f"{release.version} is live on {home} already, but not on every host: {_odd(found)}",
            state="nothing was changed",
            do="`inv resume` brings hosts along that were left out; --redeploy deploys it anew, to the other color",
        )
    revival = _revival(seen, home)
    is_down = bool(revival) or not seen.balancer_runs
    steps: list[Step] = [Prepare(), *revival, Smoke(None)] if is_down else []
    return Plan(
        deployment, "deploy", seen, tuple(steps), release, home, (f"{release.version} is live on {home} already",)
    )


def _revival(seen: Situation, home: Color | None) -> list[Step]:
    """Start the live color when it does not run: it is the way back, and it has all traffic. Where it runs on some
    hosts, they are left alone."""
    found = seen.on(home) if home else None
    if home is None or found is None or found.running:
        return []
    if not found.partly:
        return [Start(home)]
    return [Start(home, found.down)] if found.down else []


# -- pieces ----------------------------------------------------------------------------------------


def _installation(
    settings: Settings, seen: Situation, deployment: str, release: Release, color: Color, *, migrate: bool = True
) -> list[Step]:
    before = seen.on(color)
    warm_up = settings.warm_up
    steps: list[Step] = [
        Claim(seen.split, deployment),
        *_left_out(seen, color),
        Install(release, color, before.release if before else None, bool(before and before.runs), deployment),
    ]
    if migrate:
        steps += _migration(settings, deployment, color, release)
    steps.append(Start(color))
    if warm_up.requests:
        steps.append(WarmUp(color, warm_up.paths, warm_up.requests))
    return [*steps, Smoke(color)]


def _migration(settings: Settings, deployment: str, color: Color, release: Release | None = None) -> list[Step]:
    database = settings.sections.get("database")
    command = getattr(database, "migrate", None)
    if not command:
        return []
    backup = BackUp(_backup_name(settings, deployment), _keep(settings), _tags(deployment, "", release))
    own = {name: getattr(database, name, None) for name in ("reverse", "preset", "migrator")}
    return [backup, Migrate(color, command, **own, here=getattr(database, "where", "fleet") == "local")]


def _left_out(seen: Situation, color: Color) -> list[Step]:
    return [LeaveOut(seen.aside, color)] if seen.aside else []


def _gates(settings: Settings, release: Release, hotfix: bool) -> list[Step]:
    """What every way by hand passes where the environment is protected."""
    return [Gate(release, hotfix)] if settings.protected else []


def _stages(settings: Settings, hotfix: bool) -> tuple[int, ...]:
    """A hotfix goes by its own stages, unless the usual ones are fewer."""
    usual = settings.rollout.stages
    return min(settings.rollout.hotfix.stages, usual, key=len) if hotfix else usual


def _exposure(
    settings: Settings,
    seen: Situation,
    deployment: str,
    release: Release,
    home: Color | None,
    color: Color,
    stages: tuple[int, ...],
    watch: float | None = None,
    hotfix: bool = False,
) -> list[Step]:
    rules = rollout_rules(settings, deployment, home, color, stages, watch, lag=seen.lag, hotfix=hotfix)
    stays = stages[-1] == 100
    steps: list[Step] = []
    if "deadman" in settings.sections:
        steps.append(Arm(Split.all_on(home, None, f"deadman:{deployment}"), deployment))
    steps.append(RollOut(rules, deployment, ends_home=not stays))
    if stays:
        return [*steps, Smoke(None), Settle(color, home, settings.rollout.way_back, release, deployment)]
    return [*steps, Disarm()] if "deadman" in settings.sections else steps


def _home(split: Split) -> Color | None:
    if split.is_mixed:
        raise GateRefused(
            f"traffic is at {split.weights()}, and no deployment of ours is at work",
            state="nothing was changed",
            do="`inv rollback --reason …` brings it to one color",
        )
    return split.live


def _idle(home: Color | None, target: Color | None) -> Color:
    if target is None:
        return "blue" if home is None else other(home)
    if target not in COLORS:
        raise UsageError(f"there is no color {target!r}", do="say blue or green")
    if target == home:
        raise UsageError(f"{target} is live: a release goes to the idle color", do=f"say {other(target)}, or nothing")
    return target


def _release(found: Installed, commits: Mapping[str, str] | None) -> Release:
    """What is installed, as far as it is known here. ``commits``: by digest."""
    return Release(found.version, (commits or {}).get(found.digest, ""), found.digest, "")


def _is(found: Installed | None, release: Release) -> bool:
    """Whether this is what most hosts have."""
    return found is not None and (
        found.digest == release.digest or (not found.digest and found.release == release.name)
    )


def _odd(found: Installed) -> str:
    return "; ".join(f"{host} {why}" for host, why in found.odd.items())


def _same_version_same_digest(release: Release, seen: Situation) -> None:
    for color in COLORS:
        found = seen.on(color)
        if found and found.version == release.version and not _is(found, release):
            raise GateRefused(
                f"{release.version} is on {color} with another content "
                f"({found.release.rpartition('-')[2]}, this one is {release.digest[:12]})",
                state="nothing was changed",
                do="a version is one content for ever: give this one a version of its own",
            )


def _notes(seen: Situation, release: Release, color: Color, home: Color | None) -> tuple[str, ...]:
    notes = []
    if home is None:
        notes.append("first deployment: nothing is exposed before smoke passes, and there is no way back")
    before = seen.on(color)
    if seen.split.way_back == color and before:
        notes.append(f"replaces the way back to {color} {before.version}; its release stays on disk")
    for host, why in seen.aside.items():
        notes.append(f"without {host} ({why}): it must be down, or be taken out of the balancer, until it is back")
    for at in COLORS:
        found = seen.on(at)
        if found and found.odd:
            notes.append(f"the hosts disagree about {at}: most have {found.release}; {_odd(found)}")
    if release.dirty:
        notes.append("built from a work tree with changes that no commit has")
    return tuple(notes)


def _backup_name(settings: Settings, deployment: str) -> str:
    return f"{settings.application}-{deployment}"


def _keep(settings: Settings) -> int:
    return int(getattr(settings.sections.get("database"), "keep", 14))


def _tags(deployment: str, who: str, release: Release | None = None) -> dict[str, str]:
    tags = {"deployment": deployment, "who": who}
    return {**tags, "version": release.version, "commit": release.commit} if release else tags
