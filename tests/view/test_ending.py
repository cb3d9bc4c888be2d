"""The last lines of a deployment, and of a rollback; and a plan before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from view.story import BEGINNING, HOME, RELEASE, RULES, plan

from deploytasks import view
from deploytasks.engine.plan import Plan
from deploytasks.engine.run import Outcome
from deploytasks.errors import Interrupted, SplitMoved, Unreachable
from deploytasks.operations.returning import Returned
from deploytasks.ports import Health, NoData, Reading, Split, Totals
from deploytasks.rollout import advance, start
from deploytasks.view import ending
from deploytasks.view.paint import Paint
from deploytasks.view.text.planned import planned

DIGEST = "3f" * 32


def fails() -> Any:
    """As a port does whose other end is gone."""
    raise Unreachable("it does not answer")


def world(split: Any = None, *, dark: bool = False, until: datetime | None = None) -> Any:
    """What the last lines look at."""
    settled = None if until is None else SimpleNamespace(deployment=plan().deployment, way_back_until=until)
    head = SimpleNamespace(digest=DIGEST, standing=SimpleNamespace(settled=settled))
    return SimpleNamespace(
        traffic=SimpleNamespace(read=fails if dark else lambda: split),
        ledger=SimpleNamespace(head=fails if dark else lambda: head),
        site=SimpleNamespace(application="library", environment="development", who="ann@laptop"),
        clock=SimpleNamespace(now=lambda: BEGINNING),
    )


GREEN = Split.all_on("green", "blue", "settled:x")
DONE = Outcome(0, "done", "", 72.0)
BACK = Outcome(4, "taken back", "errors: 31 of 120 requests to green (25.8 %)", 42.0)


def told(of: Any, outcome: Outcome, of_plan: Plan | None = None) -> list[str]:
    """The last lines."""
    return ending.ending(ending.told(of, of_plan or plan(), outcome), Paint(False), well=outcome.code == 0)


def test_deployed() -> None:
    """What, where, how long, how to go back and until when: the last line alone says all of it."""
    until = datetime(2026, 11, 24, 10, 19, tzinfo=UTC)
    lines = told(world(GREEN, until=until), DONE)
    expected = (
        "deployed: library 1.2.3 to development in 1 min 12 s; "
        "back: inv rollback --env development --reason … (until 2026-11-24 10:19 UTC)"
    )
    assert expected == lines[-1]
    assert "  traffic  green 1.2.3" in lines


def test_what_takes_several_lines_is_aligned() -> None:
    """Below its first line, however long the longest name is."""
    made = world(GREEN)
    made.overridden = ["code.ci: by ann", "window.open: by ben"]
    lines = [part for line in told(made, DONE) for part in line.split("\n")]
    at = lines.index("  in spite  code.ci: by ann")
    assert "            window.open: by ben" == lines[at + 1]
    assert f"            inv history --env development --verify --expect {DIGEST}" in lines


def test_the_digest_to_keep() -> None:
    """The head of the ledger is there in full, with the command that finds any later change."""
    assert f"inv history --env development --verify --expect {DIGEST}" in "\n".join(told(world(GREEN), DONE))


def test_taken_back() -> None:
    """Why, where traffic is now, with which code the process leaves."""
    lines = told(world(Split.all_on("blue", None, "back:x")), BACK)
    expected = "taken back: errors: 31 of 120 requests to green (25.8 %); traffic is on blue 1.2.2; exit code 4"
    assert expected == lines[-1]
    assert "  why      errors: 31 of 120 requests to green (25.8 %)" in lines
    assert not [line for line in lines if "inv rollback" in line]


@pytest.mark.parametrize(
    ("code", "word", "advice"),
    [
        (6, "held", "inv resume --env development tries again"),
        (5, "stopped", "inv status --env development says who"),
        (8, "stuck", "ACT NOW"),
        (8, "closed", "nothing is exposed to users any more"),
        (3, "refused", "nothing was changed"),
        (130, "interrupted", "everything that was begun was taken back"),
    ],
)
def test_what_to_do_next(code: int, word: str, advice: str) -> None:
    """Each way to end has its own advice, its word first and its code last."""
    lines = told(world(HOME), Outcome(code, word, "why", 3.0))
    assert lines[-1].startswith(f"{word}: why; ")
    assert lines[-1].endswith(f"; exit code {code}")
    assert advice in "\n".join(lines)


def test_what_is_left_is_said() -> None:
    """What could not be taken back is listed."""
    outcome = Outcome(8, "stuck", "bad", 3.0, ("roll out: refused",))
    assert "  state    NOT taken back: roll out: refused" in told(world(HOME), outcome)


def test_all_that_an_error_says_is_told() -> None:
    """What happened, the state of things now, and what to do: nobody says it again afterwards."""
    error = Unreachable("start green: it is not healthy", state="half of it runs", do="look into its log")
    lines = told(world(HOME), Outcome(4, "taken back", str(error), 3.0, (), error))
    assert "  why      start green: it is not healthy" in lines
    assert "  state    everything that was begun was taken back" in lines
    assert "  do       look into its log" in lines
    assert lines[-1].startswith("taken back: start green: it is not healthy; traffic is on blue 1.2.2")


def test_interrupted() -> None:
    """By what, said once, and with its code."""
    error = Interrupted(130)
    lines = told(world(HOME), Outcome(130, "interrupted", str(error), 3.0, (), error))
    assert "interrupted by Ctrl-C; traffic is on blue 1.2.2; exit code 130" == lines[-1]


def test_whose_lease_it_is() -> None:
    """A deployment that stopped touched nothing more: the state is the one that its error tells."""
    error = SplitMoved("someone moved traffic", state="traffic is at blue 50 % / green 50 %")
    lines = told(world(Split(50, 50)), Outcome(5, "stopped", str(error), 3.0, (), error))
    assert "  state    traffic is at blue 50 % / green 50 %" in lines
    assert "  do       inv status --env development says who moved traffic or holds the lease" in lines


def test_nothing_can_be_read() -> None:
    """Balancer and ledger are silent: it is said, and nothing is raised."""
    lines = told(world(dark=True), BACK)
    assert "traffic is on an unknown color: the balancer does not answer" in lines[-1]
    assert "  ledger   cannot be read now" in lines


def test_even_a_bug_is_no_reason_to_fail() -> None:
    """Whatever a port raises at the end, the deployment has ended as it has."""
    broken = world(GREEN)
    broken.traffic.read = broken.ledger.head = lambda: 1 / 0
    assert told(broken, DONE)[-1].startswith("deployed: library 1.2.3 to development")


def test_a_first_deployment_has_no_way_back() -> None:
    """It says so instead of naming a command that would be refused."""
    steps = tuple(step for step in plan().steps if step.name != "settle")
    settle = next(step for step in plan().steps if step.name == "settle")
    first = plan()._replace(steps=(*steps, type(settle)("green", None, 1.0, RELEASE, "x")))  # type: ignore[call-arg]
    assert told(world(GREEN), DONE, first)[-1].endswith("in 1 min 12 s; no way back: this was the first deployment")


def test_smaller_changes_say_what_they_were() -> None:
    """A task that deploys nothing does not claim to."""
    retired = plan()._replace(task="retire", steps=(), release=None)
    assert "done: retire: library in development in 1 min 12 s" == told(world(GREEN), DONE, retired)[-1]


def test_the_last_line_is_one_line() -> None:
    """However long and broken the explanation is."""
    lines = told(world(HOME), Outcome(3, "refused", "2 items:\n  a: \x1b[2J" + "x" * 500, 1.0))
    assert "\n" not in lines[-1]
    assert "\x1b" not in "".join(lines)
    assert len(lines[-1]) < 260


def test_conclude_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of stdout is the summary."""
    view.conclude(world(GREEN), plan(), DONE)
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("deployed: library 1.2.3")
    assert "" == err


def test_returned(capsys: pytest.CaptureFixture[str]) -> None:
    """A rollback says from where to where; one that had nothing to do says why."""
    after = Split.all_on("blue", None, "back:x")
    view.returned(Returned(Split(50, 50, "blue", "deploy:x"), after, True), world(GREEN))
    view.returned(Returned(after, after, False, "already taken back: blue 100 % / green 0 %"), world(GREEN))
    expected = [
        "rolled back: blue 100 % / green 0 % (was blue 50 % / green 50 %)",
        "nothing to take back: already taken back: blue 100 % / green 0 %",
    ]
    assert expected == capsys.readouterr().out.splitlines()


# -- a plan ---------------------------------------------------------------------


def test_plan_lists_every_call() -> None:
    """Notes first, numbered steps with their calls, then that nothing was changed, and the digest."""
    some = plan()
    calls: list[Sequence[Sequence[str]]] = [[] for _ in some.steps]
    calls[3] = [["put a"], ["unpack on web1", "unpack on web2"]]
    lines = planned(list(zip(some.steps, calls, strict=True)), some, DIGEST, Paint(False))
    assert "plan: deploy 1.2.3 on green; traffic is at blue 100 % / green 0 %" == lines[0]
    assert "! built from a work tree with changes" == lines[1]
    at = lines.index(" 4. install")
    assert ["      put a", "      at once: unpack on web1", "               unpack on web2"] == lines[at + 1 : at + 4]
    assert " 2. check the gates  (writes nothing)" in lines
    assert f"14 steps, 3 calls; nothing was changed; digest {DIGEST}" == lines[-1]


def test_an_empty_plan(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to do is said, with the reason."""
    view.plan((), plan()._replace(steps=(), notes=("1.2.3 is live on green already",)), "")
    out = capsys.readouterr().out
    assert "! 1.2.3 is live on green already" in out
    assert "nothing to do; nothing was changed" == out.splitlines()[-1]


# -- a watch --------------------------------------------------------------------


def test_a_watch_tells_each_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """Time, share, numbers and evidence of the color that is watched, on stderr."""
    split, health = HOME._replace(way_back=None), {"green": Health(False, "500"), "blue": Health(True, "200")}
    course = start(RULES, BEGINNING)
    for count in (0, 600):
        totals = {"green": Totals(count, 0, {}), "blue": Totals(count, 0, {})}
        reading = Reading(BEGINNING, split, totals, None, health, ())
        course, _ = advance(RULES, course, reading)
        view.reading(course, reading)
    out, err = capsys.readouterr()
    assert "" == out
    assert "10:15:00  0 %: green 600 req 0 err (0 %) P99 1 ms | green UNHEALTHY: 500 | evidence 0 %" in err


def test_a_watch_without_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """No data is said aloud."""
    reading = Reading(BEGINNING, HOME, NoData("no answer"), None, {}, NoData("no answer"))
    course, _ = advance(RULES, start(RULES, BEGINNING), reading)
    view.reading(course, reading)
    assert "NO DATA: no answer" in capsys.readouterr().err
