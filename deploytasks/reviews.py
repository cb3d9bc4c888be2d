"""Who has reviewed a change, and whether its continuous integration is green: the words, the port, and the counting.

The counting is pure. A review counts by what its author said last, and an approval counts only if nothing speaks
against it; whoever is left out is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from .errors import Unreachable

if TYPE_CHECKING:
    from .ports import Finding


class NotTold(Unreachable):
    """It answered, and does not tell us: the token may not see it, or it is not there."""


class Person(NamedTuple):
    """Somebody with an account. The number is the person; the name may change, and may then be another's."""

    id: int
    login: str
    is_bot: bool = False


class PullRequest(NamedTuple):
    """A change on its way to a branch (``base``), or there already. ``head``: its last commit."""

    number: int
    title: str
    author: Person | None
    """``None``: the account was deleted."""
    head: str
    base: str
    state: Literal["open", "merged", "closed"]


class Review(NamedTuple):
    """What somebody said about a pull request. Of one person, the later ones come later."""

    by: Person | None
    """``None``: the account was deleted."""
    verdict: str
    """``approved``, ``changes requested``, ``dismissed``, ``commented``, ``pending``, or a word that nobody knows."""
    commit: str | None
    """What was looked at; ``None``: it is not there any more."""


class NoPull(NamedTuple):
    """Why no pull request speaks for a commit, and what to do."""

    why: str


def brought_by(pulls: Iterable[PullRequest], commit: str, bases: Collection[str]) -> PullRequest | NoPull:
    """The one pull request that brought a commit to one of the branches ``bases`` (shell patterns).

    One that is merged goes before those that are open; and an open one speaks for its head alone.
    """
    every = [pull for pull in pulls if pull.state != "closed"]
    found = [pull for pull in every if any(fnmatchcase(pull.base, pattern) for pattern in bases)]
    if not every:
        return NoPull(f"no pull request brought {commit[:12]}: it was pushed directly; bring it by one")
    if not found:
        others = ", ".join(f"#{pull.number} into {pull.base}" for pull in every)
        return NoPull(f"{commit[:12]} came by {others}, not into {_listed(bases)}; bring it there by a pull request")
    merged = [pull for pull in found if pull.state == "merged"]
    candidates = merged or found
    if len(candidates) > 1:
        numbers = ", ".join(f"#{pull.number}" for pull in candidates)
        return NoPull(f"{commit[:12]} is in several pull requests ({numbers}): which one brought it cannot be told")
    pull = candidates[0]
    if pull.state == "open" and pull.head != commit:
        why = f"#{pull.number} is open, and its head is {pull.head[:12]}, not {commit[:12]}"
        return NoPull(f"{why}; merge it, or deploy its head")
    return pull


# -- approvals -------------------------------------------------------------------------------------------------------


Why = Literal["self", "bot", "gone", "stale", "dismissed", "comment", "author", "reader", "unknown"]

SENTENCES: Mapping[Why, str] = {
    "self": "{who} opened it",
    "bot": "{who} is a bot",
    "gone": "{who} cannot be told from others",
    "stale": "{who} approved {commit}, not its head {head}",
    "dismissed": "the review of {who} was dismissed",
    "comment": "{who} only commented",
    "author": "{who} wrote a commit of it",
    "reader": "{who} may not write to the repository",
    "unknown": "{who} said “{verdict}”, which is not known",
}
"""Why an approval is not counted → the sentence about it."""


class LeftOut(NamedTuple):
    """Somebody who reviewed, and is not counted."""

    who: str
    why: Why
    sentence: str


class Counted(NamedTuple):
    """Who approved, who stands in the way, and who was left out."""

    approved: tuple[Person, ...] = ()
    blocking: tuple[str, ...] = ()
    """Who asks for changes, whoever that is: only an approval of theirs, or a dismissal, ends that."""
    left_out: tuple[LeftOut, ...] = ()


OPINIONS = frozenset({"commented", "pending"})
"""What leaves an earlier verdict as it is."""


def counted(
    reviews: Iterable[Review], pull: PullRequest, *, authors: Collection[int] = (), readers: Collection[int] = ()
) -> Counted:
    """Who counts. ``authors``: who must not, for having written a commit; ``readers``: who may not write.

    What a person said last counts, comments aside. A dismissed review was said as well: what came before it is not
    valid again. The rule is that of GitHub's ``latestOpinionatedReviews``.
    """
    approved: list[Person] = []
    blocking: list[str] = []
    left_out: list[LeftOut] = []
    for review in _last_words(reviews):
        who = review.by.login if review.by else "a deleted account"
        if review.verdict == "changes requested":
            blocking.append(who)
            continue
        why = _why_not(review, pull, authors, readers)
        if why is None and review.by is not None:
            approved.append(review.by)
        elif why is not None:
            left_out.append(LeftOut(who, why, _sentence(why, who, review, pull)))
    return Counted(tuple(approved), tuple(blocking), tuple(left_out))


def _last_words(reviews: Iterable[Review]) -> list[Review]:
    """One for each person, in the order in which they came; those of deleted accounts one by one."""
    last: dict[object, Review] = {}
    for number, review in enumerate(reviews):
        if review.verdict == "pending":
            continue
        key = ("gone", number) if review.by is None else review.by.id
        if key not in last or review.verdict not in OPINIONS:
            last[key] = review
    return list(last.values())


def _why_not(review: Review, pull: PullRequest, authors: Collection[int], readers: Collection[int]) -> Why | None:
    by = review.by
    reasons: tuple[tuple[bool, Why], ...] = (
        (review.verdict == "commented", "comment"),
        (review.verdict == "dismissed", "dismissed"),
        (review.verdict != "approved", "unknown"),
        (by is None, "gone"),
        (by is not None and by.is_bot, "bot"),
        (by is not None and pull.author is not None and by.id == pull.author.id, "self"),
        (review.commit != pull.head, "stale"),
        (by is not None and by.id in authors, "author"),
        (by is not None and by.id in readers, "reader"),
    )
    return next((why for holds, why in reasons if holds), None)


def _sentence(why: Why, who: str, review: Review, pull: PullRequest) -> str:
    commit = (review.commit or "")[:12] or "a commit that is gone"
    return SENTENCES[why].format(who=who, commit=commit, head=pull.head[:12], verdict=_plain(review.verdict))


# -- continuous integration ------------------------------------------------------------------------------------------


class CheckState(NamedTuple):
    """One context of the continuous integration. ``said``: the word it used."""

    name: str
    state: Literal["green", "skipped", "pending", "red", "unknown"]
    """``skipped``: it is content, and has shown nothing."""
    said: str


class Integration(NamedTuple):
    """Whether a commit may go on, and why (not)."""

    state: Literal["green", "pending", "red", "unknown"]
    detail: str


def judged(checks: Sequence[CheckState], required: Collection[str] = (), ignored: Collection[str] = ()) -> Integration:
    """Green when every required context is green or skipped; without ``required``: all, and one at least is green.

    What has said nothing is not awaited for ever, and not green either: it is unknown.
    """
    left = [check for check in checks if check.name not in ignored]
    if required:
        left = [check for check in left if check.name in required]
    missing = sorted(set(required) - {check.name for check in left})
    for state, word in (("red", "red"), ("unknown", "neither green nor red")):
        if bad := [check for check in left if check.state == state]:
            return Integration("red" if state == "red" else "unknown", f"{word}: {_told(bad)}")
    if missing:
        return Integration("unknown", f"has not reported: {_listed(missing)}")
    if waiting := [check for check in left if check.state == "pending"]:
        return Integration("pending", f"still running: {_told(waiting)}")
    if not left:
        aside = f" but {_listed(sorted({check.name for check in checks}))}, which does not count" if checks else ""
        return Integration("unknown", f"nothing has reported{aside}")
    green = [check for check in left if check.state == "green"]
    if not green and not required:
        return Integration("unknown", f"everything was skipped: {_told(left)}")
    return Integration("green", f"green: {_told(left)}")


def _told(checks: Sequence[CheckState]) -> str:
    return _listed([f"{check.name} ({check.said})" for check in checks])


def _plain(text: str) -> str:
    """As it may stand on a terminal: whoever runs a check chooses its name."""
    kept = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return kept if len(kept) <= 80 else f"{kept[:77]}..."


def _listed(names: Collection[str], most: int = 8) -> str:
    shown = [_plain(name) for name in list(names)[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


# -- the port --------------------------------------------------------------------------------------------------------


class Look(Protocol):
    """One look: all that it asks has one deadline and a bounded number of requests.

    Each method raises ``Unreachable`` when there is no answer, and ``NotTold`` when there is one that tells nothing.
    """

    def default_branch(self) -> str:
        """The branch to which changes go."""

    def pulls(self, commit: str) -> Sequence[PullRequest]:
        """The pull requests that have a commit; for one on the default branch, that which brought it."""

    def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """All reviews of a pull request, in order."""

    def authors(self, pull: PullRequest) -> Collection[int]:
        """The ids of those who wrote its commits. Raises ``NotTold`` when somebody's is not known."""

    def may_write(self, person: Person) -> bool:
        """Whether somebody may write to the repository."""

    def is_member(self, team: str, person: Person) -> bool:
        """Whether somebody is an active member of ``organization/team``; ``False`` also where that is not seen."""

    def sees(self, team: str) -> bool:
        """Whether there is such a team, as far as we may see."""

    def checks(self, commit: str) -> Sequence[CheckState]:
        """What the continuous integration said about a commit, the latest of each context."""


class Reviews(Protocol):
    """Where changes are reviewed and tested."""

    def look(self) -> Look:
        """Begin to ask. Raises ``NotTold`` without a token, ``UsageError`` when it is not known which repository."""

    def diagnose(self) -> Sequence[Finding]: ...
