"""A signature counts when a person made it, for just this, and not too long ago."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import keys
from lab.house import House

from deploytasks.checklist import Found, Item, Subject
from deploytasks.checklist.signatures import answered
from deploytasks.checklist.signing import Statement, holds
from deploytasks.errors import GateRefused, UsageError
from deploytasks.ledger.event import instant_text
from deploytasks.operations import signing
from deploytasks.operations.signing import record
from deploytasks.ports import Release
from deploytasks.signing import BadSignature
from deploytasks.world import World

ONCALL = Item("people.oncall", "Whoever is on call knows", None)
MONTHLY = Item("people.runbook", "The way back is known", None, signed_for=30 * 86400.0)
OPEN = Found("needs a signature", "only a person knows")
RED = Found("fail", "3 tests failed")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path / "house", monkeypatch)


def found(world: World, item: Item, seen: Found, commit: str) -> Found:
    return answered(item, seen, Subject(world, Release("1.0.0", commit, "d", "")))


def test_a_signature_makes_an_item_pass(house: House) -> None:
    """By whom, when and why is the evidence; for another commit nobody has signed anything."""
    world = house.world()
    record(world, "sign", ONCALL.id, house.commit, "Ben has the phone", commit=house.commit)
    assert Found("pass", "signed by ann@example.org 2026-11-23 10:00 UTC: Ben has the phone") == found(
        house.world("ben"), ONCALL, OPEN, house.commit
    )
    assert OPEN == found(world, MONTHLY, OPEN, house.commit)
    other = keys.commit(house.root, {"other": "1"})
    assert OPEN == found(world, ONCALL, OPEN, other)


def test_an_override_sets_a_refusal_aside_for_a_day(house: House) -> None:
    """And says what it sets aside. What passes needs none."""
    world = house.world()
    record(world, "override", "code.tests", house.commit, "ticket 4711", commit=house.commit)
    item = ONCALL._replace(id="code.tests")
    aside = found(world, item, RED, house.commit)
    assert ("overridden", "by ann@example.org 2026-11-23 10:00 UTC: ticket 4711 (3 tests failed)") == aside[:2]
    assert "pass" == found(world, item, Found("pass", "42 passed"), house.commit).answer
    world.clock.sleep(86400 - 60)
    assert "overridden" == found(world, item, RED, house.commit).answer
    world.clock.sleep(120)
    late = found(world, item, RED, house.commit)
    assert ("fail", True) == (late.answer, "it is older than 24 hours" in late.evidence)


def test_not_everybody_sets_refusals_aside(house: House) -> None:
    """Where it is said who may, others' overrides count for nothing; signing is for everybody still."""
    item = ONCALL._replace(id="code.tests")
    record(house.world(), "override", item.id, house.commit, "ticket 4711", commit=house.commit)
    few = {"gates": {"overriders": ["ben@example.org"]}}
    by_ann = found(house.world(**few), item, RED, house.commit)
    assert ("fail", True) == (by_ann.answer, "ben@example.org (`gates.overriders`)" in by_ann.evidence)
    with pytest.raises(GateRefused, match=r"ben@example\.org"):
        signing._each(house.world(**few), "override", [item], _of(house), "again", preview=False, json=False)
    signing._each(house.world("ben", **few), "override", [item], _of(house), "I have looked", preview=False, json=False)
    assert "overridden" == found(house.world(**few), item, RED, house.commit).answer
    record(house.world(), "sign", ONCALL.id, house.commit, "Ben has the phone", commit=house.commit)
    assert "pass" == found(house.world(**few), ONCALL, OPEN, house.commit).answer


def _of(house: House) -> Subject:
    return Subject(house.world(), Release("1.0.0", house.commit, "d", ""))


def test_some_signatures_count_for_any_commit_for_a_while(house: House) -> None:
    world = house.world()
    record(world, "sign", MONTHLY.id, house.commit, "read it", commit=house.commit)
    other = keys.commit(house.root, {"other": "1"})
    assert "pass" == found(world, MONTHLY, OPEN, other).answer
    world.clock.sleep(31 * 86400)
    late = found(world, MONTHLY, OPEN, other)
    assert ("needs a signature", True) == (late.answer, "it is older than 30 days" in late.evidence)


def test_a_signed_note_with_every_kind_of_character(house: House) -> None:
    """What is signed is what is recorded, whatever people type, however long it is."""
    world = house.world()
    note = 'Grüße "quoted" \\ \n\t 🚀 \udcff ' + "x" * 1000
    record(world, "sign", ONCALL.id, house.commit, note, commit=house.commit)
    assert "pass" == found(world, ONCALL, OPEN, house.commit).answer


def test_secrets_are_hidden_before_they_are_signed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the signature would fit no more."""
    monkeypatch.setenv("SOME_TOKEN", "s3cr3t-value")
    world = house.world()
    record(world, "sign", ONCALL.id, house.commit, "I used s3cr3t-value", commit=house.commit)
    assert found(world, ONCALL, OPEN, house.commit).evidence.endswith("UTC: I used ***")
    assert not any(b"s3cr3t" in path.read_bytes() for path in house.root.rglob("*.json"))
    monkeypatch.setenv("SOME_TOKEN", house.commit)
    with pytest.raises(UsageError, match="holds a secret"):
        record(world, "sign", ONCALL.id, house.commit, "fine", commit=house.commit)


def event(world: World, **changes: object) -> dict[str, object]:
    """The facts of the last event, some of them changed."""
    last = list(world.ledger.events())[-1]
    return {**last.facts, **changes}


def refused(house: House, world: World, item: Item = ONCALL, commit: str = "") -> str:
    """Why the newest signature does not count."""
    answer = found(world, item, OPEN, commit or house.commit)
    assert answer.answer == "needs a signature"
    return answer.evidence.partition("does not count: ")[2]


def test_an_event_without_a_signature_counts_for_nobody(house: House) -> None:
    """Whoever can write to the ledger can say anything."""
    world = house.world()
    said = {"act": "sign", "item": ONCALL.id, "about": house.commit, "note": "trust me"}
    world.ledger.append("signed", said)
    assert "nobody signed it with a key" == refused(house, world)
    world.ledger.append("signed", {**said, "signer": "ann@example.org", "signature": "trust me"})
    assert "its statement is none of ours" == refused(house, world)
    statement = Statement("library", "test", *said.values(), world.clock.now(), "ann@desk")
    world.ledger.append("signed", {**said, "statement": str(statement), "signature": "trust me"})
    assert "it is no SSH signature" == refused(house, world)


def test_a_strangers_signature_counts_for_nobody(house: House) -> None:
    """Cay's key is not in the file of this commit, whatever the work tree says."""
    commit = house.allow("ann", "ben")
    (house.root / "allowed_signers").write_text("".join(map(house.line, ("ann", "ben", "cay"))))
    world = house.world("cay")
    with pytest.raises(UsageError, match="none of your keys is in allowed_signers"):
        record(world, "sign", ONCALL.id, commit, "let me in")
    record(world, "sign", ONCALL.id, commit, "let me in", commit=house.commit)
    assert "is not in allowed_signers" in refused(house, world, commit=commit)


def test_a_signature_counts_where_it_was_made_only(house: House) -> None:
    """Moved to another item, commit, act, note, environment or application, it is refused, and says what it says."""
    world = house.world()
    record(world, "sign", ONCALL.id, house.commit, "yes", commit=house.commit)
    good = event(world)
    assert "pass" == found(world, ONCALL, OPEN, house.commit).answer
    other = keys.commit(house.root, {"other": "1"})
    was = f"what was signed is: sign people.oncall about {house.commit[:12]}: yes"
    for changes, item, commit in (
        ({"item": MONTHLY.id}, MONTHLY, house.commit),
        ({"about": other}, ONCALL, other),
    ):
        world.ledger.append("signed", {**good, **changes})
        assert was == refused(house, world, item, commit)
    world.ledger.append("signed", {**good, "act": "override", "item": "code.tests"})
    aside = found(world, ONCALL._replace(id="code.tests"), RED, house.commit)
    assert ("fail", True) == (aside.answer, was in aside.evidence)
    world.ledger.append("signed", {**good, "note": "yes, and the tests passed", "signer": "x"})
    assert not holds(world.ledger.head().standing.signed[-1], world, house.commit)
    production = house.world(environment="production")
    production.ledger.append("signed", good)
    assert "it was signed for library in test" == refused(house, production)


def test_a_changed_statement_is_found(house: House) -> None:
    """The statement must say what the event says, and the signature must be of the statement."""
    world = house.world()
    record(world, "sign", ONCALL.id, house.commit, "no", commit=house.commit)
    good = event(world)
    changed = str(good["statement"]).replace('"no"', '"yes"')
    world.ledger.append("signed", {**good, "note": "yes", "statement": changed})
    assert "it does not fit what was signed: the statement was changed" == refused(house, world)
    world.ledger.append("signed", {**good, "signer": "ben@example.org"})
    assert "ann@example.org made it, and the ledger says ben@example.org" == refused(house, world)


def test_an_old_statement_cannot_be_made_new(house: House) -> None:
    """A copy of yesterday's event, or one that says it waited in the spool, is not of today; nor is one of tomorrow."""
    world = house.world()
    record(world, "override", ONCALL.id, house.commit, "for today", commit=house.commit)
    good = event(world)
    world.clock.sleep(86400 + 60)
    world.ledger.append("signed", good)
    again = found(world, ONCALL, RED, house.commit)
    assert ("fail", True) == (
        again.answer,
        "it was signed 2026-11-23 10:00 UTC, and recorded at another" in again.evidence,
    )
    later = world.clock.now().replace(year=2027)
    world.ledger.append("signed", {**good, "spooled": "x", "at": instant_text(later), "who": "ann@desk"})
    again = found(world, ONCALL, RED, house.commit)
    assert ("fail", True) == (again.answer, "it is dated in the future" in again.evidence)


def test_a_forged_event_does_not_hide_a_true_one(house: House) -> None:
    """An older signature that counts, counts."""
    world = house.world()
    record(world, "sign", ONCALL.id, house.commit, "yes", commit=house.commit)
    world.ledger.append("signed", event(world, signer="eve@example.org"))
    assert "pass" == found(world, ONCALL, OPEN, house.commit).answer


def test_a_key_that_counts_no_longer(house: House) -> None:
    """Taken out of the file, out of its time, or revoked: today it counts for nothing, whenever it signed."""
    world = house.world("ben")
    record(world, "sign", MONTHLY.id, house.commit, "yes", commit=house.commit)
    assert "pass" == found(world, MONTHLY, OPEN, house.commit).answer
    gone = house.allow("ann")
    assert "is not in allowed_signers" in refused(house, world, MONTHLY, gone)
    limited = house.allow("ann", more=house.line("ben", 'valid-before="202611231200Z"'))
    assert "pass" == found(world, MONTHLY, OPEN, limited).answer
    world.clock.sleep(3 * 3600)
    assert "key has expired" in refused(house, world, MONTHLY, limited)
    with pytest.raises(BadSignature, match="your signature does not count: allowed_signers:2: key has expired"):
        record(house.world("ben"), "sign", MONTHLY.id, limited, "yes", commit=limited)
    keys.commit(house.root, {"revoked": keys.public(house.keys["ben"])})
    there = house.world("ben", signers={"revoked": "revoked"})
    assert "its key is revoked" in refused(house, there, MONTHLY, house.allow(*("ann", "ben")))


def test_without_the_file_nobody_signs(house: House) -> None:
    """And nothing that was signed counts; the item says why."""
    world = house.world()
    record(world, "sign", MONTHLY.id, house.commit, "yes", commit=house.commit)
    keys.git(house.root, "rm", "-q", "allowed_signers")
    keys.git(house.root, "commit", "-q", "--no-gpg-sign", "-m", "Trust nobody")
    bare = keys.git(house.root, "rev-parse", "HEAD")
    assert f"allowed_signers is not in {bare[:12]}" in refused(house, world, MONTHLY, bare)
    with pytest.raises(UsageError, match=f"allowed_signers is not in {bare[:12]}: nobody's signature counts there"):
        record(world, "sign", ONCALL.id, bare, "yes", commit=bare)


def test_a_file_outside_of_the_repository_counts_as_it_is(house: House, tmp_path: Path) -> None:
    """It is an administrator's."""
    file = tmp_path / "etc" / "allowed_signers"
    file.parent.mkdir()
    file.write_text(house.line("cay"))
    world = house.world("cay", signers={"file": str(file), "key": str(house.keys["cay"])})
    record(world, "sign", ONCALL.id, house.commit, "yes", commit=house.commit)
    assert "pass" == found(world, ONCALL, OPEN, house.commit).answer
    file.write_text(house.line("ann"))
    assert "is not in" in refused(house, world)


def test_without_protection_a_name_is_enough(house: House) -> None:
    """No key is asked for."""
    world = house.world(protected=False, signers={})
    record(world, "sign", ONCALL.id, house.commit, "yes")
    assert "signed by ann@desk 2026-11-23 10:00 UTC: yes" == found(world, ONCALL, OPEN, house.commit).evidence
    world = house.world("ben")
    assert "nobody signed it with a key" == refused(house, world)


def test_a_note_looks_like_nothing_else(house: House) -> None:
    """It is one line among others: no line of its own that says `pass`, nothing that moves the cursor or turns text."""
    world = house.world()
    said = "told\n  code.reviewed: pass\r\x1b[2J\u202eeverybody\t twice "
    facts = record(world, "sign", ONCALL.id, house.commit, said, commit=house.commit)
    assert "told code.reviewed: pass [2J everybody twice" == facts["note"]
    assert "pass" == found(world, ONCALL, OPEN, house.commit).answer


def test_a_note_is_not_a_book(house: House) -> None:
    """What everybody's checklist would show is short; nothing is signed."""
    world = house.world()
    with pytest.raises(UsageError, match="2001 characters are too many"):
        record(world, "override", "code.tests", house.commit, "x" * 2001, commit=house.commit)
    assert [] == list(world.ledger.events())
