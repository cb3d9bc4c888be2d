"""Telling one recipient what is recorded, in order: claim, send, note. At least once, and as a rule exactly once.

What was sent is noted at once. Whoever dies in between leaves a claim: when that no longer counts, the same bulletin is
sent again, with the same number, which services take for a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from secrets import token_hex
from typing import NamedTuple

from .. import redaction
from ..bulletins import Bulletin, Memory, Recipient, Sending
from ..errors import Conflict, DeployError, Undeliverable, UsageError
from ..ledger.holder import Holder
from ..ports import Event, Json, Tag
from .place import TTL, Claim, Place, Places, Trouble
from .story import Story
from .tape import Tape
from .telling import told

PATIENCE = 15.0
"""Seconds that one message may take: a small part of the time that its claim counts."""
_FAR = 200
"""Events behind which a place may be, before it is moved although nothing was to be told."""
_TURN = 2.0
"""Seconds until it is looked again, when somebody else is telling."""
_MOST = 300
"""Events that are read to find out what waits."""


class Me(NamedTuple):
    """Who tells: this process, its clock, and how it knows whether another one lives."""

    holder: Holder
    is_alive: Callable[[str], bool]
    now: Callable[[], datetime]


class Waits(Exception):
    """The next bulletin cannot be told now. ``again``: whether trying again soon may help; ``seconds``: not before."""

    def __init__(self, why: str, seconds: float, *, again: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds
        self.again = again


class Next(NamedTuple):
    """The next bulletin that a recipient has to be sent."""

    bulletin: Bulletin
    sending: Sending | None
    """``None``: it cannot even be written down."""
    story: Story
    """After it."""
    why: str = ""
    """Why it cannot be written down."""


class Delivery:
    """One recipient. For one thread; any number of processes may have one for the same recipient."""

    def __init__(self, name: str, recipient: Recipient, places: Places, tape: Tape, me: Me) -> None:
        self.name = name
        self._recipient = recipient
        self._places = places
        self._tape = tape
        self._me = me
        self._mark = token_hex(4)
        self._known: tuple[Place, Tag | None] | None = None
        """The place as we read or wrote it last, and its tag."""
        self._at: tuple[int, Story] = (0, Story())
        """How far we have read on: there was nothing to tell."""
        self._sent: tuple[int, Memory] | None = None
        """What was sent and could not be noted yet."""

    @property
    def upto(self) -> int:
        """The event up to which all was told, as far as we know."""
        return self._at[0]

    def carry(self, target: int) -> None:
        """Tell what is recorded up to an event. Raises ``Waits``, and ``Unreachable`` when the store is silent."""
        while True:
            try:
                while (found := self._next(target)) is not None:
                    self._tell(found)
                return
            except Conflict:
                self._known = None  # somebody else was faster: read again how far that is

    def save(self) -> None:
        """Move the place to where there is nothing left to tell, so that nobody reads those events again."""
        place, tag = self._place()
        if place.upto < self._at[0] and not self._is_taken(place):
            self._write(place._replace(upto=self._at[0], story=self._at[1], claim=None), tag)

    def waiting(self, target: int, most: int = _MOST) -> list[Bulletin]:
        """What is still to be told up to an event, at most ``most`` events ahead. Changes nothing."""
        return [found.bulletin for found in self._ahead(min(target, self._begin()[0] + most))]

    def outgoing(self, target: int) -> list[Next]:
        """The same with the messages, as they would be sent now."""
        return list(self._ahead(target))

    @property
    def trouble(self) -> Trouble | None:
        """What keeps it, as far as it is known."""
        return self._place()[0].trouble

    # -- reading -----------------------------------------------------------------------------------------------

    def _place(self) -> tuple[Place, Tag | None]:
        if self._known is None:
            found = self._places.read(self.name)
            self._known = found or (self._new(), None)
            place = self._known[0]
            self._at = place.upto, self._tape.story(place.upto) if place.story is None else place.story
        return self._known

    def _new(self) -> Place:
        return Place(self._tape.lately(self._me.now()))

    def _begin(self) -> tuple[int, Story]:
        self._place()
        return self._at

    def _ahead(self, target: int) -> Iterator[Next]:
        number, story = self._begin()
        memory = self._place()[0].memory
        while number < target:
            number += 1
            event = self._tape.event(number)
            if (found := self._made(story, event, memory)) is not None:
                yield found
            story, _ = told(self._tape.about, story, event)

    def _next(self, target: int) -> Next | None:
        """The next one that is to be sent; what says nothing to this recipient is passed over."""
        memory = self._place()[0].memory
        number, story = self._at
        while number < target:
            event = self._tape.event(number + 1)
            if (found := self._made(story, event, memory)) is not None:
                return found
            number, (story, _) = number + 1, told(self._tape.about, story, event)
            self._at = number, story
        self._tape.forget(number)
        if number - self._place()[0].upto >= _FAR:
            self.save()
        return None

    def _made(self, story: Story, event: Event, memory: Memory) -> Next | None:
        after, bulletin = told(self._tape.about, story, event)
        if bulletin is None:
            return None
        try:
            sending = self._recipient.sending(_cleaned(bulletin), memory)
        except Exception as error:  # noqa: BLE001  # its words are ours to mend: they must not keep all that comes after
            return Next(bulletin, None, after, f"{type(error).__name__}: {error}")
        return None if sending is None else Next(bulletin, sending, after)

    # -- telling -----------------------------------------------------------------------------------------------

    def _tell(self, found: Next) -> None:
        place, tag = self._claimed()
        number, sent = found.bulletin.number, self._sent
        if sent is None or sent[0] != number:
            try:
                sent = number, self._sent_by(found)
            except Undeliverable as error:
                self._pass_over(found, error.what)
                sent = number, place.memory
            except (DeployError, OSError) as error:
                raise self._waits(place, tag, error) from error
        self._sent = sent
        self._note(number, sent[1], found.story)

    def _sent_by(self, found: Next) -> Memory:
        if found.sending is None:
            raise Undeliverable(found.why)
        try:
            return found.sending.perform(PATIENCE)
        except (DeployError, OSError):
            raise
        except Exception as error:
            raise Undeliverable(f"{type(error).__name__}: {error}") from error

    def _claimed(self) -> tuple[Place, Tag]:
        """The place, once nobody else tells before our time is up. Raises ``Conflict``, ``Waits``."""
        place, tag = self._place()
        if self._is_taken(place):
            self._known = None
            assert place.claim is not None
            raise Waits(f"{place.claim.holder.who} is telling it", _TURN)
        until = self._me.now() + timedelta(seconds=TTL)
        number, story = self._at
        claimed = place._replace(upto=number, story=story, claim=Claim(self._me.holder, until, self._mark))
        return claimed, self._write(claimed, tag)

    def _is_taken(self, place: Place) -> bool:
        claim, me = place.claim, self._me
        return claim is not None and claim.mark != self._mark and claim.counts(me.now(), me.holder, me.is_alive)

    def _note(self, number: int, memory: Memory, story: Story) -> None:
        _, tag = self._place()
        self._at = number, story
        self._write(Place(number, memory, story), tag)
        self._sent = None

    def _waits(self, place: Place, tag: Tag, error: DeployError | OSError) -> Waits:
        """Give the claim back, and say why."""
        why = redaction.clean(str(getattr(error, "what", error)) or type(error).__name__)
        before = place.trouble
        since = before.since if before else self._me.now()
        self._write(place._replace(claim=None, trouble=Trouble(why, since)), tag)
        return Waits(why, 0.0, again=not isinstance(error, UsageError))

    def _pass_over(self, found: Next, why: str) -> None:
        self._record("undelivered", to=self.name, number=found.bulletin.number, why=redaction.clean(why))

    def _record(self, kind: str, **facts: Json) -> None:
        """Without a lease: whoever deploys has it."""
        self._tape.ledger.append(kind, facts)

    def _write(self, place: Place, expect: Tag | None) -> Tag:
        """Raises ``Conflict``, and whatever the store raises: then what is there must be read again."""
        self._known = None
        at = self._at
        tag = self._places.write(self.name, place, expect)
        self._known, self._at = (place, tag), at
        return tag


def _cleaned(bulletin: Bulletin) -> Bulletin:
    """Without what this process knows to be a secret, whoever recorded it."""
    hidden = redaction.secrets()
    fields = {
        name: redaction.clean(value, hidden)
        for name, value in bulletin._asdict().items()
        if isinstance(value, str) and name not in ("change", "severity", "color")
    }
    return bulletin._replace(
        **fields,
        numbers=tuple((name, redaction.clean(value, hidden)) for name, value in bulletin.numbers),
        links=redaction.clean(dict(bulletin.links), hidden),
    )
