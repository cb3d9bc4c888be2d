"""`inv check-error-rate` and `inv check-latency`: one reading, or one after the other, judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.errors import DeployError, Interrupted, NotEnoughEvidence, OverThreshold, UsageError
from deploytasks.operations import checking
from deploytasks.ports import Color, NoData, Totals
from deploytasks.verdict import LADDER

Counts = Mapping[Color, Totals] | NoData
GOOD: Counts = {"blue": Totals(1000, 1, {}), "green": Totals(1000, 2, {})}
BAD: Counts = {"blue": Totals(1000, 1, {}), "green": Totals(1000, 200, {})}
FEW: Counts = {"blue": Totals(1000, 1, {}), "green": Totals(5, 0, {})}


class Recalling:
    """Metrics that remember: each question gets the next answer, the last one for ever."""

    lag = 30.0

    def __init__(self, *answers: Counts) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[datetime, datetime]] = []

    def between(self, since: datetime, until: datetime, edges: Sequence[float]) -> Counts:
        assert edges == LADDER
        self.asked.append((since, until))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def totals(self, since: datetime, edges: Sequence[float]) -> Counts:
        raise AssertionError("nobody had to wait for this")

    def levels(self) -> Mapping[str, float]:
        return {}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> memory.TestWorld:
    made = memory.world(tmp_path)
    assert isinstance(made, memory.TestWorld)
    memory.state_of(tmp_path).change(split=[90, 10, None, None])
    monkeypatch.setattr(checking, "open_world", lambda *_, **__: made)
    return made


def told(world: memory.TestWorld, *answers: Counts) -> Recalling:
    metrics = Recalling(*answers)
    world.metrics = metrics  # type: ignore[assignment]  # what is not asked for is not there
    return metrics


def check(measure: str = "errors", color: str | None = "green", window: str = "5m", **more: Any) -> int:
    """The code that it leaves with."""
    try:
        checking.check(None, "test", color, window, measure=measure, **more)  # type: ignore[arg-type]  # nobody looks
    except DeployError as error:
        return error.exit_code
    return 0


@pytest.mark.parametrize(("counts", "code"), [(GOOD, 0), (BAD, 9), (FEW, 6), (NoData("out of order"), 6), ({}, 6)])
def test_the_code_says_what_was_found(world: memory.TestWorld, counts: Counts, code: int) -> None:
    """0 within the limits, 9 over one, 6 with too few requests, none at all, or nothing that was read."""
    told(world, counts)
    assert code == check()


def test_what_remembers_is_asked_and_not_awaited(world: memory.TestWorld) -> None:
    """The window ends where what comes late has come; no time goes by."""
    metrics, before = told(world, GOOD), world.clock.elapsed()
    check(window="5m")
    assert before == world.clock.elapsed()
    [(since, until)] = metrics.asked
    assert (300, 30) == ((until - since).total_seconds(), (world.clock.now() - until).total_seconds())


def test_what_only_counts_is_awaited(world: memory.TestWorld) -> None:
    """Counts at the end less counts at the beginning."""
    before = world.clock.elapsed()
    assert 0 == check(window="60s", color="blue")
    assert 60 <= world.clock.elapsed() - before < 62


def test_the_answer_has_all_that_it_was_judged_by(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests, errors, interval, the other color beside it, limits, verdicts and the worst of them."""
    told(world, BAD)
    check(json=True)
    found = json.loads(capsys.readouterr().out)
    [source] = found["sources"]
    reading, baseline = source["reading"], source["baseline"]
    assert ("FAIL", "green", 300) == (found["verdict"], found["color"], found["window"])
    assert (1000, 200, 0.2, 1) == (reading["requests"], reading["errors"], reading["error_rate"], baseline["errors"])
    assert reading["interval"][0] < 0.2 < reading["interval"][1]
    assert 0.02 == found["limits"]["errors"]


def test_people_see_both_colors(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """The baseline below the color that was asked for."""
    told(world, GOOD)
    check()
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any("green 1,000 2 (0.2 %)" in line for line in lines)
    assert any("baseline 1,000 1 (0.1 %)" in line for line in lines)


def test_latency_is_compared_with_the_other_color(world: memory.TestWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Half as slow again as the color beside it is code 9, though no absolute limit is passed."""
    fast = {edge: 1000 for edge in LADDER if edge < 0.1}
    slow = {edge: 1000 for edge in LADDER if edge < 0.2}
    told(world, {"blue": Totals(1000, 0, fast), "green": Totals(1000, 0, slow)})
    assert 9 == check("latency", json=True)
    found = {each["metric"]: each["kind"] for each in json.loads(capsys.readouterr().out)["verdicts"]}
    assert {"p99": "PASS", "p95": "PASS", "p99_worse": "FAIL"} == found


@pytest.mark.parametrize(("release", "color"), [("1.0.0", "blue"), ("v1.1.0", "green")])
def test_a_release_is_judged_where_it_is(
    world: memory.TestWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str], release: str, color: str
) -> None:
    """`--release`, with or without the prefix of its tag."""
    _install(tmp_path, blue="1.0.0", green="1.1.0")
    told(world, GOOD)
    check(color=None, release=release, json=True)
    assert color == json.loads(capsys.readouterr().out)["color"]


def test_a_release_that_is_nowhere_or_everywhere(world: memory.TestWorld, tmp_path: Path) -> None:
    """Code 2, and what there is."""
    _install(tmp_path, blue="1.0.0", green="1.0.0")
    told(world, GOOD)
    with pytest.raises(UsageError, match=r"neither color: blue has 1.0.0, green has 1.0.0"):
        checking.check(None, "test", None, "5m", measure="errors", release="2.0.0")  # type: ignore[arg-type]  # see above
    with pytest.raises(UsageError, match="on both colors"):
        checking.check(None, "test", None, "5m", measure="errors", release="1.0.0")  # type: ignore[arg-type]  # see above
    assert 2 == check(color="blue", release="1.0.0")


def _install(folder: Path, **versions: str) -> None:
    found = {
        color: {"release": f"{version}-0", "digest": "0", "version": version, "running": f"{version}-0"}
        for color, version in versions.items()
    }
    memory.state_of(folder).change(colors=found)


def test_watching_judges_again_and_again(
    world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One JSON object for each poll; whoever interrupts it gets the code of what was judged last."""
    told(world, GOOD, GOOD, BAD)
    polls = iter(range(3))
    monkeypatch.setattr(world, "wait", lambda seconds: _until(polls))
    assert 9 == check(watch=True, json=True)
    lines = capsys.readouterr().out.splitlines()
    assert ["PASS", "PASS", "FAIL"] == [json.loads(line)["verdict"] for line in lines]


def test_watching_that_saw_nothing(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption before the first reading is one."""
    told(world, GOOD)
    monkeypatch.setattr(world, "wait", lambda seconds: _until(iter(())))
    with pytest.raises(Interrupted):
        check(watch=True)


def _until(polls: Iterator[int]) -> None:
    if next(polls, None) is None:
        raise Interrupted(130)


def test_a_watched_window_moves(world: memory.TestWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that are older than the window are no longer judged."""
    from deploytasks.operations.lookback import Window, sources_of

    state = memory.state_of(world.site.root)
    state.set(errors={"blue": 0.5})
    [source] = sources_of(world, "errors")
    look = Window(world, source, 60)
    world.wait(60)
    state.set(errors={})
    rates = []
    for _ in range(4):
        found = look.read()
        assert not isinstance(found, NoData)
        rates.append(round(found["blue"].errors / found["blue"].requests, 1))
        world.wait(20)
    assert [0.5, 0.4, 0.3, 0.0] == rates


def test_not_enough_is_said_with_its_reason(world: memory.TestWorld) -> None:
    """Which source, and why."""
    told(world, NoData("the exporter is down"))
    with pytest.raises(NotEnoughEvidence, match=r"errors: no data from .*: the exporter is down"):
        checking.check(None, "test", "green", "5m", measure="errors")  # type: ignore[arg-type]  # nobody looks at it


def test_over_the_limit_is_said_with_its_numbers(world: memory.TestWorld) -> None:
    """200 of 1000."""
    told(world, BAD)
    with pytest.raises(OverThreshold, match="200 of 1000 requests"):
        checking.check(None, "test", "green", "5m", measure="errors")  # type: ignore[arg-type]  # nobody looks at it
