"""Recorded deployments under other rules. The recordings are of whole deployments, in memory, on a virtual clock."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import memory
import pytest
import stories
from stories import killed

from deploytasks.errors import DeployError, UsageError
from deploytasks.operations.backtesting import answer, since_when
from deploytasks.operations.other_rules import FIELDS, others, wanted
from deploytasks.operations.resuming import resume
from deploytasks.ports import Totals
from deploytasks.rollout import Rules
from deploytasks.simulation.recorded import Recording, recordings
from deploytasks.simulation.replaying import compare, is_reproduced, replay

PATH = "deploy.environments.test"


def deploy(folder: Path, version: str, errors: float = 0.0, **world: Any) -> None:
    """One deployment; what it ends with is in the ledger."""
    memory.state_of(folder).set(errors={"blue": errors, "green": errors}, **world)
    with suppress(DeployError):
        stories.deploy(stories.world(folder), version)


def recorded(folder: Path) -> list[Recording]:
    return recordings(stories.world(folder).ledger.events())


def under(folder: Path, **asked: str) -> dict[str, Any]:
    """A backtest; settings by their names, ``__`` for the dot."""
    named = wanted({key.replace("__", "."): value for key, value in asked.items()}, ())
    return answer(stories.world(folder), others(named, {}, PATH), named, None, None)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A folder with a release that is live."""
    deploy(tmp_path, "1.0.0")
    return tmp_path


# -- the self-check ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "world", "code"),
    [
        (0.0, {}, 0),
        (0.015, {}, 0),
        (0.5, {}, 4),
        (0.06, {}, 4),
        (0.0, {"silent": True}, 6),
        (0.0, {"rate": 0.02}, 6),
        (0.0, {"sick": {"blue": 1.0}}, 4),
    ],
)
def test_its_own_rules_reproduce_what_was_recorded(live: Path, errors: float, world: dict[str, Any], code: int) -> None:
    """Move by move, to the last verdict: a good one, bad ones, a silent one, one with too few users."""
    deploy(live, "1.1.0", errors, **world)
    first, last = recorded(live)
    assert ("1.0.0", 0, True) == (first.version, first.code, is_reproduced(first))
    assert last.code == code or world.get("sick")
    assert is_reproduced(last)
    assert "same" == compare(last, last.rules or first.rules).kind  # type: ignore[arg-type]  # it has rules


def test_dying_and_watching_again(live: Path) -> None:
    """The readings before the death and after it are one course, as the resumption made it."""
    killed(live, "shifted")
    resume(stories.world(live))
    _, last = recorded(live)
    assert 1 == sum(look.reading is None for look in last.looks)
    assert (1, 0, True) == (last.attempt, last.code, is_reproduced(last))


def test_dying_before_the_first_shift(live: Path) -> None:
    """Then the rollout begins anew: what was read before it is one without an end."""
    killed(live, "reading")
    resume(stories.world(live))
    _, dead, last = recorded(live)
    assert [("", 1, True), ("done", 2, True)] == [
        (each.outcome, each.attempt, is_reproduced(each)) for each in (dead, last)
    ]


def test_a_rollout_that_was_held_is_tried_again(live: Path) -> None:
    """Two attempts of one deployment: too few users, and enough."""
    deploy(live, "1.1.0", rate=0.02)
    memory.state_of(live).set(rate=100.0)
    resume(stories.world(live))
    _, held, done = recorded(live)
    assert held.deployment == done.deployment
    assert [(1, 6, True), (2, 0, True)] == [(each.attempt, each.code, is_reproduced(each)) for each in (held, done)]


def test_what_was_recorded_otherwise_is_not_compared(live: Path) -> None:
    """A recording that these rules do not lead to is named, and left out of the sum."""
    deploy(live, "1.1.0", 0.5)
    _, last = recorded(live)
    looks = tuple(look._replace(move="wait 15 s") for look in last.looks)
    assert not is_reproduced(last._replace(looks=looks))
    assert not is_reproduced(last._replace(rules=None))


# -- other rules -------------------------------------------------------------------------------------------------


def test_harsher_rules_take_it_home_earlier(live: Path) -> None:
    """What users were spared is what they met from then to the recorded end."""
    deploy(live, "1.1.0", 0.03, rate=20.0)
    found = under(live, rule="threshold")
    good, bad = found["deployments"]
    assert "same" == good["would"]["kind"]
    would = bad["would"]
    assert ("home earlier", 4, True) == (would["kind"], would["code"], would["known"])
    assert would["earlier"] > 0
    assert 20 * 0.5 * would["earlier"] == pytest.approx(would["requests"], abs=2)
    assert would["errors"] == pytest.approx(0.03 * would["requests"], abs=1)
    assert 1 == found["summary"]["bad_earlier"]
    assert would["errors"] == found["summary"]["errors_spared"]


def test_a_good_one_that_would_have_gone_home_is_a_false_alarm(live: Path) -> None:
    """It ended well; so going home earlier is no gain, and is counted apart."""
    deploy(live, "1.1.0", 0.015)
    found = under(live, rule="threshold", rollback_when__errors="1%")
    assert "home earlier" == found["deployments"][1]["would"]["kind"]
    assert (1, 0, 0) == tuple(found["summary"][key] for key in ("good_taken_home", "bad_earlier", "errors_spared"))


def regret(folder: Path) -> None:
    """What `inv rollback` records."""
    facts = {"reason": "checkout fails", "from": [0, 100], "to": [100, 0], "by": "ann@desk"}
    stories.world(folder).ledger.append("rolled-back", facts)


def test_one_that_was_regretted_was_bad(live: Path) -> None:
    """It ended well, and somebody took it back: whoever takes it home earlier is right."""
    deploy(live, "1.1.0", 0.015)
    regret(live)
    found = under(live, rule="threshold", rollback_when__errors="1%")
    assert "checkout fails" == found["deployments"][1]["regretted"]
    assert (0, 1) == tuple(found["summary"][key] for key in ("good_taken_home", "bad_earlier"))


def test_a_rollback_in_the_middle_is_no_regret_of_the_one_before(live: Path) -> None:
    """It took back the deployment that was at work."""
    killed(live, "shifted")
    regret(live)
    assert "" == recorded(live)[0].regretted


def test_milder_rules_lead_where_nobody_knows(live: Path) -> None:
    """It went home; where it would have gone on, there are no readings: that is said, and nothing is promised."""
    deploy(live, "1.1.0", 0.06)
    found = under(live, rollback_when__errors="10%")
    would = found["deployments"][1]["would"]
    assert ("goes on", False, 0, 0) == (would["kind"], would["known"], would["requests"], would["errors"])
    assert 1 == found["summary"]["not_taken_home"]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"min_requests": "5000"}, "waits"),
        ({"stages": "10,100"}, "moves elsewhere"),
        ({"watch": "15s"}, "moves earlier"),
        ({"bake": "0"}, "finishes earlier"),
        ({"bake": "10m"}, "waits"),
    ],
)
def test_another_course_is_unknown_from_there_on(live: Path, asked: dict[str, str], kind: str) -> None:
    """The readings that follow are of a course that these rules would not have taken."""
    deploy(live, "1.1.0")
    found = under(live, **asked)
    assert (kind, False) == tuple(found["deployments"][1]["would"][key] for key in ("kind", "known"))


def test_only_some_of_them(live: Path) -> None:
    """Those of a deployment, or since a time; one that is not there is code 2."""
    deploy(live, "1.1.0")
    world = stories.world(live)
    first, last = recorded(live)
    none = others({}, {}, PATH)
    assert [last.deployment] == [row["deployment"] for row in answer(world, none, {}, last.began, None)["deployments"]]
    assert ["1.0.0"] == [row["version"] for row in answer(world, none, {}, None, first.deployment)["deployments"]]
    with pytest.raises(UsageError, match="no rollout of a deployment 'nope'"):
        answer(world, none, {}, None, "nope")


def test_it_reads_and_writes_nothing(live: Path) -> None:
    """Not even an event."""
    before = stories.world(live).ledger.head()
    under(live, rule="threshold")
    assert before == stories.world(live).ledger.head()


def test_an_empty_ledger_has_nothing_to_replay(tmp_path: Path) -> None:
    assert [] == under(tmp_path)["deployments"]


def test_replaying_counts_what_users_met(live: Path) -> None:
    """The course that is replayed has seen all of it."""
    deploy(live, "1.1.0")
    last = recorded(live)[-1]
    assert last.rules is not None
    *_, seen = replay(last.rules, last.looks)
    own = seen.course.users.last[last.rules.target]
    assert isinstance(own, Totals)
    assert own.requests > 0


# -- what can be asked -------------------------------------------------------------------------------------------


def test_settings_become_rules_and_lines_to_copy() -> None:
    """With their units; what else stands in a section stays there."""
    asked = wanted({"rule": "threshold", "rollback_when.errors": "5%", "stages": "10, 50%,100"}, ["min_requests=100"])
    environment = {"traffic": {"kind": "envoy"}, "rollback_when": {"p99_worse_from": "250ms"}}
    found = others(asked, environment, PATH)
    assert {"rule": "threshold", "errors": 0.05, "stages": (10, 50, 100), "min_requests": 100} == found.fields
    assert (
        "rule: threshold",
        "rollback_when: {p99_worse_from: 250ms, errors: 5%}",
        "stages: [10, 50, 100]",
        "min_requests: 100",
    ) == found.settings


def test_warnings_come_before_what_takes_back() -> None:
    """A limit at which warnings would begin takes them with it; the lines to copy say so, and are valid."""
    found = others({"rollback_when.errors": "1%", "rollback_when.p99": "800ms"}, {}, PATH)
    assert (0.01, 0.005, 0.8, 0.4) == tuple(found.fields[key] for key in ("errors", "warn_errors", "p99", "warn_p99"))
    assert "warn_when: {errors: 0.5%, p99: 400ms}" in found.settings


def test_no_comparison_with_the_live_color() -> None:
    assert {"worse": None} == others({"rollback_when.p99_worse": "none"}, {}, PATH).fields


@pytest.mark.parametrize("key", FIELDS)
def test_every_setting_is_one_of_the_rules(key: str) -> None:
    """By the name that recorded rules have for it."""
    assert FIELDS[key] in Rules.__dataclass_fields__


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rollback_when.errors": "lots"}, "rollback_when.errors: 'lots' is not a share"),
        ({"rule": "guess"}, "rule: 'guess' is none of"),
        ({"stages": "50,10"}, "stages[1]: 10 is below 50"),
        ({"stages": "ten"}, "'ten' is not a whole percentage"),
        ({"rollback_when.p99": "fast"}, "rollback_when.p99: 'fast' is not a duration"),
        ({"warn_when.errors": "5%"}, "warn_when.errors: 0.05 is not below rollback_when.errors"),
    ],
)
def test_wrong_values_are_named(asked: dict[str, str], said: str) -> None:
    """With the path that they would have in the file, code 2."""
    with pytest.raises(UsageError, match=r".") as caught:
        others(wanted(asked, ()), {}, PATH)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("min_requests", "no value"),
        ("min_request=3", "did you mean `min_requests`"),
        ("way_back=1h", "nothing that was"),
    ],
)
def test_wrong_names_are_named(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wanted({}, [given])


def test_since_is_a_length_or_a_day() -> None:
    now = memory.BEGINNING
    assert 3 == (now - (since_when("3d", now) or now)).days
    assert since_when("2026-11-01", now) == now.replace(month=11, day=1, hour=0)
    assert since_when(None, now) is None
    for wrong in ("soon", "2026-13-01", "9" * 30 + "d"):
        with pytest.raises(UsageError, match="is no time"):
            since_when(wrong, now)
