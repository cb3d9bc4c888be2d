"""What one checklist asks where changes are reviewed: each thing once, and all of it within one deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from ..at_once import at_once
from ..reviews import Counted, LeftOut, Look, NoPull, Person, PullRequest, Review, Reviews, brought_by, counted

if TYPE_CHECKING:
    from .subject import Subject

LOOKED_UP = 10
"""So many of those who approved are looked up, or as many as are needed."""
AT_ONCE = 8
"""Questions, where there are many."""


K = TypeVar("K")
V = TypeVar("V")


class Approvals(NamedTuple):
    """A pull request and who approved it."""

    pull: PullRequest
    counted: Counted

    @property
    def name(self) -> str:
        """For people: ``#7 into main``."""
        return f"#{self.pull.number} into {self.pull.base}"

    @property
    def left_out(self) -> str:
        """Why others do not count, for people; empty when there are none."""
        return "; ".join(one.sentence for one in self.counted.left_out)


class Told:
    """The answers so far. Not for several threads: the questions to one system are asked in turn."""

    def __init__(self, of: Subject, reviews: Reviews) -> None:
        self.look: Look = reviews.look()
        self._gates = of.gates
        self._saw = of.world.site.saw
        self._bases: Collection[str] = of.gates.branches
        self._pulls: dict[str, Sequence[PullRequest]] = {}
        self._reviews: dict[PullRequest, Sequence[Review]] = {}
        self._by_number: dict[int, Approvals] = {}
        self._writers: dict[int, bool] = {}
        self._members: dict[tuple[str, int], bool] = {}

    def approvals(self, commit: str) -> Approvals | NoPull:
        """Who approved the pull request that brought a commit. Raises ``Unreachable``."""
        pull = self._pull(commit)
        return pull if isinstance(pull, NoPull) else self._of(pull)

    def ask_at_once(self, commits: Sequence[str]) -> None:
        """Ask about many commits, several at a time; ``approvals`` knows then. Raises ``Unreachable``."""
        self._pulls |= _at_once(self.look.pulls, [commit for commit in commits if commit not in self._pulls])
        found = dict.fromkeys(pull for commit in commits if isinstance(pull := self._pull(commit), PullRequest))
        self._reviews |= _at_once(self.look.reviews, [pull for pull in found if pull not in self._reviews])

    def _pull(self, commit: str) -> PullRequest | NoPull:
        if commit not in self._pulls:
            self._pulls[commit] = self.look.pulls(commit)
        self._bases = self._bases or (self.look.default_branch(),)
        return brought_by(self._pulls[commit], commit, self._bases)

    def members(self, people: Sequence[Person], team: str, enough: int) -> list[Person]:
        """Those of ``people`` who are active members of a team; not more are looked for than are ``enough``."""
        found: list[Person] = []
        for person in people:
            if len(found) < enough and self._is_member(team, person):
                found.append(person)
        return found

    def _of(self, pull: PullRequest) -> Approvals:
        if pull.number not in self._by_number:
            reviews = self._reviews[pull] if pull in self._reviews else self.look.reviews(pull)
            self._saw(person.login for person in (pull.author, *(one.by for one in reviews)) if person)
            authors = self.look.authors(pull) if self._gates.exclude_authors else ()
            self._by_number[pull.number] = Approvals(pull, self._of_writers(reviews, pull, authors))
        return self._by_number[pull.number]

    def _of_writers(self, reviews: Sequence[Review], pull: PullRequest, authors: Collection[int]) -> Counted:
        """An approval of somebody who may only read is none: anybody can give it."""
        people = counted(reviews, pull, authors=authors).approved
        most = max(LOOKED_UP, self._gates.approvals, self._gates.hotfix_approvals)
        looked_up, rest = people[:most], people[most:]
        readers = {person.id for person in looked_up if not self._may_write(person)}
        found = counted(reviews, pull, authors=authors, readers=readers)
        more = [LeftOut(person.login, "unknown", f"{person.login} was not looked up") for person in rest]
        approved = tuple(person for person in found.approved if person not in rest)
        return found._replace(approved=approved, left_out=(*found.left_out, *more))

    def _may_write(self, person: Person) -> bool:
        if person.id not in self._writers:
            self._writers[person.id] = self.look.may_write(person)
        return self._writers[person.id]

    def _is_member(self, team: str, person: Person) -> bool:
        if (team, person.id) not in self._members:
            self._members[team, person.id] = self.look.is_member(team, person)
        return self._members[team, person.id]


def _at_once(ask: Callable[[K], V], about: Sequence[K]) -> Mapping[K, V]:
    """What was answered to each; the first error otherwise."""
    found: dict[K, V] = {}
    for one, came in zip(about, at_once([partial(ask, one) for one in about], AT_ONCE), strict=True):
        if came.error is not None:
            raise came.error
        found[one] = came.value  # type: ignore[assignment]  # without an error there is one
    return found


_lock = threading.Lock()
_known: WeakKeyDictionary[Subject, Told] = WeakKeyDictionary()


def told(of: Subject, reviews: Reviews) -> Told:
    """What was asked about this subject, and can be asked still. Raises what ``Reviews.look`` raises."""
    with _lock:
        if of not in _known:
            _known[of] = Told(of, reviews)
        return _known[of]
