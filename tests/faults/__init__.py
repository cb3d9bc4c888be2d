"""What each provider does about each fault: a table of provider × fault, and the tests that prove it.

A subject is one port of one system. It says how to start a server of that system that works, and how to open the port
at a base URL; the frame puts a faulty proxy in between (``faulty``), asks, and sees what comes of it:

    fine      what was asked for, all of it
    hold      ``NoData`` with a reason: a rollout waits, then goes home with code 6
    waits     ``Unreachable``, code 7: of a recipient, the message stays in the outbox
    refused   ``Undeliverable``, code 7: the message was understood, and refused
    usage     ``UsageError``, code 2: the token, or what is configured, must be mended

Anything else, or a word of a secret in it, or more time than was given, is red. ``inv dev.faults`` tries all of it, and
writes docs/faults.md.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import ssl
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from disclosing import seen
from lab.certificates import certificate

from deploytasks.bulletins import Bulletin, Recipient
from deploytasks.errors import DeployError, Undeliverable, Unreachable, UsageError
from deploytasks.ports import Metrics, NoData
from deploytasks.providers.site import Site
from faults.faulty import FAULTS, Proxy, as_it_is, faulty

Word = Literal["fine", "hold", "waits", "refused", "usage"]
Kind = Literal["metrics", "alerts", "reviews", "messages", "markers"]
WITHIN = 0.4
"""Seconds for one look or one message; a provider that asks several things has no more for all of them."""
GRACE = 0.6
"""Seconds beyond, on a busy machine."""


ALL_ALONG = frozenset({"skewed"})
"""Faults that nothing has from one request to the next."""


class Lab(NamedTuple):
    """A server that works. ``secrets``: variables and their values; ``broken``: what was against its contract."""

    url: str
    secrets: Mapping[str, str]
    broken: Sequence[str]


class Place(NamedTuple):
    """Where a port is opened. ``verify``: the file of authorities, where it is told."""

    url: str
    site: Site
    verify: str | None = None

    @property
    def access(self) -> dict[str, Any]:
        """The keys about how it is reached."""
        return {"within": WITHIN, **({} if self.verify is None else {"verify": self.verify})}


class Subject(NamedTuple):
    """One port of one system. ``ask`` asks it what a rollout, a gate or the courier would ask."""

    system: str
    kind: Kind
    lab: Callable[[], Any]
    """A context manager that gives a ``Lab``."""
    open: Callable[[Place], Any]
    ask: Callable[[Any], Any]
    is_good: Callable[[Any], bool]
    """Whether an answer is what a working server gives."""
    secrets: Callable[[Place, Lab], Mapping[str, str]] = lambda place, lab: lab.secrets
    """Variables and their values: the URL of a webhook is one."""
    detail: str = ""

    @property
    def name(self) -> str:
        """``slack messages (bot)``."""
        return f"{self.system} {self.kind}{f' ({self.detail})' if self.detail else ''}"


class Outcome(NamedTuple):
    """What came of it: a word, or what is wrong."""

    word: str
    told: str
    seconds: float


def counted(of: Metrics) -> Any:
    """What the last minute brought."""
    return of.totals(datetime.now(UTC) - timedelta(seconds=60), ())


def sent(to: Recipient, bulletin: Bulletin) -> Mapping[str, Any]:
    """Tell a recipient, as the courier does."""
    sending = to.sending(bulletin, {})
    assert sending is not None
    return sending.perform(WITHIN)


@cache
def subjects() -> tuple[Subject, ...]:
    """All there are: ``SUBJECTS`` of the modules beside this one."""
    here = Path(__file__).parent
    names = sorted(module.name for module in pkgutil.iter_modules([str(here)]))
    modules = [importlib.import_module(f"faults.{name}") for name in names if not name.startswith("test_")]
    return tuple(each for module in modules for each in getattr(module, "SUBJECTS", ()))


class Bench:
    """A subject whose server runs, behind proxies."""

    def __init__(self, subject: Subject, folder: Path, lab: Lab, proxy: Proxy, expired: Proxy) -> None:
        self._subject, self._folder, self.lab = subject, folder, lab
        self._proxy, self._expired = proxy, expired

    def works(self) -> bool:
        """Whether all is well without a fault."""
        self._proxy.begin(as_it_is)
        with self._place(self._proxy.url) as place:
            return self._subject.is_good(self._subject.ask(self._subject.open(place)))

    def requests(self) -> int:
        """How many requests it takes when all is well."""
        self.works()
        return self._proxy.asked

    def outcomes(self, fault: str) -> list[Outcome]:
        """With the fault from the first request on; and from the last one on, where there are several."""
        if fault == "refused":
            return [self._outcome(self._proxy.nowhere)]
        if fault == "expired":
            self._expired.begin(as_it_is)
            return [self._outcome(self._expired.url, "expired.crt")]
        spoil = FAULTS[fault]
        assert spoil is not None
        found = []
        for at in dict.fromkeys((1,) if fault in ALL_ALONG else (1, self.requests())):
            self._proxy.begin(spoil, at)
            found.append(self._outcome(self._proxy.url))
        return found

    def wrong(self, fault: str, outcomes: Sequence[Outcome]) -> list[str]:
        """What is wrong with the outcomes of a fault; nothing, when all is well."""
        found = []
        for one in outcomes:
            if one.word not in allowed(self._subject.kind, fault) or not one.told:
                found.append(f"{one.word}: {one.told}")
            if one.seconds > WITHIN + GRACE:
                found.append(f"took {one.seconds:.1f} s: {one.told}")
            found += [f"gives away {secret}: {one.told}" for secret in self.disclosed(one.told)]
        return found

    def _outcome(self, url: str, verify: str | None = None) -> Outcome:
        began = time.monotonic()
        with self._place(url, verify) as place:
            word, told = self._met(place)
        return Outcome(word, told, time.monotonic() - began)

    def _met(self, place: Place) -> tuple[str, str]:
        try:
            found = self._subject.ask(self._subject.open(place))
        except DeployError as error:
            return _word(error), "".join(traceback.format_exception(error))
        except Exception as error:  # noqa: BLE001  that is what must not happen
            return type(error).__name__, "".join(traceback.format_exception(error))
        if isinstance(found, NoData):
            return "hold", found.why
        return ("fine" if self._subject.is_good(found) else "something else"), repr(found)

    @contextmanager
    def opened(self, fault: str) -> Iterator[Any]:
        """The port, behind a fault from its first request on."""
        spoil = FAULTS[fault]
        self._proxy.begin(as_it_is if spoil is None else spoil)
        with self._place(self._proxy.nowhere if spoil is None else self._proxy.url) as place:
            yield self._subject.open(place)

    @contextmanager
    def _place(self, url: str, verify: str | None = None) -> Iterator[Place]:
        site = Site("library", "production", self._folder, self._folder, None, "ann@desk")
        place = Place(url, site, verify)
        secrets = self._subject.secrets(place, self.lab)
        before = {name: os.environ.get(name) for name in secrets}
        os.environ.update(secrets)
        try:
            yield place
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def disclosed(self, text: str) -> list[str]:
        """The secrets of which something stands in a text."""
        place = Place(self._proxy.url, Site("library", "production", self._folder, self._folder, None, "ann@desk"))
        return seen(text, *self._subject.secrets(place, self.lab).values())


@contextmanager
def bench(subject: Subject, folder: Path) -> Iterator[Bench]:
    """The subject's server, and the proxies in front of it."""
    with ExitStack() as stack:
        lab = stack.enter_context(subject.lab())
        old = certificate(folder, "expired", hours=-1)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(old.chain, old.key)
        plain = stack.enter_context(faulty(lab.url))
        expired = stack.enter_context(faulty(lab.url, tls))
        yield Bench(subject, folder, lab, plain, expired)


def cell(outcomes: Sequence[Outcome]) -> str:
    """What a table says of them."""
    return ", then ".join(dict.fromkeys(one.word for one in outcomes))


def _word(error: DeployError) -> str:
    if isinstance(error, Undeliverable):
        return "refused"
    if isinstance(error, UsageError):
        return "usage"
    return "waits" if isinstance(error, Unreachable) else type(error).__name__


ANSWERED = frozenset({"401", "403", "404"})
"""Refusals that stay: sending the same again would help nobody."""
HARMLESS = frozenset({"empty", "skewed"})
"""Faults after which a good answer may still be had."""


def allowed(kind: Kind, fault: str) -> frozenset[Word]:
    """What may come of a fault: never success out of what is none, and never an error without a name."""
    good: frozenset[Word] = frozenset({"fine"} if fault in HARMLESS else ())
    if kind in ("metrics", "alerts"):
        is_silence = kind == "metrics" and fault == "empty"
        return frozenset({"hold"}) if is_silence else good | {"hold"}
    if kind == "reviews":
        return good | {"waits", "usage"}
    takes_any_answer: frozenset[Word] = frozenset({"fine"} if fault == "other JSON" else ())
    return good | takes_any_answer | {"waits"} | ({"refused", "usage"} if fault in ANSWERED else frozenset())
