"""What others have said about a change: the people who reviewed it, and the continuous integration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..errors import Unreachable
from ..reviews import NoPull, NotTold, Person, judged
from .item import Found, Item
from .reviewers import Approvals, Told, told

if TYPE_CHECKING:
    from ..ports import Release
    from .pending import Pending
    from .subject import Subject

MOST = 100
"""Commits since the live release; each is asked about."""
NO_SECTION = "no `reviews:` section is configured"


def change_reviewed(of: Subject) -> Found:
    """Enough people approved the pull request that brought the commit, and nobody asks for changes."""
    if (of.gates.hotfix_approvals if of.hotfix else of.gates.approvals) == 0:
        return Found("not applicable", "no approvals are demanded")
    missing = Found("fail", f"{NO_SECTION}, so that nobody can tell who approved: add one (docs/github.md)")
    return _answered(of, missing, _reviewed)


def _reviewed(of: Subject, release: Release, known: Told) -> Found:
    found = _approvals(of, release, known)
    if isinstance(found, NoPull):
        return Found("fail", found.why)
    last = _judged(of, found, known)
    return _all_judged(of, release, known, last) if of.gates.every_commit and last.answer == "pass" else last


def _judged(of: Subject, found: Approvals, known: Told) -> Found:
    """Whether a pull request has what this way to production demands."""
    if found.counted.blocking:
        why = f"{found.name}: {_names(found.counted.blocking)} asked for changes{_aside(found)}"
        return Found("fail", f"{why}: let them approve, or have that review dismissed")
    return _by_seniors(of, found, known) if of.hotfix else _by_enough(found, found.counted.approved, of.gates.approvals)


def _approvals(of: Subject, release: Release, known: Told) -> Approvals | NoPull:
    """Those of the commit; or, where it only writes a release down and came by no pull request, of what it releases."""
    from ..release.bookkeeping import released
    from ..settings.release import Release as Rules

    found = known.approvals(release.commit)
    rules = of.world.settings.sections.get("release")
    commit = released(of.world.site.root, release.commit, rules if isinstance(rules, Rules) else Rules())
    if isinstance(found, NoPull) and commit != release.commit:
        return known.approvals(commit)
    return found


def _all_judged(of: Subject, release: Release, known: Told, last: Found) -> Found:
    """The same of everything that came since the live release; the first that has not enough stands in the way."""
    from ..release import git
    from .pending import live

    before = live(of)
    if before is None or not before.commit:
        return Found("pass", f"{last.evidence}; nothing is live that the commits before it could be compared with")
    try:
        commits = git.line(
            of.world.site.root, "rev-list", "--first-parent", f"{before.commit}..{release.commit}"
        ).split()
    except git.GitRefused as error:
        return Found(
            "fail", f"the commits since {before.version} ({before.commit[:12]}) are not known here: {error.said}"
        )
    if len(commits) > MOST:
        return Found("fail", f"{len(commits)} commits since {before.version}, and at most {MOST} can be looked at")
    known.ask_at_once(commits)
    for commit in commits:
        found = _approvals(of, release._replace(commit=commit), known)
        judged = Found("fail", found.why) if isinstance(found, NoPull) else _judged(of, found, known)
        if judged.answer != "pass":
            return Found("fail", f"{commit[:12]}, which came since {before.version}: {judged.evidence}")
    since = f"so were all {len(commits)} commits since {before.version}"
    return Found("pass", f"{last.evidence}; {since}" if len(commits) > 1 else last.evidence)


def _by_seniors(of: Subject, found: Approvals, known: Told) -> Found:
    team, needed = of.gates.senior_team, of.gates.hotfix_approvals
    if team is None:
        return Found("fail", "who may approve a hotfix is not configured: say `gates.senior_team: organization/team`")
    seniors = known.members(found.counted.approved, team, needed)
    return _by_enough(found, seniors, needed, f" of {team}", _why_not_senior(found, seniors, team, needed, known))


def _why_not_senior(found: Approvals, seniors: Sequence[Person], team: str, needed: int, known: Told) -> str:
    others = [person.login for person in found.counted.approved if person not in seniors]
    if len(seniors) >= needed or not others:
        return ""
    if not known.look.sees(team):
        return f"the token sees no team {team}, or there is none (it needs Members: read)"
    return f"{_names(others)} approved, and {'is' if len(others) == 1 else 'are'} not in {team}"


def _by_enough(found: Approvals, approved: Sequence[Person], needed: int, whose: str = "", more: str = "") -> Found:
    names = _names([person.login for person in approved])
    aside = _aside(found, more)
    if len(approved) >= needed:
        return Found("pass", f"{found.name} was approved by {names}{whose}{aside}")
    who = f", by {names}" if approved else ""
    has = f"{found.name} has {len(approved)} of {needed} approvals{whose}{who}{aside}"
    return Found("fail", f"{has}: have its head {found.pull.head[:12]} approved")


def integration_passed(of: Subject) -> Found:
    """Every required context of the continuous integration is green for this very commit."""
    is_production = of.world.settings.level == "production"
    missing = Found("needs a signature", f"{NO_SECTION}, so that no continuous integration can be asked")
    return _answered(of, missing if is_production else Found("not applicable", NO_SECTION), _integrated)


def _integrated(of: Subject, release: Release, known: Told) -> Found:
    gates = of.gates
    found = judged(known.look.checks(release.commit), gates.checks, gates.ignored_checks)
    if found.state == "green":
        return Found("pass", found.detail)
    do = {
        "pending": "wait for it; the job that deploys belongs into `gates.ignored_checks`",
        "unknown": "let it run for this commit, or say in `gates.checks` what counts",
        "red": "mend it",
    }[found.state]
    return Found("fail", f"{found.detail}: {do}")


def migrations_reviewed(of: Subject) -> Found:
    """For each pending migration, somebody of the database team approved the pull request that brought it."""
    from .pending import pending

    found = pending(of)
    if not found.names:
        return Found("not applicable", f"no migration is pending: {found.why}")
    team, what = of.gates.database_team, _names(found.names)
    if team is None:
        return Found("needs a signature", f"{what} pending, and no `gates.database_team` is configured")
    missing = Found("needs a signature", f"{what} pending, and {NO_SECTION}")
    return _answered(of, missing, lambda of, release, known: _by_the_team(of, release, known, found, team))


def _by_the_team(of: Subject, release: Release, known: Told, found: Pending, team: str) -> Found:
    who = []
    for commit, names in _commits(of, release, found).items():
        approvals = known.approvals(commit) if commit != release.commit else _approvals(of, release, known)
        if isinstance(approvals, NoPull):
            return Found("fail", f"{_names(names)}: {approvals.why}")
        experts = known.members(approvals.counted.approved, team, 1)
        if not experts:
            seen = "" if known.look.sees(team) else " (the token sees no such team: it needs Members: read)"
            aside = _aside(approvals)
            why = f"nobody of {team}{seen} approved {approvals.name}, which brought {_names(names)}{aside}"
            return Found("fail", f"{why}: ask them for a review")
        who.append(f"{experts[0].login} of {team} approved {approvals.name}, which brought {_names(names)}")
    return Found("pass", "; ".join(who))


def _commits(of: Subject, release: Release, found: Pending) -> dict[str, list[str]]:
    """By which commit each migration came to what it is; one that has no file came with the release."""
    from ..release import git

    came: dict[str, list[str]] = {}
    files = {name: file for name, file in zip(found.names, found.files, strict=False) if file}
    for name in found.names:
        commit = release.commit
        if name in files:
            where = ("--", f":(literal){files[name]}")
            commit = git.line(of.world.site.root, "log", "-1", "--format=%H", release.commit, *where) or commit
        came.setdefault(commit, []).append(name)
    return came


# -- what they have in common ----------------------------------------------------------------------------------------


def _answered(of: Subject, missing: Found, find: Callable[[Subject, Release, Told], Found]) -> Found:
    """What was found, or why nothing could be: it fails then, and says what to do."""
    release = of.release
    if release is None:
        return Found("pending", "no release yet")
    reviews = of.world.reviews
    if reviews is None:
        return missing
    if release.dirty:
        is_free = of.world.settings.dirty and of.world.settings.level != "production"
        return Found(
            "warn" if is_free else "fail", f"the work tree differs from {release.commit[:12]}: nobody saw that"
        )
    try:
        return find(of, release, told(of, reviews))
    except NotTold as error:
        return Found("fail", f"cannot be checked: {_with_advice(error)}")
    except Unreachable as error:
        return Found("fail", f"unreachable: {_with_advice(error)}")


def _with_advice(error: Unreachable) -> str:
    return f"{error.what}: {error.do}" if error.do else error.what


def _aside(found: Approvals, more: str = "") -> str:
    sentences = "; ".join(filter(None, (more, found.left_out)))
    return f" (not counted: {sentences})" if sentences else ""


def _names(names: Sequence[str], most: int = 5) -> str:
    rest = len(names) - most
    shown = [*names[:most], f"{rest} more"] if rest > 0 else list(names)
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1] if shown else "")))


REVIEWED = Item("code.reviewed", "The change was reviewed", change_reviewed, asks="reviews", critical=True)
INTEGRATED = Item(
    "code.ci",
    "Continuous integration passed for this commit",
    integration_passed,
    "staging",
    asks="reviews",
    critical=True,
)
MIGRATIONS_REVIEWED = Item(
    "database.reviewed", "The database team reviewed the migrations", migrations_reviewed, asks="reviews"
)
