"""What a deployment leaves behind in a CI: folded steps, annotations, a summary, outputs; and nothing anywhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lab.runner import Command, obeyed, outputs
from view.story import DEPLOYMENT, Story

from deploytasks import view
from deploytasks.ci import Run, files
from deploytasks.engine.run import Outcome
from deploytasks.operations.returning import Returned
from deploytasks.ports import Event, Split
from deploytasks.view.job.listener import Job

EVIL = "::set-output name=code::0\r\n::add-mask::x ##[error]y <script> | ![x](https://evil.example) `z`"


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A step of a job in GitHub Actions: the folder of its files."""
    monkeypatch.setattr(files, "_mentioned", set())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITLAB_CI", raising=False)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path


def play(story: Story, change: Callable[[Event], Event] = lambda event: event, why: str | None = None) -> None:
    """Tell a deployment as tasks do, to its end."""
    events = [change(event) for event in story.tell()]
    listener = view.progress()
    for event in events:
        listener.tell(event)
    end = events[-1].facts
    well = end["code"] == 0
    split = Split.all_on("green" if well else "blue", "blue", "settled:x")
    head = SimpleNamespace(digest="3f" * 32, standing=SimpleNamespace(settled=None))
    world: Any = SimpleNamespace(
        traffic=SimpleNamespace(read=lambda: split),
        ledger=SimpleNamespace(head=lambda: head),
        listeners=(listener,),
        clock=SimpleNamespace(now=lambda: story.now),
        site=SimpleNamespace(application="library", environment="staging", who="ann@laptop"),
    )
    view.conclude(world, story.plan, Outcome(end["code"], end["outcome"], end["why"] if why is None else why, 72.0))  # type: ignore[arg-type]  # as the story tells it


def commands(capsys: pytest.CaptureFixture[str]) -> list[Command]:
    """What was obeyed, of both streams."""
    out, err = capsys.readouterr()
    assert [] == obeyed(out)
    return obeyed(err)


def table(markdown: str, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with this cell."""
    found, is_it = [], False
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells or set(cells[0]) == {"-"}:
            continue
        is_it = is_it or cells[0] == first
        if is_it:
            found.append(cells)
    return found[1:]


# -- GitHub ----------------------------------------------------------------------------------------------------------


def test_the_log_is_folded(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A group for each step, closed before the next one; not for the one that people watch."""
    play(Story())
    found = [each for each in commands(capsys) if each.name in ("group", "endgroup")]
    assert ["group", "endgroup"] * (len(found) // 2) == [each.name for each in found]
    titles = [each.text for each in found if each.name == "group"]
    assert "back up the database" in titles
    assert "roll out" not in titles
    assert 13 == len(titles)


def test_a_deployment_that_went_well(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One notice; the summary says what, where, by whom, by which numbers, and how to go back."""
    play(Story())
    (notice,) = [each for each in commands(capsys) if each.name in ("notice", "warning", "error")]
    assert ("notice", "deployed: library 1.2.3 to staging") == (notice.name, notice.properties["title"])
    markdown = (step / "summary").read_text()
    assert "### ✅ deployed: library 1.2.3 to staging\n\ndeploy 20261123-101500-ab12cd by ann\\@laptop\n" in markdown
    assert "| go back | `inv rollback --env staging --reason …" in markdown
    assert f"`inv history --env staging --verify --expect {'3f' * 32}`" in markdown
    stages = table(markdown, "stage")
    assert ["baseline", "stage 1 of 3, 10 %", "stage 2 of 3, 50 %", "stage 3 of 3, 100 %", "bake"] == [
        row[0] for row in stages
    ]
    assert ["180", "0 (0 %)", "21 ms", "47 ms", "1,620", "0 (0 %)", "47 ms"] == stages[1][1:8]
    assert all(row[8].startswith("✅ pass") for row in stages)


def test_outputs(step: Path) -> None:
    """For the steps after it."""
    play(Story())
    found = outputs((step / "output").read_text())
    assert {
        "outcome": "done",
        "task": "deploy",
        "deployment": DEPLOYMENT,
        "environment": "staging",
        "version": "1.2.3",
        "commit": "c0ffee" * 6,
        "color": "green",
        "previous": "1.2.2",
        "why": "",
        "traffic": "green 1.2.3",
        "seconds": "72.0",
    } == found


def test_one_that_was_taken_back(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning for each limit, a notice for the hold, and at the end the verdict that decided."""
    play(Story(errors=0.06))
    marks = [each for each in commands(capsys) if each.name in ("notice", "warning", "error")]
    assert ["warning", "error"] == [each.name for each in marks if each.name != "notice"]
    assert "taken back: library 1.2.3 to staging" == marks[-1].properties["title"]
    assert "requests to green" in marks[-1].text
    assert "exit code 4" in marks[-1].text
    assert "❌ roll back: errors: " in table((step / "summary").read_text(), "stage")[-1][8]
    assert "taken back" == outputs((step / "output").read_text())["outcome"]


def test_the_last_numbers_of_a_stage_are_those_that_decided(step: Path) -> None:
    """Of one that was judged bad."""
    play(Story(errors=0.06))
    numbers, said = (table((step / "summary").read_text(), "stage")[-1][at] for at in (slice(1, 3), 8))
    assert f"{numbers[1].split()[0]} of {numbers[0]} requests" in said


def test_what_was_set_aside_is_marked(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each override, each host that was left out, and a switch that fired; the same once."""
    job = Job(Run("github", ""))
    facts = {"items": [["code.ci", "by ann: it is known"], ["window.open", "by ben"]]}
    for kind, given in (
        ("overridden", facts),
        ("overridden", facts),
        ("host-set-aside", {"host": "h3", "why": "no route"}),
        ("deadman-fired", {"why": "no beat", "silence": 30}),
        ("deadman-failed", {"why": "no route"}),
    ):
        event = Event(1, Story().now, kind, given, "ann", 0, "", "")
        job.before(event)
        job.after(event)
    assert [
        ("warning", "in spite of code.ci", "by ann: it is known"),
        ("warning", "in spite of window.open", "by ben"),
        ("warning", "goes on without the host h3", "no route"),
        ("error", "the dead-man's switch took traffic home", "no beat"),
        ("error", "the dead-man's switch could not take traffic home", "no route"),
    ] == [(each.name, each.properties["title"], each.text) for each in commands(capsys)]


def test_not_more_annotations_than_are_shown(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten of a level: one is left for the end."""
    job = Job(Run("github", ""))
    event = Event(1, Story().now, "overridden", {"items": [[f"a.{at}", "x"] for at in range(30)]}, "ann", 0, "", "")
    job.before(event)
    job.after(event)
    assert 9 == len(commands(capsys))


def evil(event: Event) -> Event:
    """The same, with a changelog and explanations that nobody should trust."""
    facts = dict(event.facts)
    if event.kind == "began":
        facts |= {"notes": f"- a change\n{EVIL}\n```\n</details>"}
    if facts.get("why"):
        facts["why"] = f"{EVIL} {facts['why']}"
    return event._replace(facts=facts)


def test_nobody_elses_words_are_obeyed(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands in a verdict or a changelog change neither the log, nor the outputs, nor the page."""
    story = Story(errors=0.06)
    story.plan = story.plan._replace(notes=(EVIL,))
    play(story, evil, why=f"{EVIL} bad")
    view.say(EVIL)
    view.show("status", {"application": EVIL}, json=True)
    view.show("smoke", {"address": EVIL, "checks": [{"name": EVIL, "passed": False, "detail": EVIL}]}, json=False)
    allowed = {"group", "endgroup", "notice", "warning", "error"}
    found = commands(capsys)
    assert allowed >= {each.name for each in found}
    assert not [each for each in found if each.name == "error" and each.text.startswith("y <script>")]
    assert "code" not in outputs((step / "output").read_text())
    markdown = (step / "summary").read_text()
    outside = "\n".join(line for line in markdown.splitlines() if not line.startswith("> "))
    assert "<script>" not in outside
    assert "![x]" not in outside
    assert "> ```" in markdown


def test_secrets_stay_out_of_all_of_it(
    step: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an escape would have hidden them."""
    secret = "100%,sure:horse"
    monkeypatch.setenv("SHOP_API_KEY", secret)
    play(
        Story(errors=0.06),
        lambda e: e._replace(facts={**e.facts, "why": secret} if "why" in e.facts else e.facts),
        secret,
    )
    out, err = capsys.readouterr()
    for text in (out, err, (step / "output").read_text(), (step / "summary").read_text()):
        assert "horse" not in text


def test_what_cannot_be_told_stops_nothing(
    step: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log and the last line are there all the same."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(step))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    play(Story())
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("deployed: library 1.2.3")
    assert 2 == err.count("cannot be written")


def test_a_rollback(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning, its reason, and where traffic is now."""
    site = SimpleNamespace(application="library", environment="production", who="ann@laptop")
    world: Any = SimpleNamespace(site=site)
    after = Split.all_on("blue", None, "back:x")
    view.returned(Returned(Split(50, 50, "blue", "deploy:x"), after, True), world, "carts are empty")
    (mark,) = commands(capsys)
    assert ("warning", "rolled back: library in production") == (mark.name, mark.properties["title"])
    assert "carts are empty" in mark.text
    found = outputs((step / "output").read_text())
    assert ("rolled back", "blue", "carts are empty") == (found["outcome"], found["color"], found["why"])
    assert "### ↩️ rolled back: library in production" in (step / "summary").read_text()
    view.returned(Returned(after, after, False, "already taken back"), world, "again")
    assert "nothing to take back" == outputs((step / "output").read_text())["outcome"]


# -- answers ---------------------------------------------------------------------------------------------------------

CHECKLIST = {
    "environment": "production",
    "version": "1.2.3",
    "commit": "c0ffee" * 6,
    "open": 2,
    "items": [
        {"item": "code.ci", "answer": "pass", "evidence": "all green"},
        {"item": "code.reviewed", "answer": "fail", "evidence": "1 of 2 approvals", "do": "ask somebody"},
        {"item": "people.told", "answer": "needs a signature", "evidence": "", "do": "inv sign people.told"},
        {"item": "window.open", "answer": "overridden", "evidence": "by ann: a fire"},
        {"item": "database.pending", "answer": "not applicable", "evidence": "no migrations"},
    ],
}


def test_a_checklist(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What refuses is an error each, with what to do; what was set aside a warning."""
    view.show("checklist", CHECKLIST, json=False)
    assert [
        ("error", "code.reviewed: fail", "1 of 2 approvals\nask somebody"),
        ("error", "people.told: needs a signature", "inv sign people.told"),
        ("warning", "window.open: overridden", "by ann: a fire"),
    ] == [(each.name, each.properties["title"], each.text) for each in commands(capsys)]
    markdown = (step / "summary").read_text()
    assert "### ❌ checklist of production for 1.2.3 (c0ffeec0ffee): 2 open" in markdown
    assert ["`code.reviewed`", "1 of 2 approvals", "ask somebody"] == table(markdown, "item")[0]
    assert "2" == outputs((step / "output").read_text())["open"]


def test_json_is_as_good(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer on stdout alone; the rest as without it."""
    view.show("checklist", CHECKLIST, json=True)
    out, err = capsys.readouterr()
    assert 1 == len(out.splitlines())
    assert 3 == len(obeyed(err))


def test_many_open_items(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine, and how many more there are."""
    items = [{"item": f"a.{at}", "answer": "fail", "evidence": "x"} for at in range(20)]
    view.show("checklist", {**CHECKLIST, "items": items}, json=False)
    found = commands(capsys)
    assert (10, "11 more") == (len(found), found[-1].properties["title"])


def test_a_judged_reading(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over the threshold, or too little to judge by: an error, as its exit code is."""
    verdicts = [
        {"kind": "FAIL", "metric": "errors", "n": 120, "value": 0.25, "limit": 0.02, "why": "errors: 31 of 120"},
        {"kind": "WARN", "metric": "p95", "n": 120, "value": 0.6, "limit": 0.5, "why": "p95: 600 ms"},
    ]
    answer = {"environment": "staging", "color": "green", "window": 300.0, "verdicts": verdicts}
    view.show("verdicts", answer, json=False)
    assert ["error", "warning"] == [each.name for each in commands(capsys)]
    assert "FAIL" == outputs((step / "output").read_text())["verdict"]
    assert ["❌ roll back", "errors", "120", "errors: 31 of 120"] == table((step / "summary").read_text(), "verdict")[0]


def test_smoke(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each check that failed."""
    checks = [
        {"name": "health", "passed": True, "seconds": 0.02, "detail": "200"},
        {"name": "api", "passed": False, "seconds": 1.0, "detail": "503, not 200"},
    ]
    view.show("smoke", {"address": "http://x", "environment": "staging", "checks": checks}, json=False)
    (mark,) = commands(capsys)
    assert ("error", "smoke: api", "503, not 200") == (mark.name, mark.properties["title"], mark.text)
    assert "1 of 2 passed" in (step / "summary").read_text()


# -- elsewhere -------------------------------------------------------------------------------------------------------


def test_gitlab(step: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A section for each step, with one end each; the one that people watch is open. Nothing else."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    monkeypatch.setenv("GITLAB_CI", "true")
    play(Story(), evil)
    _, err = capsys.readouterr()
    begun = re.findall(r"\x1b\[0Ksection_start:\d+:(step_\d+)(\[collapsed=true\])?\r\x1b\[0K(.+)\n", err)
    ended = re.findall(r"\x1b\[0Ksection_end:\d+:(step_\d+)\r\x1b\[0K\n", err)
    assert [each[0] for each in begun] == ended
    assert 14 == len(ended)
    assert ["roll out"] == [title for _, collapsed, title in begun if not collapsed]
    assert "::" not in re.sub(r"\[0K.*", "", err)
    assert not (step / "summary").exists()


def test_a_section_that_was_left_open_ends_with_the_deployment(
    step: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted in the middle of a step, say."""
    events = [event for event in Story().tell() if not (event.kind == "step" and event.facts["state"] == "done")]
    listener = view.progress()
    for event in events:
        listener.tell(event)
    names = [each.name for each in commands(capsys) if each.name in ("group", "endgroup")]
    assert ["group", "endgroup"] * (len(names) // 2) == names


@pytest.mark.parametrize("variables", [{}, {"CI": "true"}])
def test_nothing_of_it_anywhere_else(
    step: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a person's machine, and in a CI that is not known, the log is as ever."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    play(Story())
    view.show("checklist", CHECKLIST, json=False)
    assert [] == obeyed(capsys.readouterr().err)
    assert [] == list(step.iterdir())
