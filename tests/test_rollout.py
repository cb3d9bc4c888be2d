"""The fold, driven reading by reading. Virtual time; no part of the world is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from deploytasks.errors import UsageError
from deploytasks.ports import ACCEPTED, Alert, Command, Health, NoData, Reading, Split, Totals
from deploytasks.rollout import (
    Finish,
    Move,
    Rules,
    Shift,
    Stop,
    TurnBack,
    Wait,
    adequate,
    advance,
    again,
    outlook,
    reading_from_json,
    reading_to_json,
    start,
)
from deploytasks.verdict import LADDER

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(home="blue", target="green", writer="deploy:1")
WELL, ILL = Health(True, "200"), Health(False, "503 from /health")
FINE = (100, 0, 0.02)
"""Per poll: requests, errors, seconds that every request took."""


def plus(totals: Totals, n: int, errors: int, seconds: float, slow: int | None = None) -> Totals:
    """``n`` more requests, of which ``slow`` (default: all) took ``seconds`` and the others 20 ms."""
    slow = n if slow is None else slow
    new = {edge: (slow if edge < seconds else 0) + (n - slow if edge < 0.02 else 0) for edge in LADDER}
    slower = {edge: totals.slower.get(edge, 0) + count for edge, count in new.items()}
    return Totals(totals.requests + n, totals.errors + errors, {edge: count for edge, count in slower.items() if count})


@dataclass
class Drive:
    """A rollout and the world around it: makes every move, lets time pass, and remembers both."""

    rules: Rules = RULES
    split: Split = field(default_factory=lambda: Split.all_on("blue", None, "settled:0"))
    at: datetime = START
    moves: list[Move] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.course = start(self.rules, self.at)
        self.counts = {"blue": Totals(500, 3, {}), "green": Totals(70, 2, {})}
        self.probed = {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})}

    def poll(
        self,
        green: tuple[Any, ...] = FINE,
        blue: tuple[Any, ...] = FINE,
        probes: tuple[tuple[Any, ...], tuple[Any, ...]] | None = None,
        **said: Any,
    ) -> Move:
        """One reading, one move. ``green`` and ``blue``: what came since the last poll, where they have a share."""
        if self.split.green:
            self.counts["green"] = plus(self.counts["green"], *green)
        if self.split.blue:
            self.counts["blue"] = plus(self.counts["blue"], *blue)
        if probes:
            self.probed = {
                "green": plus(self.probed["green"], *probes[0]),
                "blue": plus(self.probed["blue"], *probes[1]),
            }
        reading = Reading(
            self.at, self.split, dict(self.counts), dict(self.probed) if self.rules.probes else None,
            {"blue": WELL, "green": WELL}, (),
        )._replace(**said)  # fmt: skip
        self.course, move = advance(self.rules, self.course, reading)
        self.readings.append(reading)
        self.moves.append(move)
        if isinstance(move, Shift):
            self.split = Split.partly_on("green", move.percent, self.rules.home, self.rules.writer)
        self.at += timedelta(seconds=move.seconds if isinstance(move, Wait) else self.rules.poll)
        return move

    def until(self, *kinds: type, most: int = 600, **said: Any) -> Move:
        """Poll until a move of one of these kinds, or of any that ends."""
        for _ in range(most):
            move = self.poll(**said)
            if isinstance(move, (*kinds, Finish, TurnBack, Stop)):
                return move
        raise AssertionError(f"no such move in {most} polls; the last one: {move}")

    def expose(self, percent: int = 10) -> Drive:
        """Poll until this stage has been shifted to."""
        while self.split.green < percent:
            assert isinstance(self.until(Shift), Shift)
        return self

    def say(self, verb: str, **said: Any) -> Move:
        return self.poll(command=Command(verb, "ann", "because"), **said)

    @property
    def shifts(self) -> list[int]:
        return [move.percent for move in self.moves if isinstance(move, Shift)]


# --- a healthy rollout ------------------------------------------------------------------------------------------


def test_a_healthy_rollout_takes_all_stages_bakes_and_passes():
    """10, 25, 50, 75, 100 %, five minutes each, half an hour of bake after a minute of baseline: then a PASS."""
    drive = Drive()
    end = drive.until(Finish)
    assert isinstance(end, Finish)
    assert end.verdict.kind == "PASS"
    assert drive.shifts == [10, 25, 50, 75, 100]
    assert drive.readings[-1].at - START == timedelta(seconds=60 + 5 * 300 + 1800)


def test_the_first_shift_tells_the_baseline():
    """The reason of the first shift has the live color's requests and P99."""
    drive = Drive().expose()
    assert drive.moves[-1].why == "baseline: 400 requests to blue, P99 21 ms"


def test_a_stage_ends_on_time_when_polls_do_not_divide_it():
    """The last wait of a stage is shorter than a poll: stages of 20 s with polls of 15 s last 20 s."""
    drive = Drive(replace(RULES, watch=20, bake=0, stages=(50, 100), baseline=0))
    drive.until(Finish)
    assert drive.readings[-1].at - START == timedelta(seconds=40)


def test_a_stage_waits_until_late_data_cover_its_end():
    """With numbers that come 45 s late, a stage of 300 s is promoted after 345 s."""
    drive = Drive(replace(RULES, lag=45, baseline=0)).expose()
    first = drive.at
    drive.expose(25)
    assert drive.at - first == timedelta(seconds=345)


def test_a_share_tried_by_hand_finishes_below_100():
    """``shift --to 25 --for 10m`` ends with Finish at 25 %; the step decides what follows."""
    drive = Drive(replace(RULES, stages=(25,), watch=600, bake=0))
    assert isinstance(drive.until(Finish), Finish)
    assert drive.shifts == [25]


def test_without_finish_at_end_the_last_stage_is_watched_until_someone_promotes():
    """It never ends by itself, is still guarded, and a person's promote ends it with a PASS."""
    drive = Drive(replace(RULES, stages=(25,), bake=0, finish_at_end=False)).expose(25)
    assert all(isinstance(drive.poll(), Wait) for _ in range(100))
    assert isinstance(drive.say("promote"), Finish)


def test_an_ended_course_repeats_its_last_move():
    """Whatever is read after the end, the move stays the same."""
    drive = Drive()
    end = drive.until(Finish)
    assert drive.poll(green=(100, 100, 9.0)) == end


@pytest.mark.parametrize("stages", [(), (50, 25), (10, 10), (0, 100), (50, 101)])
def test_stages_must_rise(stages):
    """Stages that fall, repeat, or leave 1 to 100 are refused."""
    with pytest.raises(UsageError, match="must rise"):
        replace(RULES, stages=stages)


# --- a first deployment -----------------------------------------------------------------------------------------


def test_a_first_deployment_has_one_stage_and_no_baseline():
    """Without a live color the first reading leads to 100 %, and only absolute limits hold."""
    drive = Drive(replace(RULES, home=None), split=Split(0, 0, None, None))
    assert isinstance(drive.poll(), Shift)
    assert drive.shifts == [100]
    drive.split = Split.all_on("green", None, "deploy:1")
    assert isinstance(drive.until(Finish, green=(100, 0, 1.5)), Finish)
    assert "first deployment" in drive.moves[0].why


def test_a_first_deployment_turns_back_over_an_absolute_limit():
    """Errors above 2 % take back a first deployment as well."""
    drive = Drive(replace(RULES, home=None), split=Split(0, 0, None, None))
    drive.poll()
    drive.split = Split.all_on("green", None, "deploy:1")
    assert drive.until(green=(100, 30, 0.02)).code == 4


# --- judged bad ---------------------------------------------------------------------------------------------------


def test_half_of_the_requests_failing_turns_back_at_once():
    """15 of 30 requests in the first poll after the shift are enough; the verdict has its numbers."""
    drive = Drive().expose()
    move = drive.poll(green=(30, 15, 0.02))
    assert isinstance(move, TurnBack)
    assert move.code == 4
    assert move.verdict.why == (
        "errors: 15 of 30 requests to green (50 %) were errors, against a limit of 2 %: "
        "sequential test, false-alarm bound 0.5 %"
    )


@pytest.mark.parametrize(("percent", "metric"), [(10, "errors"), (100, "errors")])
def test_errors_turn_back_in_every_stage(percent, metric):
    """Trouble that begins at the last stage is found like trouble at the first."""
    move = Drive().expose(percent).until(green=(100, 20, 0.02))
    assert (move.code, move.verdict.metric) == (4, metric)


def test_errors_turn_back_in_the_bake():
    """After 100 % the watch goes on: errors in the bake still take everything home."""
    drive = Drive().expose(100)
    while drive.course.phase != "bake":
        drive.poll()
    assert drive.until(green=(100, 20, 0.02)).code == 4


def test_slow_requests_turn_back():
    """A P99 above 2 s for good is judged bad."""
    move = Drive(replace(RULES, worse=None)).expose().until(green=(100, 0, 3.0, 10))
    assert (move.code, move.verdict.metric) == (4, "p99")


def test_latency_worse_than_the_baseline_turns_back():
    """60 ms where the live color needs 20 is half as slow again, though far below every absolute limit."""
    move = Drive().expose().until(green=(100, 0, 0.06))
    assert (move.code, move.verdict.metric) == (4, "p99_worse")


def test_latency_is_compared_with_the_live_color_of_now_too():
    """When a shared database makes both colors slow, the new release is not to blame."""
    drive = Drive().expose()
    drive.until(Shift, blue=(500, 0, 0.06), green=(100, 0, 0.02))
    assert isinstance(drive.until(Shift, blue=(500, 0, 0.06), green=(100, 0, 0.06)), Shift)


def test_too_small_a_baseline_is_said_out_loud():
    """With fewer than 300 live requests the comparison is off, says so, and never fails anything."""
    drive = Drive()
    drive.until(Shift, blue=(20, 0, 0.02))
    assert "80 requests to blue, 300 are needed" in drive.moves[-1].why
    assert isinstance(drive.until(Shift, blue=(1, 0, 0.02), green=(100, 0, 0.3)), Shift)
    assert "not compared" in outlook(drive.rules, drive.course, drive.at).notes[0]


def test_a_warning_is_only_a_message():
    """1.6 % errors warn, once; the rollout goes on to its end."""
    drive = Drive()
    assert isinstance(drive.until(Finish, green=(1000, 16, 0.02), blue=(1000, 16, 0.02)), Finish)
    assert [warning.metric for warning in drive.course.warnings] == ["warn_errors"]


def test_the_gate_holds_what_is_over_the_limit_but_not_beyond_chance():
    """3 % of 200 requests do not trip the test, yet the stage is not promoted: ambiguous, and code 6 in the end."""
    drive = Drive(replace(RULES, hold=120)).expose()
    counts = [(10, 1, 0.02)] + [(10, 0, 0.02)] * 2
    while isinstance(move := drive.poll(green=counts[len(drive.moves) % 3]), Wait):
        pass
    assert isinstance(move, TurnBack)
    assert move.code == 6
    assert "ambiguous: errors" in move.verdict.why
    assert drive.shifts == [10]


def test_an_ambiguous_stage_that_gets_better_goes_on():
    """A hold ends as soon as nothing is in doubt any more."""
    drive = Drive().expose()
    for _ in range(21):
        drive.poll(green=(10, len(drive.moves) % 3 == 0, 0.02))
    assert drive.course.held is not None
    assert isinstance(drive.until(Shift), Shift)


# --- the literal rule ---------------------------------------------------------------------------------------------


def test_the_threshold_rule_turns_back_on_one_poll():
    """``rule: threshold``: 3 errors in 100 requests of one poll are over 2 %; the sequential rule waits."""
    literal = Drive(replace(RULES, rule="threshold")).expose()
    assert literal.poll(green=(100, 3, 0.02)).code == 4
    assert isinstance(Drive().expose().poll(green=(100, 3, 0.02)), Wait)


def test_the_threshold_rule_judges_each_poll_once():
    """A poll without data does not judge the one before it again, and a healthy course passes."""
    drive = Drive(replace(RULES, rule="threshold")).expose()
    drive.poll(green=(100, 2, 0.02))
    assert isinstance(drive.poll(totals=NoData("timeout")), Wait)
    assert isinstance(drive.until(Finish), Finish)


# --- too little to judge by ---------------------------------------------------------------------------------------


def test_too_few_requests_end_as_inconclusive():
    """29 requests in the stage and its hold are not judged: home with code 6, nothing was judged bad."""
    drive = Drive(replace(RULES, hold=0)).expose()
    for _ in range(19):
        drive.poll(green=(1, 0, 0.02))
    move = drive.poll(green=(10, 0, 0.02))
    assert isinstance(move, TurnBack)
    assert move.code == 6
    assert "inconclusive: 29 requests to green, 30 are needed" in move.verdict.why


def test_thirty_requests_are_enough():
    """One more, and the stage passes."""
    drive = Drive(replace(RULES, hold=0)).expose()
    for _ in range(19):
        drive.poll(green=(1, 0, 0.02))
    assert isinstance(drive.poll(green=(11, 0, 0.02)), Shift)


def test_a_hold_is_bounded():
    """It waits at the same weight for 900 s, then goes home."""
    drive = Drive().expose()
    began = drive.at
    move = drive.until(Shift, alerts=(Alert("old", "critical", START - timedelta(days=1)),))
    assert (move.code, drive.shifts) == (6, [10])
    assert drive.readings[-1].at - (began - timedelta(seconds=15)) == timedelta(seconds=300 + 900)


def test_no_data_is_not_zero_errors():
    """Metrics that cannot be read for more than five minutes take traffic home with code 6, and say why."""
    drive = Drive().expose()
    move = drive.until(Shift, totals=NoData("connection refused"))
    assert (move.code, drive.shifts) == (6, [10])
    assert "missing data for 315 s, limit 300 s: connection refused" in move.verdict.why


def test_no_request_at_all_is_missing_data():
    """A target with a share that sees nothing new for five minutes is not fine; a quiet poll now and then is."""
    drive = Drive().expose()
    for _ in range(4):
        assert isinstance(drive.poll(green=(0, 0, 0.02)), Wait)
    drive.poll(green=(50, 0, 0.02))
    move = drive.until(Shift, green=(0, 0, 0.02))
    assert move.code == 6
    assert "no new request reached green" in move.verdict.why


def test_a_stage_needs_four_fifths_of_its_polls():
    """Five unreadable polls of twenty hold the stage; enough good ones after them let it go on."""
    drive = Drive().expose()
    for number in range(20):
        drive.poll(**({"totals": NoData("timeout")} if number % 4 == 0 else {}))
    assert drive.course.held is not None
    assert "only 15 of 20 polls" in drive.course.verdicts[0].why
    assert isinstance(drive.until(Shift), Shift)


def test_a_stage_never_ends_on_an_unreadable_poll():
    """The data must cover the stage's end: a poll that fails just then is waited out."""
    drive = Drive().expose()
    for _ in range(19):
        drive.poll()
    assert isinstance(drive.poll(totals=NoData("timeout")), Wait)
    assert isinstance(drive.poll(), Shift)


def test_a_baseline_without_data_exposes_nobody():
    """Nothing is shifted while the metrics cannot be read."""
    drive = Drive()
    assert drive.until(Shift, totals=NoData("refused")).code == 6
    assert drive.shifts == []


def test_unreadable_alerts_are_missing_data():
    """Alerts that cannot be read stop every promotion, and after five minutes the rollout."""
    drive = Drive().expose()
    move = drive.until(Shift, alerts=NoData("no such file"))
    assert move.code == 6
    assert move.verdict.metric == "missing alerts"


def test_a_stage_that_went_silent_is_not_promoted():
    """Enough requests at its beginning do not vouch for its end; one that comes after the silence does."""
    drive = Drive().expose()
    for number in range(20):
        move = drive.poll(green=(100 if number < 15 else 0, 0, 0.02))
    assert isinstance(move, Wait)
    assert "no new request reached green for 75 s" in move.why
    assert isinstance(drive.poll(green=(1, 0, 0.02)), Shift)


def test_a_counter_reset_starts_a_new_count():
    """A restart of the balancer sets counts to zero: nothing negative, nothing judged, and the rollout goes on."""
    drive = Drive().expose()
    drive.poll()
    drive.counts = {"blue": Totals(0, 0, {}), "green": Totals(0, 0, {})}
    drive.poll(green=(3, 0, 0.02))
    assert outlook(drive.rules, drive.course, drive.at).users["green"].requests == 100
    assert isinstance(drive.until(Finish), Finish)


def test_errors_from_before_the_rollout_do_not_count():
    """The first reading is where counting begins, whatever the counters held."""
    drive = Drive()
    drive.counts["green"] = Totals(1000, 900, {})
    assert isinstance(drive.until(Finish), Finish)


# --- health and alerts --------------------------------------------------------------------------------------------


def test_three_unhealthy_readings_in_a_row_turn_back():
    """Two and a good one are forgiven; the third in a row is not."""
    drive, ill = Drive().expose(), {"blue": WELL, "green": ILL}
    drive.poll(health=ill)
    drive.poll(health=ill)
    drive.poll()
    assert isinstance(drive.poll(health=ill), Wait)
    assert isinstance(drive.poll(health=ill), Wait)
    move = drive.poll(health=ill)
    assert (move.code, move.verdict.metric) == (4, "health")
    assert "503 from /health" in move.verdict.why


@pytest.mark.parametrize("health", [{"blue": WELL, "green": ILL}, {"blue": WELL}])
def test_health_is_guarded_in_the_baseline_and_its_absence_is_not_health(health):
    """Before the first shift too, three unhealthy (or unread) answers end the rollout."""
    drive = Drive()
    assert drive.until(health=health).code == 4
    assert drive.shifts == []


def test_an_unhealthy_target_is_not_promoted():
    """One unhealthy answer at the end of a stage holds it."""
    drive = Drive().expose()
    for _ in range(19):
        drive.poll()
    assert isinstance(drive.poll(health={"blue": WELL, "green": ILL}), Wait)
    assert isinstance(drive.poll(), Shift)


def test_a_critical_alert_since_the_start_turns_back():
    """An alert that began to fire after the rollout did takes traffic home at once."""
    drive = Drive().expose()
    move = drive.poll(alerts=(Alert("Errors", "critical", drive.at, "5xx"),))
    assert (move.code, move.verdict.metric) == (4, "alert")


def test_an_older_critical_alert_only_holds():
    """What fired before is not this release's doing, but nothing is promoted while it fires."""
    drive = Drive()
    old = (Alert("Disk", "critical", START - timedelta(hours=1)),)
    for _ in range(10):
        assert isinstance(drive.poll(alerts=old), Wait)
    assert isinstance(drive.poll(), Shift)


def test_an_accepted_alert_neither_holds_nor_rolls_back():
    """What fired before and was set aside at the gate is said once; whatever its source's clock says of it."""
    drive = Drive()
    known = Alert("Disk", ACCEPTED, START + timedelta(minutes=1), "91 %")
    assert isinstance(drive.until(Finish, alerts=(known,)), Finish)
    assert drive.shifts == [10, 25, 50, 75, 100]
    told = "alert Disk (critical, and accepted at the gate) fires: 91 %"
    assert [warning.why for warning in drive.course.warnings] == [told]


def test_beside_an_accepted_alert_all_others_count():
    """A new one takes traffic home; an older one that nobody accepted holds."""
    drive = Drive().expose()
    known = Alert("Disk", ACCEPTED, START - timedelta(hours=1))
    drive.poll(alerts=(known, Alert("Replica", "critical", START - timedelta(hours=2))))
    for _ in range(30):
        assert isinstance(drive.poll(alerts=(known, Alert("Replica", "critical", START - timedelta(hours=2)))), Wait)
    move = drive.poll(alerts=(known, Alert("Errors", "critical", drive.at, "5xx")))
    assert (move.code, move.verdict.metric) == (4, "alert")
    assert "alert Errors" in move.verdict.why


def test_a_critical_alert_counts_while_another_source_is_silent():
    """Of several sources of alerts one cannot be read: what the others say that is bad news counts at once."""
    drive = Drive().expose()
    assert isinstance(drive.poll(alerts=NoData("pagerduty: gone", (Alert("Disk", ACCEPTED, START),))), Wait)
    move = drive.poll(alerts=NoData("pagerduty: gone", (Alert("file: Errors", "critical", drive.at, "5xx"),)))
    assert (move.code, move.verdict.metric) == (4, "alert")
    assert drive.readings == [reading_from_json(json.loads(json.dumps(reading_to_json(r)))) for r in drive.readings]


def test_another_alert_warns():
    """An alert that is not critical is a message, told once."""
    drive = Drive().expose()
    for _ in range(3):
        drive.poll(alerts=(Alert("CPU", "warning", drive.at),))
    assert [warning.metric for warning in drive.course.warnings] == ["alert CPU"]


# --- someone else's split -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "split",
    [
        Split.all_on("blue", None, "back:1"),
        Split.partly_on("green", 10, "blue", "deploy:2"),
        Split.partly_on("green", 25, "blue", "deploy:1"),
    ],
)
def test_a_foreign_split_stops_the_rollout(split):
    """Another share or another writer: touch nothing more, even when it also looks bad."""
    drive = Drive().expose()
    drive.poll()
    move = drive.poll(split=split, health={"blue": WELL, "green": ILL}, green=(100, 100, 9.0))
    assert isinstance(move, Stop)
    assert str(split.writer) in move.why


def test_a_rollback_during_the_baseline_stops_the_rollout():
    """Nothing was shifted yet, but who took traffic home meanwhile did not want this release out."""
    drive = Drive()
    drive.poll()
    assert isinstance(drive.poll(split=Split.all_on("blue", None, "back:0")), Stop)


def test_a_target_that_someone_else_exposed_stops_the_rollout():
    """A share that we did not give is not ours to judge."""
    assert isinstance(Drive().poll(split=Split(90, 10, "blue", "deploy:2")), Stop)


# --- what people ask ----------------------------------------------------------------------------------------------


def test_abort_turns_back_and_says_who():
    """A person's abort takes traffic home with code 4."""
    drive = Drive().expose()
    move = drive.say("abort")
    assert (move.code, move.verdict.why) == (4, "abort by ann: because")


def test_a_pause_stays_and_watches():
    """While paused no stage is promoted, yet errors still take traffic home."""
    drive = Drive().expose()
    drive.say("pause")
    for _ in range(60):
        assert isinstance(drive.poll(), Wait)
    assert drive.until(green=(100, 50, 0.02)).code == 4


def test_a_pause_is_bounded():
    """After half an hour, home with code 6."""
    drive = Drive().expose()
    drive.say("pause")
    began = drive.readings[-1].at
    move = drive.until()
    assert move.code == 6
    assert drive.readings[-1].at - began == timedelta(seconds=1800)
    assert "paused by ann (because) for 1800 s" in move.verdict.why


def test_continue_ends_a_pause():
    """The watch that passed meanwhile counts."""
    drive = Drive().expose()
    drive.say("pause")
    for _ in range(30):
        drive.poll()
    assert isinstance(drive.say("continue"), Shift)


def test_pausing_again_does_not_extend_the_pause():
    """The bound runs from the first of them."""
    drive = Drive().expose()
    for _ in range(121):
        move = drive.say("pause")
    assert isinstance(move, TurnBack)


def test_promote_skips_time():
    """The next stage comes at once, with the person in the reason; missing requests are waived."""
    drive = Drive().expose()
    move = drive.say("promote", green=(1, 0, 0.02))
    assert isinstance(move, Shift)
    assert move.percent == 25
    assert "promoted by ann: because" in move.why


def test_promote_never_skips_a_failure():
    """What is judged bad goes home, whoever says otherwise."""
    assert Drive().expose().say("promote", green=(30, 20, 0.02)).code == 4


@pytest.mark.parametrize(
    "said",
    [
        {"totals": NoData("timeout")},
        {"alerts": NoData("gone")},
        {"health": {"blue": WELL, "green": ILL}},
        {"green": (200, 6, 0.02)},
    ],
)
def test_promote_is_refused_while_something_is_in_doubt(said):
    """Blind, unhealthy or ambiguous: a promotion waits, and says why."""
    drive = Drive().expose()
    move = drive.say("promote", **said)
    assert isinstance(move, Wait)
    assert "promote refused" in move.why
    assert drive.course.held is None


# --- probes -------------------------------------------------------------------------------------------------------


def test_probes_judge_where_no_user_comes():
    """Without a single user, thirty probes a stage are enough to go on."""
    drive = Drive(replace(RULES, probes=True))
    quiet = (0, 0, 0.02)
    assert isinstance(drive.until(Finish, green=quiet, blue=quiet, probes=(FINE, FINE)), Finish)


def test_bad_probes_expose_nobody():
    """A release that fails its probes is taken back before the first user sees it."""
    drive = Drive(replace(RULES, probes=True))
    move = drive.until(Shift, probes=((100, 50, 0.02), FINE))
    assert (move.code, drive.shifts) == (4, [])
    assert "errors of probes" in move.verdict.why


def test_users_are_judged_beside_good_probes():
    """Probes that are fine do not dilute what users suffer."""
    drive = Drive(replace(RULES, probes=True))
    drive.until(Shift, probes=(FINE, FINE))
    assert drive.until(green=(30, 20, 0.02), probes=((10000, 0, 0.02), FINE)).code == 4


def test_two_sources_share_the_false_alarm_budget():
    """1 % per deployment, with probes as without."""
    for rules in (RULES, replace(RULES, probes=True)):
        course = start(rules, START)
        alphas = [track.stream.alpha for each in course.sources for track in each.tracks if not track.warns]
        assert sum(alphas) == pytest.approx(0.01)


# --- after a resume -----------------------------------------------------------------------------------------------


def test_again_restarts_the_watch_and_does_not_judge_the_gap():
    """Nobody looked for an hour in which half of the requests failed: that hour is not held against the release."""
    drive = Drive().expose()
    for _ in range(15):
        drive.poll()
    drive.counts["green"] = plus(drive.counts["green"], 10_000, 5_000, 0.02)
    drive.at += timedelta(hours=1)
    drive.course = again(drive.rules, drive.course, drive.at)
    began = drive.at
    assert isinstance(drive.until(Shift), Shift)
    assert drive.readings[-1].at - began == timedelta(seconds=300)


def test_again_keeps_the_evidence():
    """What was nearly enough before the death still counts after it."""
    drive = Drive().expose()
    drive.poll(green=(100, 8, 0.02))
    before = drive.course.users.tracks[0].stream
    drive.course = again(drive.rules, drive.course, drive.at)
    assert drive.course.users.tracks[0].stream == before
    assert before.evidence > 0


def test_a_shift_that_was_decided_but_not_made_is_made_after_a_resume():
    """Killed between the record and the write: the split is the one before, and the same shift comes again."""
    drive = Drive().expose(25)
    drive.split = Split.partly_on("green", 10, "blue", "deploy:1")
    drive.course = again(drive.rules, drive.course, drive.at)
    move = drive.poll()
    assert isinstance(move, Shift)
    assert move.percent == 25
    assert isinstance(drive.until(Finish), Finish)


def test_after_a_resume_a_split_of_someone_else_still_stops():
    """The tolerance is for our own last split only."""
    drive = Drive().expose(25)
    drive.course = again(drive.rules, drive.course, drive.at)
    assert isinstance(drive.poll(split=Split.all_on("blue", None, "deadman:1")), Stop)


# --- what people see ----------------------------------------------------------------------------------------------


def test_the_outlook_has_what_a_live_view_shows():
    """Phase, stage, time left, each color's numbers since the stage began, and how near each test is."""
    drive = Drive().expose()
    for _ in range(4):
        drive.poll(green=(100, 2, 0.02))
    shown = outlook(drive.rules, drive.course, drive.readings[-1].at)
    assert (shown.phase, shown.stage, shown.stages, shown.percent) == ("stage 1 of 5, 10 %", 1, 5, 10)
    assert shown.seconds_left == 240
    assert (shown.users["green"].requests, shown.users["green"].errors, shown.users["green"].rate) == (400, 8, 0.02)
    assert 0.02 <= shown.users["blue"].p99 <= 0.023
    assert set(shown.evidence) == {"errors", "p99", "p99_worse"}
    json.dumps(shown.to_json(), allow_nan=False)
    json.dumps(drive.course.summary(), allow_nan=False)


def test_rules_come_back_from_json():
    """A resumed deployment is held to the rules it began with."""
    rules = replace(RULES, stages=(5, 100), worse=None, probes=True, home=None)
    assert rules == Rules.from_json(json.loads(json.dumps(rules.to_json())))


def test_adequate_asks_for_enough_traffic():
    """One request a second at 10 % for 300 s is just enough; less is explained; a prober makes up for it."""
    assert adequate(RULES, 1.0) is None
    assert adequate(RULES, 0.5) == (
        "stage 10 % would see about 15 requests in 300 s, 30 are needed: watch for 600 s or more, "
        "begin with a larger stage, or configure a probe"
    )
    assert adequate(RULES, 0.0) is not None
    assert adequate(replace(RULES, probes=True), 0.0) is None


def test_a_reading_is_folded_in_well_under_a_poll():
    """Less than 5 ms each with full histograms on a busy machine; a millisecond is what it should take."""
    drive = Drive(replace(RULES, probes=True))
    began = perf_counter()
    for _ in range(200):
        drive.poll(green=(1000, 9, 0.2, 50), blue=(1000, 9, 0.2, 50), probes=((300, 2, 0.2), (300, 2, 0.2)))
    spent = perf_counter() - began
    course = start(drive.rules, START)
    began = perf_counter()
    for reading in drive.readings:
        course, _ = advance(drive.rules, course, reading)
    assert perf_counter() - began < 200 * 0.005, spent


# --- properties -----------------------------------------------------------------------------------------------------

SHORT = replace(RULES, watch=45, bake=60, hold=90, missing=90, pause=90, baseline=30, min_requests=5)
looks = st.fixed_dictionaries(
    {"green": st.tuples(st.integers(0, 60), st.sampled_from([0, 0, 0, 0, 1, 5]), st.sampled_from([0.02, 0.02, 3.0]))},
    optional={
        "totals": st.just(NoData("none")),
        "alerts": st.sampled_from([(), NoData("none"), (Alert("a", "critical", START - timedelta(days=1)),)]),
        "health": st.sampled_from([{"blue": WELL, "green": WELL}, {"blue": WELL, "green": ILL}]),
        "command": st.sampled_from([None, *(Command(v, "ann", "x") for v in ("pause", "continue", "promote"))]),
    },
)
calm = st.fixed_dictionaries({"green": st.tuples(st.integers(0, 60), st.just(0), st.just(0.02))})
scripts = st.lists(st.one_of(calm, calm, calm, looks), min_size=1, max_size=60)
variants = st.sampled_from([SHORT, replace(SHORT, rule="threshold"), replace(SHORT, stages=(20, 100))])


def played(rules: Rules, script: list[dict[str, Any]]) -> Drive:
    drive = Drive(rules)
    for look in script:
        drive.poll(**look)
    return drive


@given(variants, scripts)
@settings(max_examples=60, deadline=None)
def test_shifts_are_the_stages_in_order(rules, script):
    """Whatever is read: no stage is left out, none comes twice, none falls."""
    shifts = played(rules, script).shifts
    assert shifts == list(rules.stages[: len(shifts)])


@given(variants, scripts)
@settings(max_examples=60, deadline=None)
def test_an_end_is_the_end_and_finish_needs_a_pass(rules, script):
    """Nothing but the same move follows an end; Finish only ever comes with a PASS, TurnBack never with one."""
    moves = played(rules, script).moves
    ends = [move for move in moves if not isinstance(move, Shift | Wait)]
    assert moves[len(moves) - len(ends) :] == ends
    assert all(end == ends[0] for end in ends)
    for end in ends:
        assert not isinstance(end, Finish) or end.verdict.kind == "PASS"
        assert not isinstance(end, TurnBack) or end.verdict.kind == {4: "FAIL", 6: "HOLD"}[end.code]


@given(variants, scripts)
@settings(max_examples=60, deadline=None)
def test_a_replay_of_the_recorded_readings_gives_the_same_course(rules, script):
    """Through the ledger's JSON and back: same moves, same course."""
    drive = played(rules, script)
    course, moves = start(rules, START), []
    for reading in drive.readings:
        course, move = advance(rules, course, reading_from_json(json.loads(json.dumps(reading_to_json(reading)))))
        moves.append(move)
    assert (course, moves) == (drive.course, drive.moves)


@given(variants, st.lists(calm, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_without_a_bad_request_nothing_is_judged_bad(rules, script):
    """Fast answers without errors may end as too few, never as bad."""
    drive = played(rules, script)
    assert not any(isinstance(move, TurnBack) and move.code == 4 for move in drive.moves)
    assert not any(verdict.kind == "FAIL" for verdict in drive.course.verdicts)


# --- a split that is written and not in force ---------------------------------------------------------------------

MEASURED = replace(RULES, measured_share=True)


def shared(percent: int, requests: int = 200) -> dict[str, tuple[Any, ...]]:
    """What a poll brings when so much of all requests reaches green."""
    green = requests * percent // 100
    return {"green": (green, 0, 0.02), "blue": (requests - green, 0, 0.02)}


def test_a_stage_whose_share_is_measured_passes_as_before() -> None:
    """Every stage gets its weight: to the end, at the same readings as without."""
    paths = []
    for rules in (RULES, MEASURED):
        drive = Drive(rules)
        while not isinstance(drive.poll(**shared(drive.split.green)), Finish):
            pass
        paths.append([reading.split.green for reading in drive.readings])
    assert paths[0] == paths[1]


@pytest.mark.parametrize("percent", [0, 2, 60])
def test_a_split_that_is_not_in_force_holds_its_stage(percent: int) -> None:
    """Too little reaches it, or far too much; and it goes home with 6 when that does not change."""
    drive = Drive(MEASURED).expose(10)
    move = drive.until(Shift, **shared(percent))
    assert isinstance(move, TurnBack)
    assert move.code == 6
    if percent:
        assert "share of green" in move.verdict.why
        assert "the split that was written is not the one in force" in move.verdict.why


def test_a_hold_ends_once_the_split_is_in_force() -> None:
    """Visitors were bound for a while; then the next stage comes."""
    drive = Drive(MEASURED).expose(10)
    for _ in range(30):
        assert isinstance(drive.poll(**shared(2)), Wait)
    assert isinstance(drive.until(Shift, most=9, **shared(10)), Shift)
    assert drive.split.green == 25


def test_numbers_that_come_late_are_not_held_against_a_split() -> None:
    """Two minutes late: until then they are those of the stage before."""
    drive = Drive(replace(MEASURED, lag=120.0)).expose(10)
    for _ in range(8):
        drive.poll(**shared(0))
    assert isinstance(drive.until(Shift, **shared(10)), Shift)


def test_a_person_goes_before_a_doubt_about_the_share() -> None:
    """Promote: it is what more time could give."""
    drive = Drive(MEASURED).expose(10)
    for _ in range(25):
        drive.poll(**shared(2))
    assert isinstance(drive.say("promote"), Shift)


# --- readings that somebody asked for ----------------------------------------------------------------------------


def early(drive: Drive, verb: str, after: float = 1.0, **said: Any) -> Move:
    """Somebody asks for something so many seconds after the last poll."""
    drive.at += timedelta(seconds=after) - timedelta(seconds=drive.rules.poll)
    return drive.say(verb, **said)


def test_asking_often_makes_no_failed_health_checks_of_one_moment():
    """Three in a row are three polls: what is asked in between adds none, and a promotion is refused meanwhile."""
    drive = Drive().expose()
    drive.poll(health={"blue": WELL, "green": ILL})
    for _ in range(5):
        move = early(drive, "promote", health={"blue": WELL, "green": ILL})
        drive.at += timedelta(seconds=drive.rules.poll) - timedelta(seconds=getattr(move, "seconds", 0.0))
        assert isinstance(move, Wait), move
        assert "green is not healthy now" in move.why
    assert 1 == drive.course.unhealthy


def test_asking_in_time_is_a_poll_like_any_other():
    """Whoever asks every ten seconds keeps nothing from being counted: half a poll after the last one it is one."""
    drive = Drive().expose()
    before = drive.course.polls
    for _ in range(6):
        drive.at -= timedelta(seconds=5)
        move = drive.say("continue", health={"blue": WELL, "green": ILL})
        if isinstance(move, TurnBack):
            break
        drive.at += timedelta(seconds=drive.rules.poll - move.seconds)
    assert isinstance(move, TurnBack)
    assert "health" == move.verdict.metric
    assert drive.course.polls - before >= 2


def test_a_reading_in_between_does_not_move_the_next_poll():
    """The rhythm stays: after one second, fourteen are left."""
    drive = Drive().expose()
    drive.poll()
    assert 14.0 == getattr(early(drive, "continue"), "seconds", None)


def test_the_literal_rule_judges_whole_polls():
    """A few requests of one second, of which two failed, are no poll; the next one has them all the same."""
    drive = Drive(replace(RULES, rule="threshold")).expose()
    drive.poll()
    move = early(drive, "continue", green=(40, 2, 0.02))
    assert isinstance(move, Wait)
    drive.at += timedelta(seconds=14 - move.seconds)
    judged = drive.poll(green=(60, 2, 0.02))
    assert isinstance(judged, TurnBack)
    assert "4 of 100 requests" in judged.verdict.why


def test_the_literal_rule_judges_what_somebody_wants_to_go_on_from():
    """A promotion between two polls skips nothing that is over the limit now."""
    drive = Drive(replace(RULES, rule="threshold")).expose()
    drive.poll()
    assert isinstance(early(drive, "promote", green=(40, 4, 0.02)), TurnBack)


def test_whoever_resumes_a_pause_has_its_whole_time():
    """A deployer was dead for an hour: what was paused stays paused, and does not go home at the first reading."""
    drive = Drive().expose()
    drive.say("pause")
    drive.at += timedelta(hours=1)
    drive.course = again(drive.rules, drive.course, drive.at)
    assert isinstance(drive.poll(), Wait)
    assert 1800.0 == outlook(drive.rules, drive.course, drive.at - timedelta(seconds=15)).pause_left


def test_a_pause_says_who_and_why():
    """For whoever looks; and nothing of it once it is over."""
    drive = Drive().expose()
    drive.say("pause")
    seen = outlook(drive.rules, drive.course, drive.at).to_json()
    assert ("ann", "because") == (seen["paused_by"], seen["paused_why"])
    drive.say("continue")
    assert "paused_by" not in outlook(drive.rules, drive.course, drive.at).to_json()


def test_a_command_keeps_its_number():
    """Whoever asked finds the reading that carried it; one of before there were numbers is read as well."""
    drive = Drive()
    reading = drive.readings[-1] if drive.readings else (drive.poll(), drive.readings[-1])[1]
    for command in (Command("pause", "ann", "because", 61), Command("pause", "ann", "because")):
        carried = reading._replace(command=command)
        assert command == reading_from_json(json.loads(json.dumps(reading_to_json(carried)))).command
