"""Whole deployments that two sources judge: the world's own balancer, and one that knows the application."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks import plans
from deploytasks.errors import NotEnoughEvidence, OverThreshold, TakenBack
from deploytasks.operations import answers, checking
from deploytasks.operations.carrying_out import carry_out
from deploytasks.operations.resuming import resume
from deploytasks.ports import Event
from deploytasks.world import World

PROMETHEUS = {
    "kind": "prometheus",
    "url": "http://127.0.0.1:9090",
    "counts": "django",
    "measures": ["errors"],
}
TWO: dict[str, Any] = {"metrics": [{"kind": "envoy"}, PROMETHEUS], "stages": [50, 100], "watch": "60s", "bake": "30s"}


def deploy(folder: Path, version: str = "1.1.0", kind: type[World] = memory.TestWorld) -> None:
    world = memory.world(folder, kind=kind, **TWO)
    carry_out(world, partial(plans.deploy, release=memory.release(version), gates=False), task="deploy")


def told(folder: Path, **of: Any) -> None:
    """From now on this is what the second source says."""
    memory.state_of(folder).set(sources={"prometheus": of})


def last(folder: Path, kind: str) -> Event:
    return [event for event in memory.world(folder).ledger.events() if event.kind == kind][-1]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """1.0.0 is live; both sources speak."""
    deploy(tmp_path, "1.0.0")
    return tmp_path


def test_what_both_find_good_stays(live: Path) -> None:
    """And the ledger has what each has said."""
    told(live, errors={})
    deploy(live)
    assert "green" == memory.world(live).traffic.read().live
    facts = last(live, "reading").facts
    assert {"prometheus"} == set(facts["reading"]["more"])  # type: ignore[arg-type,call-overload,index]  # JSON
    assert "envoy" == facts["outlook"]["counted_by"]  # type: ignore[call-overload,index]  # JSON


def test_a_silent_one_is_held_and_then_goes_home(live: Path) -> None:
    """Code 6: nothing was judged bad, and nothing was shown to be good; the other one alone is not enough."""
    told(live, silent=True)
    with pytest.raises(NotEnoughEvidence, match="prometheus: prometheus are silent"):
        deploy(live)
    assert "blue" == memory.world(live).traffic.read().live
    assert 6 == last(live, "ended").facts["code"]
    assert not [line for line in memory.state_of(live).read()["log"] if line.startswith("split 50/50")]


def test_one_that_falls_silent_in_the_middle_goes_home_too(live: Path) -> None:
    """It is not forgotten because it has spoken before."""

    class Falling(memory.TestWorld):
        def note(self, kind: str, **facts: Any) -> Any:
            if kind == "shifted":
                told(live, silent=True)
            return super().note(kind, **facts)

    told(live, errors={})
    with pytest.raises(NotEnoughEvidence, match="missing data of prometheus"):
        deploy(live, kind=Falling)
    assert "blue" == memory.world(live).traffic.read().live


def test_one_that_finds_it_bad_takes_it_back(live: Path) -> None:
    """Code 4, though the balancer has seen no error; its numbers are told beside."""
    told(live, errors={"green": 0.3})
    with pytest.raises(TakenBack, match=r"errors of prometheus: .* meanwhile envoy: 0 of "):
        deploy(live)
    assert ("blue", 4) == (memory.world(live).traffic.read().live, last(live, "ended").facts["code"])


def test_a_resumed_deployment_replays_what_each_said(live: Path) -> None:
    """Killed in the first stage: it goes on with what both sources have told, and to its end."""
    told(live, errors={"green": 0.005})

    class Mortal(memory.TestWorld):
        readings = 0

        def note(self, kind: str, **facts: Any) -> Any:
            event = super().note(kind, **facts)
            type(self).readings += kind == "reading"
            if self.readings == 8:
                memory.state_of(live).flush()
                os._exit(137)
            return event

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the fork of a threaded test runner runs no thread
        pid = os.fork()
    if pid == 0:
        deploy(live, kind=Mortal)
        os._exit(0)
    assert 137 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert memory.world(live).traffic.read().is_mixed

    resume(memory.world(live, **TWO))
    assert "green" == memory.world(live).traffic.read().live
    counted = last(live, "reading").facts["outlook"]["evidence"]  # type: ignore[call-overload,index]  # JSON
    assert {"errors of envoy", "p99 of envoy", "p99_worse of envoy", "errors of prometheus"} == set(counted)


def test_the_doctor_finds_a_limit_that_nothing_feeds(tmp_path: Path) -> None:
    """The same as the gate refuses: a failure, with what to configure."""
    world = memory.world(tmp_path, metrics=[{"kind": "envoy", "measures": ["errors"]}, PROMETHEUS])
    found = {each["subject"]: each for each in answers.doctor(world)["findings"]}
    assert ("fail", "nothing feeds it") == (found["limits: P99"]["state"], found["limits: P99"]["detail"])
    assert "`latency`" in found["limits: P99"]["do"]
    assert "limits: errors" not in found


def test_a_check_looks_at_both(live: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`inv check-error-rate`: the worse of them decides."""
    told(live, errors={"blue": 0.3})
    monkeypatch.setattr(checking, "open_world", lambda *_, **__: memory.world(live, **TWO))
    with pytest.raises(OverThreshold):
        checking.check(None, "test", "blue", "60s", measure="errors", json=True)  # type: ignore[arg-type]  # unused
    assert '"source": "prometheus"' in capsys.readouterr().out
