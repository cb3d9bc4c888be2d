"""An event as bytes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from deploytasks.ledger.event import GENESIS, canonical, chained, instant_text, read_event
from deploytasks.ports import Json

AT = datetime(2026, 11, 23, 10, 15, 0, 5, tzinfo=UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_bytes_of_an_event() -> None:
    """The form is fixed: sorted keys, no blanks, UTF-8, and a SHA-256 over everything but itself."""
    event, document = chained(1, GENESIS, AT, "note", {"b": "ü", "a": 1.5}, "ann@host", 3)
    body = (
        '{"at":"2026-11-23T10:15:00.000005+00:00",%s"facts":{"a":1.5,"b":"ü"},"kind":"note","number":1,"previous":"'
        + GENESIS
        + '","token":3,"who":"ann@host"}'
    )
    assert event.digest == hashlib.sha256((body % "").encode()).hexdigest()
    assert document.decode() == body % f'"digest":"{event.digest}",'


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text(), st.datetimes(timezones=st.just(UTC)))
def test_any_event_comes_back(facts: dict[str, Json], who: str, at: datetime) -> None:
    """Whatever the facts, the bytes give back the event, and writing it again gives the same bytes."""
    event, document = chained(7, GENESIS, at, "note", facts, who, 0)
    assert read_event(document) == event
    assert (event.facts, event.who, event.at) == (facts, who, at)
    assert chained(7, GENESIS, event.at, "note", event.facts, who, 0) == (event, document)


@given(JSON)
def test_canonical_has_one_form(value: Json) -> None:
    """Reading and writing again changes nothing."""
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_name_that_is_not_utf8_survives() -> None:
    """A file name with a lone surrogate, as Python reads it from the disk, comes back as it was."""
    event, document = chained(1, GENESIS, AT, "note", {"file": "caf\udce9"}, "ann", 0)
    assert read_event(document).facts == event.facts == {"file": "caf\udce9"}


def test_instants_are_utc() -> None:
    """An instant is written in UTC with all six digits, whatever its zone; one without a zone is refused."""
    assert instant_text(AT.astimezone(timezone(timedelta(hours=2)))) == "2026-11-23T10:15:00.000005+00:00"
    with pytest.raises(ValueError):
        instant_text(AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"facts":{}}', b'{"number":NaN}', b'{"a":1,"a":2}'],
)
def test_what_is_no_event_is_said_to_be_none(document: bytes) -> None:
    """Bytes that were never an event are refused with a reason, whatever they are."""
    with pytest.raises(ValueError, match="is not an event"):
        read_event(document)


def test_extra_field_is_refused() -> None:
    """Nothing can ride along, not even under a digest that fits."""
    _, document = chained(1, GENESIS, AT, "note", {}, "ann", 0)
    body = {**json.loads(document), "extra": 1}
    del body["digest"]
    body["digest"] = hashlib.sha256(canonical(body)).hexdigest()
    with pytest.raises(ValueError, match="is not an event"):
        read_event(canonical(body))
