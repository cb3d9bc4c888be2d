from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from deploytasks.ports import Alert, Command, Health, NoData, Reading, Split, Totals
from deploytasks.rollout import reading_from_json, reading_to_json
from deploytasks.verdict import LADDER

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
counts = st.integers(1, 10**9)
totals = st.builds(Totals, counts, counts, st.dictionaries(st.sampled_from([*LADDER, 0.123456, 77.0]), counts))
both = st.fixed_dictionaries({}, optional={"blue": totals, "green": totals})
health = st.fixed_dictionaries(
    {},
    optional={
        color: st.builds(Health, st.booleans(), st.text(), st.none() | st.floats(0, 1)) for color in ("blue", "green")
    },
)
read = st.dictionaries(st.sampled_from(["cpu", "pool", "query_time"]), st.floats(0, 1e9))
alerts = st.lists(st.builds(Alert, st.text(), st.sampled_from(["critical", "warning"]), st.just(NOW), st.text())).map(
    tuple
)
silence = st.builds(NoData, st.text(), heard=st.just(()))
readings = st.builds(
    Reading,
    at=st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda gap: NOW + gap),
    split=st.builds(
        Split, st.integers(0, 100), st.integers(0, 100), st.none() | st.just("blue"), st.none() | st.text()
    ),
    totals=both | silence,
    probes=st.none() | both,
    health=health,
    alerts=alerts | st.builds(NoData, st.text(), heard=alerts),
    command=st.none() | st.builds(Command, st.sampled_from(["pause", "abort"]), st.text(), st.text()),
    levels=read | silence,
    more=st.dictionaries(st.text(), both | silence),
)


@given(readings)
def test_a_reading_comes_back_as_it_was(reading):
    """Through JSON and back, nothing is lost: a replay sees what the deployer saw."""
    assert reading == reading_from_json(json.loads(json.dumps(reading_to_json(reading))))


def test_a_reading_without_levels_is_one_of_before_there_were_any():
    """What an older version recorded loads, and a reading that has no levels looks the same."""
    reading = Reading(NOW, Split(100, 0), {}, None, {}, ())
    recorded = reading_to_json(reading)
    assert "levels" not in recorded
    assert {} == reading_from_json(recorded).levels


def test_a_reading_is_compact():
    """Four full histograms stay below 2.5 kB: a deployment records hundreds of readings."""
    full = Totals(10_000, 12, {edge: 10_000 - 100 * place for place, edge in enumerate(LADDER)})
    well = Health(True, "200 in 3 ms")
    each = {"blue": full, "green": full}
    reading = Reading(NOW, Split(90, 10, "blue", "deploy:x"), each, each, {"blue": well, "green": well}, ())
    assert len(json.dumps(reading_to_json(reading), separators=(",", ":"))) < 2500
