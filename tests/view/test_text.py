"""Answers as text, whatever of them is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from view import answers
from view.answers import UNREADABLE
from view.story import Story

from deploytasks.view.paint import Paint, table, width
from deploytasks.view.text import RENDERERS, text

PLAIN = Paint(False)
GOOD, BAD = Story().tell(), Story(errors=0.06).tell()

ALL: dict[str, Mapping[str, Any]] = {
    "validate": answers.VALIDATE,
    "status": answers.STATUS,
    "abreast": answers.ABREAST,
    "history": answers.history(GOOD),
    "verification": answers.BROKEN,
    "report": answers.report(BAD),
    "metrics": answers.metrics(),
    "checklist": answers.CHECKLIST,
    "smoke": answers.SMOKE,
    "verdicts": answers.VERDICTS,
    "simulation": answers.SIMULATION,
    "backtest": answers.BACKTEST,
    "doctor": answers.DOCTOR,
    "maintenance": answers.MAINTENANCE,
    "people": answers.PEOPLE,
    "signed": answers.SIGNED,
    "approved": answers.APPROVED,
    "controlled": answers.CONTROLLED,
    "drill": answers.DRILL,
    "noted": answers.NOTED,
    "notified": answers.NOTIFIED,
    "to-be-told": answers.TO_BE_TOLD,
    "moved": answers.MOVED,
    "release-plan": answers.RELEASE_PLAN,
    "released": answers.RELEASED,
    "release-line": answers.RELEASE_LINE,
    "release-notes": answers.RELEASE_NOTES,
}


def shown(kind: str, **changes: Any) -> str:
    """An answer of this kind as text, with some parts changed."""
    return text(kind, {**ALL[kind], **changes}, PLAIN)


def flat(kind: str, **changes: Any) -> str:
    """The same on one line, wherever it was broken."""
    return " ".join(shown(kind, **changes).split())


def test_every_kind_has_a_renderer() -> None:
    """What can be asked can be shown."""
    assert set(RENDERERS) == set(ALL)
    for kind, answer in ALL.items():
        assert "as it is" not in text(kind, answer, PLAIN)


@pytest.mark.parametrize("kind", sorted(ALL))
@pytest.mark.parametrize("part", [None, UNREADABLE, [], {}, "odd", 3, True, [None], [[1]], {"a": None}])
def test_any_part_may_be_missing_or_odd(kind: str, part: Any) -> None:
    """Each part of each answer may be absent, unreadable, or of another shape: the rest is shown all the same."""
    for name in ALL[kind]:
        assert "as it is" not in shown(kind, **{name: part}), name
        without = {key: value for key, value in ALL[kind].items() if key != name}
        assert "as it is" not in text(kind, without, PLAIN), name


@pytest.mark.parametrize("kind", sorted(ALL))
def test_any_detail_may_be_missing(kind: str) -> None:
    """The same for each detail of what is listed."""
    for name, part in ALL[kind].items():
        items = part if isinstance(part, list) else [part]
        for detail in [key for item in items if isinstance(item, Mapping) for key in item]:
            for odd in (None, UNREADABLE, 7):
                changed = [{**item, detail: odd} if isinstance(item, Mapping) else item for item in items]
                whole = changed if isinstance(part, list) else changed[0]
                assert "as it is" not in shown(kind, **{name: whole}), (name, detail)


def test_an_unknown_kind_is_shown_as_it_is() -> None:
    """An answer that has no renderer is better shown as JSON than not at all."""
    found = text("something new", {"a": ["ü"]}, PLAIN)
    assert "something new, as it is" in found
    assert '"ü"' in found


def test_colors_change_no_text() -> None:
    """With colors, the same text is shown, and all of it is set back to normal."""
    for kind, answer in ALL.items():
        painted = text(kind, answer, Paint(True))
        assert "\x1b[" in painted
        assert painted.count("\x1b[0m") == painted.count("\x1b[") / 2
        assert [width(line) for line in painted.splitlines()] == list(map(len, text(kind, answer, PLAIN).splitlines()))


def test_no_escape_sequences_from_outside() -> None:
    """What a page or a log said cannot paint the terminal."""
    assert "\x1b" not in shown("maintenance", notice={"message": "\x1b[2J", "who": "\x1b[31mann"})


def test_table_aligns() -> None:
    """Columns are as wide as their widest cell; rows may be of different lengths."""
    assert ["a    b", "ccc  d   e", "f"] == table([("a", "b"), ("ccc", "d ", "e"), ("f",)])
    assert [" 1  x", "22  y"] == table([("1", "x"), ("22", "y")], right=(0,))
    assert [] == table([])


# -- status ---------------------------------------------------------------------


def test_status_says_where_everything_is() -> None:
    """Traffic, the way back and until when, both colors with health and role, the last deployments."""
    found = shown("status")
    assert "library in development  http://127.0.0.1:8080" in found
    assert "traffic      blue 0 % / green 100 %, written by settled:20261123-101500-ab12cd" in found
    assert "way back     blue, until 2026-11-24 10:19 UTC (22 h left)" in found
    assert "blue         1.2.2, idle, healthy (200 in 3 ms)" in found
    assert "green        1.2.3, live, NOT healthy: /health answered 500" in found
    assert "lease        free" in found
    assert "1.2.1          taken back (4)  3 min 12 s\n      errors: 31 of 120 requests to green" in found
    assert "rollback  1.2.1 → 1.2.0  done" in found
    assert found.index("2026-11-23 10:19") < found.index("2026-11-22 17:00") < found.index("2026-11-22 09:03")
    assert "! green has 1.2.4-e; the ledger knows 1.2.3-d: find out who changed it" in found


def test_status_fits_the_terminal() -> None:
    """What is longer than a line is told in two; only addresses and identifiers are never broken."""
    assert max(map(len, shown("status").splitlines())) <= 80


def test_a_dark_status_says_so_everywhere() -> None:
    """What cannot be read is neither free, nor off, nor idle."""
    lines = text("status", answers.DARK, PLAIN).splitlines()
    dark = [line.split()[0] for line in lines if "cannot be read: envoy's admin does not answer" in line]
    assert ["traffic", "way", "blue", "maintenance", "switch", "lease", "ledger"] == dark
    nothing = text("status", {}, PLAIN)
    assert 8 == nothing.count("cannot be read: nothing is known about it")


def test_status_says_who_is_at_work() -> None:
    """Who holds the lease, where, since when, and what is being done."""
    lease = {"who": "ann@laptop", "host": "laptop", "pid": 4711, "doing": "roll out", "since": "2026-11-23T10:15:00Z"}
    assert "ann@laptop (laptop, process 4711) since 2026-11-23 10:15 UTC: roll out" in flat("status", lease=lease)


def test_status_shows_a_closed_site_and_a_fired_switch() -> None:
    """What is out of the ordinary stands out."""
    notice = {"message": "Back soon.", "who": "ann", "since": "2026-11-23T10:15:00+00:00", "retry_after": 300}
    fired = {"armed": False, "fired_at": "2026-11-23T10:16:00+00:00", "detail": "traffic went home"}
    found = flat("status", maintenance=notice, deadman=fired)
    assert "CLOSED since 2026-11-23 10:15 UTC by ann: Back soon." in found
    assert "FIRED at 2026-11-23 10:16 UTC: traffic went home" in found


def test_status_says_what_was_asked_of_the_deployment() -> None:
    """Who paused it and why, and whether it was heard."""
    said = [
        {"verb": "pause", "who": "ann", "reason": "a mail goes out", "said": "paused at 25 %"},
        {"verb": "continue", "who": "bob", "reason": "it is out", "said": ""},
    ]
    found = flat("status", ledger={**answers.STATUS["ledger"], "asked": said})
    assert "asked pause by ann (a mail goes out): paused at 25 %" in found
    assert "asked continue by bob (it is out): not heard yet" in found


def test_status_says_that_nobody_gives_a_sign_of_life() -> None:
    """A lease whose holder may be gone is neither free nor held by somebody at work."""
    lease = {"who": "ci@runner", "host": "runner", "pid": 7, "doing": "roll out", "quiet": 7300.0}
    assert "no sign of life from ci@runner (runner, process 7) for 2 h 1 min, at: roll out" in flat(
        "status", lease=lease
    )


@pytest.mark.parametrize(
    ("at", "settled", "said"),
    [
        ("2026-11-24T10:19:00+00:00", {}, "until 2026-11-24 10:19 UTC (48 s left)"),
        ("2026-11-25T10:19:00+00:00", {}, "until 2026-11-24 10:19 UTC (over)"),
        (None, {}, "until 2026-11-24 10:19 UTC"),
        ("2026-11-24T10:19:00+00:00", {"way_back": "green"}, "way back     blue\n"),
    ],
)
def test_status_says_how_long_the_way_back_stays_open(at: str | None, settled: dict[str, str], said: str) -> None:
    """As long as the ledger speaks of the same one as the balancer."""
    ledger = {**answers.STATUS["ledger"], "settled": {**answers.STATUS["ledger"]["settled"], **settled}}
    assert said in shown("status", at=at, ledger=ledger)


def test_status_warns_of_a_sick_way_back() -> None:
    """A way back that would be refused is told before it is needed."""
    sick = {**answers.STATUS["colors"], "blue": {**answers.STATUS["colors"]["blue"], "healthy": False}}
    assert "! the way back, blue, is not healthy" in flat("status", colors=sick)
    assert "! the way back" not in shown("status")


# -- the past -------------------------------------------------------------------


def test_history_tells_each_event() -> None:
    """Number, time, who, and a sentence; the head at the end."""
    found = shown("history")
    assert "#1  2026-11-23 10:15:00  ann@laptop  began: deploy 1.2.3 on green, by ann@laptop" in found
    assert f"ledger head {'3f' * 32}" in found
    assert "nothing has happened yet" in shown("history", events=[])


def test_history_tells_when_a_spooled_event_happened() -> None:
    """A rollback that waited in the spool is told at the time it happened."""
    facts = {
        "from": [50, 50],
        "to": [100, 0],
        "by": "ann",
        "reason": "slow",
        "spooled": "x",
        "at": "2026-11-23T08:00:00Z",
    }
    event = {"number": 7, "at": "2026-11-23T09:00:00+00:00", "kind": "rolled-back", "who": "bob", "facts": facts}
    found = shown("history", events=[event])
    assert "2026-11-23 08:00:00" in found
    assert "rolled back: blue 50 % / green 50 % → blue 100 % / green 0 %, by ann: slow" in found


def test_verification() -> None:
    """A whole chain says what to keep; a broken one lists what is wrong."""
    whole = text("verification", answers.VERIFICATION, PLAIN)
    assert "✓ the ledger of library in development is whole: 61 events" in whole
    assert f"inv history --env development --verify --expect {'3f' * 32}" in whole
    broken = shown("verification")
    assert "✗ the ledger of library in development was changed: 2 problems in 61 events" in broken
    assert "  event 13 is missing" in broken


def test_report_tells_why() -> None:
    """Readings by stage, each verdict once with metric, count, value and limit, what was undone, the outcome."""
    found = shown("report")
    assert "hold at stage 1 of 3, 10 %: 9 readings, the last one: 10 %: green 480 req" in found
    assert 1 == found.count("    HOLD  ambiguous: errors: 24 of 480 requests to green (5 %)")
    assert 1 == found.count("    FAIL  errors: 27 of 540 requests to green (5 %) were errors, against a limit of 2 %")
    assert "evidence toward rolling back was at most 100 % (errors)" in found
    assert "+3 min  step undone: roll out" in found
    assert found.splitlines()[-1].startswith("ended: taken back, code 4")


def test_report_of_a_good_deployment() -> None:
    """Each stage that passed is there with its numbers."""
    found = text("report", answers.report(GOOD), PLAIN)
    assert "    PASS  stage 2 of 3, 50 % passed: 0 errors in 1200 requests (0 %, limit 2 %)" in found
    assert found.splitlines()[-1] == "ended: done, code 0 after 3 min 20 s"


def test_report_of_one_that_has_not_ended() -> None:
    """It does not pretend to know the end."""
    found = text("report", answers.report(GOOD[:9]), PLAIN)
    assert found.splitlines()[-1] == "it has not ended: somebody works on it, or died at it"


def test_report_of_nothing() -> None:
    """A deployment that is not known: those that are."""
    nothing = {**answers.report([]), "deployment": None}
    assert "no such deployment" in text("report", nothing, PLAIN)
    assert "20261123-101500-ab12cd" in text("report", nothing, PLAIN)
    assert "no deployment of library in development is recorded" == text("report", {**nothing, "known": []}, PLAIN)


# -- findings -------------------------------------------------------------------


def test_checklist_has_sections_answers_and_evidence() -> None:
    """Each item in its section, with what was found below it; those that do not apply together, by their reason."""
    lines = shown("checklist").splitlines()
    assert "checklist of development for 1.2.3 (c0ffeec0ffee), level production, for a" == lines[0]
    at = lines.index("  Monitoring and alerting")
    assert ["  ✗ monitoring.alerts: No critical alert fires", "      fail: firing: Disk"] == lines[at + 1 : at + 3]
    assert ["  Code quality and tests", "  ✓ code.committed: What is deployed is what is committed"] == lines[3:5]
    assert "      c0ffee" == lines[5]
    assert "  ! code.tests: All tests passed" in lines
    assert "      overridden: by ann@laptop: ticket 4711" in lines
    assert "  - nothing yet: infrastructure.live, infrastructure.open" in lines
    assert "  1 pass, 1 overridden, 1 pending, 1 needs a signature, 1 fail, 2 not applicable" in lines


def test_checklist_ends_with_what_to_do() -> None:
    """What is still to come; everything that is open once more, with advice, and the command that signs; then how to
    set it aside."""
    assert [
        "  1 item to come",
        "  ! code.tests: no run is recorded",
        "",
        "  2 items open",
        "  ✗ monitoring.alerts: firing: Disk",
        "  ✗ people.oncall: Call them; then sign.",
        "      inv sign people.oncall --env development --note …",
        "  To set one aside, which is recorded: inv override ITEM --env development",
        "  --reason …",
    ] == shown("checklist").splitlines()[-9:]
    well = [item for item in answers.CHECKLIST["items"] if item["answer"] in ("pass", "pending")]
    assert ["  1 item to come", "  ! code.tests: no run is recorded", "", "  ✓ nothing is open"] == shown(
        "checklist", items=well
    ).splitlines()[-4:]


def test_what_is_unreachable_has_one_remedy() -> None:
    """All such items together, and who says what does not answer; whatever else would be to do about them."""
    silent = {"answer": "fail", "evidence": "unreachable: no answer within 10 s"}
    items = [{**item, **silent} if item["answer"] in ("pass", "fail") else item for item in answers.CHECKLIST["items"]]
    lines = shown("checklist", items=items).splitlines()
    assert [
        "  3 items open",
        "  ✗ people.oncall: Call them; then sign.",
        "      inv sign people.oncall --env development --note …",
        "  ✗ unreachable: code.committed, monitoring.alerts: `inv doctor --env",
        "    development` says what does not answer",
    ] == lines[-7:-2]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_checklist_fits_its_terminal(columns: int) -> None:
    """Long evidence goes on in the next line; only a word that is longer than a line sticks out."""
    odd = {"evidence": f"{'some words ' * 40}https://example.org/{'x' * 40}", "text": "many words " * 12}
    items = [{**item, **odd} for item in answers.CHECKLIST["items"]]
    for paint in (Paint(False, columns), Paint(True, columns)):
        lines = text("checklist", {**answers.CHECKLIST, "items": items}, paint).splitlines()
        assert max(map(width, lines)) <= max(columns, 6 + 60)
    assert len(lines) > 30


def test_report_shows_checklist_and_signatures() -> None:
    """Who evaluated it and when, all its items, and what people signed and set aside; before the last line."""
    lines = shown("report").splitlines()
    heading = "  checklist by bob@ci, 2026-11-23 10:14 UTC: 1 pass, 1 overridden, 1 pending, 1"
    assert heading in lines
    assert lines.index(heading) < lines.index("  ✓ code.committed: What is deployed is what is committed")
    assert "  ✓ signed by ann@laptop, 2026-11-23 10:12 UTC: people.oncall: called Bob" in lines
    assert "  ! set aside by ann@laptop, 2026-11-23 10:13 UTC: code.analysis: ticket 4711" in lines
    assert "checklist" not in shown("report", checklist=None)


def test_smoke() -> None:
    """Each check with its time and what it found."""
    found = shown("smoke")
    assert "  ✓  health   12 ms  200" in found
    assert "  ✗  api     500 ms  /api/ answered 500, expected 200" in found
    assert "1 of 2 checks passed" in found


def test_verdicts_have_count_value_and_limit() -> None:
    """Every verdict prints metric, n, value, limit, each in its unit, and why."""
    lines = [line.split() for line in shown("verdicts").splitlines()]
    assert ["FAIL", "errors", "1,200", "25.8", "%", "2", "%"] in lines
    assert ["FAIL", "p99", "1,200", "over", "30", "s", "2000", "ms"] in lines
    assert ["PASS", "p95", "1,200", "45", "ms", "500", "ms"] in lines
    assert ["HOLD", "p95", "12", "12", "30"] in lines
    assert "  errors: 25.8 % against a limit of 2 %" in shown("verdicts")
    assert "nothing was judged" in shown("verdicts", verdicts=[])


def test_doctor() -> None:
    """What is broken, and how to mend it; what is well needs no advice."""
    found = shown("doctor")
    assert "  ✗ store: the disk is full\n      do: make room" in found
    assert "  ✓ traffic: envoy 1.36 runs\n  !" in found
    assert "1 thing broken, 1 warning" in found


def test_maintenance() -> None:
    """Closed, open, or not to be read: three different things."""
    assert "development: CLOSED since 2026-11-23 10:15 UTC, by ann@laptop" in shown("maintenance")
    assert "development: open, no maintenance page" == shown("maintenance", notice=None)
    assert "development: maintenance cannot be read: envoy's" in shown("maintenance", notice=UNREADABLE)


# -- people's word --------------------------------------------------------------


def test_who_signed_what_and_how() -> None:
    """The items, the commit, and the key; or the name, where no key is asked for."""
    assert (
        "+ signed people.oncall, people.announced for 3f9a0c1d2b4e in production, "
        "with the key of ann@example.org (SHA256:abc): Ben has the phone"
    ) == shown("signed").replace("✓", "+")
    assert "set aside, for 24 hours: people.oncall" in shown("signed", act="override")
    assert "by ann@desk, without a key: Ben" in shown("signed", signer=None, key=None)
    assert "for content 3f9a0c1d2b4e in" in shown("signed", about="content 3f9a0c1d2b4e5f")


def test_how_many_approvals_are_missing() -> None:
    """Who approved, whose does not count and why; what comes next only when there are enough."""
    found = shown("approved")
    assert "plan 3f9a0c1d2b4e, 1.2.0 to production: 1 of 2 approvals: ben@example.org" in found
    assert "that of cay@example.org does not count: it is older than 7 days" in found
    assert "next:" not in found
    assert "next: inv deploy --env production --plan-file plan.json" in shown("approved", suffice=True)


def test_beside_what_a_lesson_is_kept() -> None:
    assert "noted beside d-1: watch the queue" in shown("noted")
    assert "noted beside production, which has no deployment yet: watch" in shown("noted", deployment=None)


# -- what would happen -------------------------------------------------------------


def test_a_simulation_tells_one_deployment_and_counts_all() -> None:
    """When, at which share, what and why; how many met it; how many of all went how; and what cannot be seen."""
    found = shown("simulation")
    assert "  00:12:30   25 %  taken back  errors: 37 of 1234 requests to green (3 %) were" in found
    assert "  1,234 requests met the new release, 37 errors; home 11 min 15 s after its" in found
    assert "  taken back        79  40 %  median 13 min 45 s after users could meet the fault" in found
    assert "  held, then home  121  60 %" in found
    assert "0 of 50 taken back by mistake (95 % sure: below 7.1 %), 1 held" in found
    assert "     5 %       100 %   0 %       0 %  13 min 45 s  23 min" in found
    assert "! at this traffic, 5 % errors and more are kept out" in found


def test_a_simulation_says_what_was_assumed() -> None:
    """Each fault, and from when on."""
    found = " ".join(shown("simulation").split())
    assert "20 requests/s; the live color fails 0.1 % of them, the new release 3 %, its P99 is 800 ms" in found
    assert "its fault is there from 25 % of the traffic on and from 10 min after its first traffic on" in found
    assert "; somebody says promote 5 min after it" in found
    assert "and so does the new release" in " ".join(shown("simulation", fault=False).split())


def test_who_holds_everything_sees_nothing() -> None:
    """Where healthy releases do not finish either, keeping bad ones out is no merit."""
    blind = {**answers.SIMULATION["healthy"], "finished": 3}
    assert "at this traffic even most healthy releases do not finish" in shown("simulation", healthy=blind)
    assert "not even 5 % errors are surely kept out" in shown("simulation", seen_from=None)


def test_a_backtest_says_what_was_and_what_would_have_been() -> None:
    """The self-check first; what is known, what is not, what was a mistake; and the lines to copy."""
    found = shown("backtest")
    words = " ".join(found.split())
    assert "! under their own rules, 6 of 7 end exactly as they did" in found
    assert "1.2.1: done after 7 min 12 s; the same" in found
    assert "would have been taken back after 2 min, at 10 %: errors: 1 of 30 requests" in words
    assert "5 min 12 s earlier, 1,204 requests and 45 errors less on it" in words
    assert "✗ 20261122-090000-000001  1.2.2: done after 7 min 12 s\n" in found
    assert "it ended well (1,204 requests and 45 errors less on it)" in words
    assert "✓ 20261122-090000-000001  1.2.3: done after 7 min 12 s, and taken back later by hand: it fails" in found
    assert "1.2.4, attempt 2: taken back" in found
    assert "would have waited after 2 min, at 10 %" in words
    assert "would not have gone home after 2 min, at 10 %; unknown from there on" in words
    assert "cannot be compared: its rules are not known" in words
    assert "of 6 rollouts: 1 the same, 2 bad home earlier (10 min 24 s in all, 2,408 requests and 90" in words
    assert found.endswith("in invoke.yaml, below deploy.environments.development:\n    rule: threshold")
    assert "no rollout of library in development is recorded" in shown("backtest", deployments=[])


def test_a_drill_shows_each_death_and_what_went_wrong() -> None:
    """Where, who came, how long it took, what was lost; and the sum last."""
    said = shown("drill").splitlines()
    assert said[1].split("  ")[0] == "✓"
    assert "install" in said[1]
    assert said[2].startswith("✗")
    assert "2 of 40 requests were lost" in said[3]
    assert "✗ 2 deaths in development in 1 min 12 s: NOT everything is in order, 2 of 258 requests lost" == said[-1]


def test_a_rehearsed_rollback_shows_its_times() -> None:
    """There and back; without a prober it says that nobody counted."""
    assert "back 0.41 s" in flat("drill", **answers.REHEARSED_ROLLBACK)
    assert "everything is in order, 0 of 102 requests lost" in flat("drill", **answers.REHEARSED_ROLLBACK)
    assert "nobody counted" in flat("drill", **{**answers.REHEARSED_ROLLBACK, "counted": False})
