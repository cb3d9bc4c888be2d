"""Nothing of ours gives a secret away, in whichever form it got there; and nothing else is taken for one."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import time
from pathlib import Path

import memory
import pytest
import secrets_seen
from disclosing import seen
from secrets_made import FORMS, Made, made

from deploytasks import outcries, redaction
from deploytasks.errors import UsageError
from deploytasks.ledger.event import canonical
from deploytasks.operations import plan_file

SECRETS = made(secrets_seen.MANY)
EACH = "JOURNEYS_FULL" in os.environ
"""Whether all of them go every way, which takes a minute; some do always."""


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_is_shown(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 secrets, all of which go through each form in turn with the other tests of this kind."""
    turn = list(FORMS).index(form)
    mine = SECRETS[turn :: len(FORMS)]
    found = [one for start in range(0, len(mine), 50) for one in _shown(mine[start : start + 50], form)]
    assert [] == found


def _shown(batch: list[Made], form: str) -> list[str]:
    hidden = tuple(one.value for one in batch)
    texts = [str(redaction.clean(f"it said {FORMS[form](one.value)} at 10:15", hidden)) for one in batch]
    return seen("\n\n".join(sorted(set(texts))), *hidden)


def test_no_way_out_shows_a_secret() -> None:
    """Errors, logs, the ledger, the spool, the lease, the watchdog, services' answers, CI: 0 seen."""
    outcries.cleaned()
    assert [] == secrets_seen.push(secrets_seen.MANY if EACH else 600)


def test_what_looks_for_them_finds_them() -> None:
    """The proof is worth something: what nobody cleaned is seen, in each form, by each kind of secret."""
    for one in SECRETS[:38]:
        for name, form in FORMS.items():
            assert [one.value] == seen(f"it said {form(one.value)} at 10:15", one.value), (name, one)


def test_digests_and_ids_stay() -> None:
    """What looks random and is no secret: digests, commits, ids, versions, signatures, addresses of pages."""
    of = random.Random(6)
    for _ in range(300):
        digest = hashlib.sha256(of.randbytes(8)).hexdigest()
        facts = {
            "digest": digest,
            "head": base64.b64encode(of.randbytes(32)).decode(),
            "commit": hashlib.sha1(of.randbytes(8), usedforsecurity=False).hexdigest(),
            "deployment": f"2026112{of.randrange(10)}-101500-{of.randbytes(3).hex()}",
            "release": f"1.{of.randrange(99)}.{of.randrange(99)}-{digest[:12]}",
            "key": f"SHA256:{base64.b64encode(of.randbytes(32)).decode().rstrip('=')}",
            "proof": f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(of.randbytes(90)).decode()}",
            "image": f"registry.example/library@sha256:{digest}",
            "arn": f"arn:aws:iam::{of.randrange(10**11, 10**12)}:role/deploy-library",
            "run": f"https://github.com/octo/library/actions/runs/{of.randrange(10**10)}?check_suite_focus=true",
            "why": "the token in GITHUB_TOKEN may not read the key: basic authentication is needed, a bearer is not",
            "read": "password: needs 12 characters; api_key: NEW_RELIC_API_KEY_2; fencing token=17; secret: no",
            "lines": f"took 12.5 % of 1 200; at https://db.example:5432/library?sslmode=require {of.randrange(10**9)}",
        }  # fmt: skip
        assert facts == redaction.clean(facts, tuple(one.value for one in SECRETS[:40]))
        assert canonical(facts) == canonical(redaction.clean(facts))


def test_a_chain_of_digests_is_recorded_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's own proof: with secrets known, its events still verify."""
    monkeypatch.setenv("SENTRY_API_TOKEN", SECRETS[3].value)
    world = memory.world(tmp_path)
    before = world.note("note", text="a" * 64)
    assert before is not None
    after = world.note("note", text=f"{SECRETS[3].value} {before.digest}")
    assert after is not None
    assert f"*** {before.digest}" == after.facts["text"]
    assert not world.ledger.verify().problems


def test_a_plan_with_a_secret_in_any_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have to be kept word for word."""
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter22&hunter22")

    class Plan:
        def to_json(self) -> dict[str, str]:
            return {"calls": "curl https://ann:hunter22%26hunter22@db"}

    with pytest.raises(UsageError, match="holds the value of a secret"):
        plan_file.require_writable(Plan(), tmp_path / "plan.json")  # type: ignore[arg-type]  # all it asks of it


def test_it_is_quick() -> None:
    """For each line and each event: with twenty secrets known, an event costs less than reading the variables did."""
    hidden = tuple(one.value for one in SECRETS[:20])
    facts = {"deployment": "20261123-101500-ab12cd", "text": "10 % to green: 0 of 200 requests failed", "stage": 10}

    def cleaned() -> float:
        began = time.perf_counter()
        for _ in range(50):
            redaction.clean(facts, hidden)
        return time.perf_counter() - began

    cleaned()
    assert min(cleaned() for _ in range(5)) / 50 < 0.001
