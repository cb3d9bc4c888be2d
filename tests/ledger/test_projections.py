"""What events add up to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from deploytasks.ledger import Ended, Evidence, Open, Placed, Settled, Standing
from deploytasks.ledger.event import canonical
from deploytasks.ledger.projections import EVIDENCE, IMPORTED, RECENT, SIGNED, apply, done_by, happened_at
from deploytasks.ledger.standing import (
    LONGEST,
    Asked,
    Closed,
    Succeeded,
    WentBack,
    standing_from_json,
    standing_to_json,
)
from deploytasks.ports import Event, Json

DAWN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

BEGAN: Mapping[str, Json] = {
    "deployment": "d1", "task": "deploy", "who": "ann@host", "host": "host", "version": "1.2.0", "digest": "abc",
    "release": "1.2.0-abc", "commit": "c0ffee", "color": "green", "plan": {"steps": []},
}  # fmt: skip
SETTLED: Mapping[str, Json] = {
    "deployment": "d1", "color": "green", "version": "1.2.0", "release": "1.2.0-abc", "digest": "abc",
    "commit": "c0ffee", "way_back": "blue", "way_back_until": "2026-11-24T10:02:00+00:00",
}  # fmt: skip
ENDED: Mapping[str, Json] = {"deployment": "d1", "outcome": "done", "code": 0, "why": "all well", "seconds": 90.0}


def event(number: int, kind: str, facts: Mapping[str, Json]) -> Event:
    """Event ``number``, that many minutes after the first."""
    return Event(number, DAWN + timedelta(minutes=number), kind, facts, "ci@runner", 0, "", "")


def folded(*told: tuple[str, Mapping[str, Json]]) -> Standing:
    """The standing after these events."""
    standing = Standing()
    for number, (kind, facts) in enumerate(told, 1):
        standing = apply(standing, event(number, kind, facts))
    return standing


def minute(number: int) -> datetime:
    """When event ``number`` happened."""
    return DAWN + timedelta(minutes=number)


def test_began_opens() -> None:
    """A deployment that began is open, and says where its plan is."""
    assert folded(("note", {}), ("began", BEGAN)).open == Open(
        "d1", 2, "deploy", "ann@host", "host", "1.2.0", "abc", "green", minute(2)
    )


def test_ended_closes_its_own() -> None:
    """An end closes the deployment that it names, and remembers both ends of it."""
    standing = folded(("began", BEGAN), ("ended", ENDED))
    assert standing.open is None
    assert standing.recent == (
        Ended("d1", "deploy", "1.2.0", "abc", "done", 0, "all well", "ann@host", minute(1), minute(2), 1),
    )


def test_ended_leaves_anothers_open() -> None:
    """The end of another deployment does not close the one at work; what is not known of it stays empty."""
    standing = folded(("began", BEGAN), ("ended", {**ENDED, "deployment": "d0", "code": 5}))
    assert getattr(standing.open, "deployment", "") == "d1"
    assert standing.recent == (Ended("d0", "", "", "", "done", 5, "all well", "ci@runner", None, minute(2), 0),)


def test_settled_opens_the_way_back() -> None:
    """A settled deployment tells what is live and where a rollback would go, until when."""
    assert folded(("settled", SETTLED)).settled == Settled(
        "d1",
        "green",
        "1.2.0",
        "1.2.0-abc",
        "abc",
        "c0ffee",
        minute(1),
        "blue",
        datetime(2026, 11, 24, 10, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("kind", ["rolled-back", "retired"])
def test_way_back_is_taken_or_given_up(kind: str) -> None:
    """After a rollback, or once the old color is retired, there is no way back; the rest stands."""
    before = folded(("settled", SETTLED)).settled
    after = folded(("settled", SETTLED), (kind, {})).settled
    assert before is not None
    assert after == before._replace(way_back=None, way_back_until=None)


def test_spooled_rollback_that_came_late_takes_no_newer_way_back() -> None:
    """A rollback from before the last settling, recorded only after it, does not close the new way back."""
    late: dict[str, Json] = {"spooled": "s1", "at": DAWN.isoformat(), "who": "bob@host"}
    assert getattr(folded(("settled", SETTLED), ("rolled-back", late)).settled, "way_back", None) == "blue"
    in_time = {**late, "at": minute(2).isoformat()}
    assert getattr(folded(("settled", SETTLED), ("rolled-back", in_time)).settled, "way_back", "") is None


def test_installed_is_known_per_color() -> None:
    """Each color has the release that was last installed there."""
    first: dict[str, Json] = {"deployment": "d1", "color": "blue", "version": "1", "release": "1-a", "digest": "a"}
    standing = folded(
        ("installed", first),
        ("installed", {**first, "color": "green", "deployment": "d2"}),
        ("installed", {**first, "color": "green", "deployment": "d3", "commit": "c"}),
        ("installed", {**first, "color": "purple"}),
    )
    assert standing.releases == {"blue": Placed("d1", "1", "1-a", "a", ""), "green": Placed("d3", "1", "1-a", "a", "c")}


def test_latest_evidence_per_item() -> None:
    """Of each item the latest look counts, whatever it found; ``ok`` is true only if it says so."""
    standing = folded(
        ("evidence", {"item": "test", "key": "k1", "ok": True, "detail": "8 passed"}),
        ("evidence", {"item": "build", "key": "k1", "ok": "yes"}),
        ("evidence", {"item": "test", "key": "k2", "ok": False, "detail": "1 failed"}),
    )
    assert standing.evidence == (
        Evidence("build", "k1", False, "", minute(2), "ci@runner"),
        Evidence("test", "k2", False, "1 failed", minute(3), "ci@runner"),
    )
    assert standing.evidence_of("test") == standing.evidence[1]
    assert standing.evidence_of("lint") is None


def test_spooled_event_counts_when_it_happened() -> None:
    """What was recorded late is told with the time and the name of when it happened, and its id is remembered."""
    late = event(
        9, "evidence", {"item": "test", "ok": True, "spooled": "s1", "at": DAWN.isoformat(), "who": "bob@host"}
    )
    assert (happened_at(late), done_by(late)) == (DAWN, "bob@host")
    standing = apply(Standing(), late)
    assert (standing.imported, standing.evidence[0].at, standing.evidence[0].who) == (("s1",), DAWN, "bob@host")


def test_size_is_bounded() -> None:
    """However much happens and however long the texts, the standing stays small, and the newest stays in it."""
    standing = Standing()
    for number in range(500):
        text = f"{number} " + "x" * 5000
        for kind in ("began", "ended", "settled", "installed", "evidence", "reading"):
            facts: dict[str, Json] = {"deployment": text, "item": text, "why": text, "color": "blue", "spooled": text}
            standing = apply(standing, event(number, kind, facts))
    assert (len(standing.recent), len(standing.evidence), len(standing.imported)) == (RECENT, EVIDENCE, IMPORTED)
    assert standing.recent[-1].deployment.startswith("499 ")
    assert len(standing.recent[-1].why) == LONGEST
    assert len(canonical(standing_to_json(standing))) < 150_000


KINDS = [
    "began", "ended", "settled", "installed", "rolled-back", "deadman-fired", "maintenance", "retired", "evidence",
    "reading", "asked", "answered", "what is this",
]  # fmt: skip
NAMES = [*BEGAN, *SETTLED, *ENDED, "item", "key", "ok", "detail", "at", "spooled", "number", "began", "ended"]
INSTANTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), INSTANTS,
    st.sampled_from(["blue", "green", "d1", "2026-11-23", "2026-11-23T10:00:00"]), st.lists(st.text(), max_size=2),
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES)), max_size=12))
def test_any_facts_fold_and_come_back_from_json(told: list[tuple[str, dict[str, Json]]]) -> None:
    """Facts that are missing or of another kind break nothing, and every standing is the same after JSON."""
    standing = folded(*told)
    assert standing_from_json(json.loads(canonical(standing_to_json(standing)))) == standing


@given(st.recursive(VALUES, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner), max_leaves=5))
def test_any_stored_standing_can_be_read(found: Json) -> None:
    """A standing that another version wrote is read as far as it is understood."""
    whole = {
        "open": found,
        "settled": found,
        "recent": [found],
        "evidence": found,
        "imported": found,
        "releases": found,
    }
    assert isinstance(standing_from_json(whole), Standing)


BACK_TO_BLUE: Mapping[str, Json] = {"from": [0, 100, "blue", "settled:d1"], "to": [100, 0, None, "back:r1"]}


def test_a_success_is_known_until_it_is_rolled_back() -> None:
    """By whom and when; rolled back, it counts no longer, and that is known until the content succeeds again."""
    success = Succeeded("d1", "1.2.0", "abc", "c0ffee", minute(1), "ci@runner")
    assert folded(("settled", SETTLED)).succeeded == (success,)
    back = folded(("settled", SETTLED), ("rolled-back", BACK_TO_BLUE))
    assert (back.succeeded, back.withdrawn) == ((), (success,))
    again = folded(("settled", SETTLED), ("rolled-back", BACK_TO_BLUE), ("settled", {**SETTLED, "deployment": "d2"}))
    assert ([one.deployment for one in again.succeeded], again.withdrawn) == (["d2"], ())


def test_ways_back_are_remembered_with_what_was_left_for_what() -> None:
    """By a person and by the switch, in the order in which they happened, whenever they were recorded."""
    placed: list[tuple[str, Mapping[str, Json]]] = [
        ("installed", {"color": "blue", "version": "1.1.0"}),
        ("installed", {"color": "green", "version": "1.2.0"}),
    ]
    fired: Mapping[str, Json] = {"split": [0, 100, None, "deadman:d1"], "why": "no beat"}
    late = {**BACK_TO_BLUE, "reason": "slow", "by": "bob@desk", "spooled": "s1", "at": DAWN.isoformat(), "who": "bob"}
    assert folded(*placed, ("deadman-fired", fired), ("rolled-back", late)).rollbacks == (
        WentBack("blue", "1.1.0", "1.2.0", "slow", False, DAWN, "bob@desk"),
        WentBack("green", "1.2.0", "1.1.0", "no beat", True, minute(3), "ci@runner"),
    )


def test_what_was_asked_and_what_came_of_it() -> None:
    """By whom and why; answered by a reading that carried it, or by itself; gone with the next deployment."""
    pause: tuple[str, Mapping[str, Json]] = (
        "asked",
        {"verb": "pause", "reason": "a mail goes out", "deployment": "d1"},
    )
    open_, asked = ("began", BEGAN), Asked(2, "pause", "a mail goes out", minute(2), "ci@runner", "", False)
    assert folded(open_, pause).asked == (asked,)
    heard = (asked._replace(said="paused", obeyed=True),)
    answer: Mapping[str, Json] = {"asked": 2, "obeyed": True, "said": "paused"}
    assert folded(open_, pause, ("reading", {"answer": answer})).asked == heard
    assert folded(open_, pause, ("answered", answer)).asked == heard
    assert folded(open_, pause, ("reading", {"answer": {**answer, "asked": 7}})).asked == (asked,)
    assert folded(open_, pause, ("ended", ENDED), ("began", {**BEGAN, "deployment": "d2"})).asked == ()


def test_closed_until_it_is_opened() -> None:
    """Who closed the site and when; nothing once it is open again."""
    shut: tuple[str, Mapping[str, Json]] = ("maintenance", {"on": True, "message": "Back soon."})
    assert folded(shut).closed == Closed("Back soon.", minute(1), "ci@runner")
    assert folded(shut, ("maintenance", {"on": False, "message": ""})).closed is None


def test_a_rollback_of_the_next_deployment_leaves_a_success_alone() -> None:
    """Traffic came back to it: that is no word against it."""
    to_green: Mapping[str, Json] = {"from": [50, 50, "green", "deploy:d2"], "to": [0, 100, None, "back:r1"]}
    assert len(folded(("settled", SETTLED), ("rolled-back", to_green)).succeeded) == 1


def test_a_success_is_one_of_a_content_and_a_commit() -> None:
    """The same content of another commit is another success; a rollback takes both, for they are the same."""
    other: Mapping[str, Json] = {**SETTLED, "deployment": "d2", "commit": "beef"}
    told = ("settled", SETTLED), ("settled", other), ("settled", {**other, "deployment": "d3"})
    assert [one.deployment for one in folded(*told).succeeded] == ["d1", "d3"]
    assert folded(*told, ("rolled-back", BACK_TO_BLUE)).succeeded == ()


def said(item: str, about: str, signer: str = "ann", act: str = "sign") -> tuple[str, Mapping[str, Json]]:
    """Somebody's signature."""
    return "signed", {"act": act, "item": item, "about": about, "signer": signer, "note": "yes"}


def test_signatures_are_kept_once_for_each_person() -> None:
    """The latest of each person's act on an item about the same thing."""
    told = (said("a", "1"), said("a", "1", "ben"), said("a", "2"), said("a", "1"), said("a", "1", act="override"))
    found = folded(*told).signed
    assert [(2, "ben", "1"), (3, "ann", "2"), (4, "ann", "1"), (5, "ann", "1")] == [
        (one.number, one.signer, one.about) for one in found
    ]


def test_the_last_signature_of_an_item_is_never_crowded_out() -> None:
    """One that counts for months is there still, after many deployments with signatures of their own; but no more than
    twice as many are kept, whatever items are named."""
    told = [said("runbook", "0"), said("alerts", "0"), said("runbook", "1"), said("code", "1", act="override")]
    told += [said("oncall", str(commit)) for commit in range(3 * SIGNED)]
    found = folded(*told).signed
    assert [("alerts", "0"), ("runbook", "1")] == [(one.item, one.about) for one in found[:2]]
    assert SIGNED + 2 == len(found)
    crowd = folded(*(said(f"item {number}", "1") for number in range(4 * SIGNED))).signed
    assert 2 * SIGNED == len(crowd)
    assert standing_from_json(json.loads(canonical(standing_to_json(Standing(signed=crowd))))).signed == crowd
