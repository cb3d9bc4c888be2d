"""Order: the environments before this one, and the version that is live."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import DeployError, Unreachable, UsageError
from . import evidence
from .elsewhere import environments, other_world
from .item import Found, Item
from .window import span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..ledger.standing import Standing, Succeeded
    from ..ports import Installed, Release
    from .subject import Subject


def staged(of: Subject) -> Found:
    """This very content of this very commit succeeded in every environment that comes before, not too long ago."""
    release = of.release
    if release is None:
        return Found("pending", "no release yet")
    before = _before(of)
    if before is None:
        return Found(
            "needs a signature",
            "no environment comes before this one: name them in `gates.after`, or say `after: []` if there is none",
        )
    if not before:
        return Found("not applicable", "`gates.after` names no environment")
    found = [_staged_in(name, release, of) for name in before]
    told = "; ".join(one.evidence for one in found)
    return Found("fail" if any(one.answer == "fail" for one in found) else "pass", told)


def newer(of: Subject) -> Found:
    """The version is above the live one, by the precedence of semantic versions."""
    if of.release is None:
        return Found("pending", "no release yet")
    split = of.world.traffic.at_rest()
    if split.is_mixed:
        return Found("pending", f"traffic is at {split.weights()}: that is cleared up first")
    if split.live is None:
        return Found("pass", "nothing is live yet")
    live = of.installed(split.live)
    return _compared(of.release, live, f"on {split.live}", of.older)


# -- the environments before -----------------------------------------------------------------------


def _before(of: Subject) -> Sequence[str] | None:
    """The environments before this one; ``None`` when nobody said which, and none is called ``staging``."""
    own, after = of.world.settings.name, of.gates.after
    if after is None:
        return ("staging",) if own != "staging" and "staging" in environments(of.world) else None
    for name in after:
        if name == own or name not in environments(of.world):
            raise _wrong(name, own, environments(of.world))
    return after


def _wrong(name: str, own: str, known: Sequence[str]) -> UsageError:
    from ..settings.mistakes import did_you_mean

    others = [other for other in known if other != own]
    what = f"{name} cannot come before itself" if name == own else f"there is no environment {name!r}"
    return UsageError(
        f"deploy.environments.{own}.gates.after: {what}{did_you_mean(name, others)}",
        do=f"choose of: {', '.join(others)}" if others else "say `after: []`: there is no other environment",
    )


def _staged_in(name: str, release: Release, of: Subject) -> Found:
    try:
        standing = other_world(of.world, name).ledger.head().standing
    except UsageError:
        raise
    except Unreachable as error:
        return Found("fail", f"{name}: unreachable: {error.what}")
    except (DeployError, OSError) as error:
        return Found("fail", f"{name}: cannot be checked: {getattr(error, 'what', error)}")
    now, within = of.world.clock.now(), timedelta(seconds=of.gates.after_within)
    for success in reversed(standing.succeeded):
        is_this = (success.digest, success.commit) == (release.digest, release.commit)
        if is_this and evidence.is_within(success.at, within, now):
            return Found("pass", f"{name}: {_told(success)}")
    return Found("fail", f"{name}: {_missing(release, standing, now, within)}; {_what_to_do(name, release, standing)}")


def _missing(release: Release, standing: Standing, now: datetime, within: timedelta) -> str:
    """What exactly is missing there, the nearest miss first."""
    at_work = standing.open
    if at_work is not None and at_work.digest == release.digest:
        return f"{release.version} is being deployed there, by {at_work.who} since {_minute(at_work.at)}"
    for success in reversed(standing.withdrawn):
        if success.digest == release.digest:
            return f"{_told(success)}, but was rolled back"
    for success in reversed(standing.succeeded):
        if success.digest == release.digest:
            return _nearly(success, release, now, within)
    for success in reversed(standing.succeeded):
        if success.version == release.version:
            there, here = success.digest[:12], release.digest[:12]
            return f"{_told(success)}, with another content ({there} there, {here} here)"
    for ended in reversed(standing.recent):
        if ended.digest == release.digest:
            return f"{release.version} did not succeed there ({ended.outcome}, {_minute(ended.ended)}): {ended.why}"
    return f"{release.version} (content {release.digest[:12]}) was never deployed there"


def _nearly(success: Succeeded, release: Release, now: datetime, within: timedelta) -> str:
    """The same content; but of another commit, or too long ago."""
    if success.commit != release.commit:
        commit = f"commit {success.commit[:12]}" if success.commit else "a commit that is not known"
        return f"{_told(success)}, as {commit}; this is {release.commit[:12]}"
    age = (now - success.at).total_seconds()
    if age < 0:
        return f"{_told(success)}, which is yet to come: whose clock is wrong?"
    return f"{_told(success)}, {span(age)} ago; that counts for {span(within.total_seconds())} (`gates.after_within`)"


def _what_to_do(name: str, release: Release, standing: Standing) -> str:
    if standing.open is not None and standing.open.digest == release.digest:
        return "wait for its end"
    settled = standing.settled
    is_live = settled is not None and settled.digest == release.digest
    return f"`inv deploy --env {name}{' --redeploy' if is_live else ''}` first"


def _told(success: Succeeded) -> str:
    by = f" by {success.who}" if success.who else ""
    return f"{success.version} succeeded there {_minute(success.at)} (deployment {success.deployment}{by})"


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


# -- the live version ------------------------------------------------------------------------------


def _compared(release: Release, live: Installed | None, where: str, older: str) -> Found:
    from semver import Version

    if live is not None and (live.digest == release.digest or (not live.digest and live.release == release.name)):
        return Found("pass", f"exactly this is live already {where}")
    known = live.version if live is not None else ""
    if not Version.is_valid(known) or not Version.is_valid(release.version):
        said = f"{known!r} is no version to compare with" if known else "nobody knows which"
        return _unless_allowed(f"{release.version} cannot be compared with what is live {where}: {said}", older)
    order = Version.parse(release.version).compare(known)
    if order > 0:
        return Found("pass", f"{release.version} is newer than {known}, live {where}")
    how = "older than" if order < 0 else "no newer than"
    return _unless_allowed(f"{release.version} is {how} {known}, live {where}", older)


def _unless_allowed(what: str, older: str) -> Found:
    if older:
        return Found("warn", f"{what}; allowed: {older}")
    return Found("fail", f"{what}: deploy a newer one, or say --allow-older --reason …")


ITEMS = (
    Item("order.staged", "This content succeeded in the environment before", staged, asks="ledgers", critical=True),
    Item("order.version", "The version is newer than the live one", newer, asks="fleet", critical=True),
)
