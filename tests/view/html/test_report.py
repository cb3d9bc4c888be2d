"""What a report says of each way in which a deployment can end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from view import reported
from view.story import RULES, Story

from deploytasks.view.html.knowing import known
from deploytasks.view.html.outcome import outcome
from deploytasks.view.html.report import page


def said(answer: dict[str, Any]) -> str:
    """The page's words on one line."""
    body = re.sub(r"(?s)<(style|script|svg).*?</\1>", " ", page(answer))
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").split())


def sentence(answer: dict[str, Any]) -> str:
    return outcome(known(answer)).sentence


def ended(answer: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The same deployment with another end."""
    *before, last = answer["events"]
    return {**answer, "events": [*before, {**last, "facts": {**last["facts"], **facts}}]}


def test_a_good_one_is_told_in_a_sentence() -> None:
    """What went live, where, in place of what, in what time."""
    found = outcome(known(reported.good()))
    assert "Version 1.2.3 of library went live in production in place of 1.2.2, in 3 min 20 s, within all limits." == (
        found.sentence
    )
    assert ("good", "live", 0, "done") == (found.tone, found.word, found.code, found.meaning)


def test_a_bad_one_says_why_without_the_words_of_statistics_and_how_many_met_it() -> None:
    """The share of errors against its limit; which version serves everybody; the exit code means something."""
    found = outcome(known(reported.bad()))
    assert "was taken back in production: too many requests failed, 5 % against a limit of 2 %." in found.sentence
    assert "Everybody is served by 1.2.2 again." in found.sentence
    assert "At most 10 % of the requests went to it." in found.more
    assert (4, "judged bad, or failed after changes began: taken back") == (found.code, found.meaning)


def test_one_that_was_rolled_back_later_says_so_first() -> None:
    """With by whom, when and why, on the deployment that it took back."""
    back = reported.event("rolled-back", 60, reason="Nobody can pay", by="bob", **{"from": [0, 100], "to": [100, 0]})
    answer = reported.answer(Story().tell(), [back])
    expected = "went live in production, and was rolled back 55 min 10 s later by bob: “Nobody can pay”."
    assert expected in sentence(answer)


def test_a_way_back_that_moved_nothing_takes_nothing_back() -> None:
    """It was home already."""
    back = reported.event("rolled-back", 60, reason="twice", by="bob", **{"from": [100, 0], "to": [100, 0]})
    assert "went live" in sentence(reported.answer(Story().tell(), [back]))
    assert "rolled back" not in sentence(reported.answer(Story().tell(), [back]))


@pytest.mark.parametrize(
    ("word", "code", "expected"),
    [
        ("held", 6, "was taken home in production for want of evidence; nothing was judged bad."),
        ("refused", 3, "was refused in production, and nothing was changed: two items stand in the way."),
        ("interrupted", 130, "was interrupted in production, and taken back."),
        ("stopped", 5, "was stopped in production, for somebody else took over: two items stand in the way."),
        ("stuck", 8, "could not be taken back in production: a person must act."),
        ("closed", 8, "nothing is shown to users any more: two items stand in the way."),
        ("recovered", 4, "was left unfinished in production, and taken back by whoever came next."),
        ("something new", 1, "something new in production: two items stand in the way."),
    ],
)
def test_every_other_end_has_its_words(word: str, code: int, expected: str) -> None:
    """Also one that this version does not know."""
    answer = ended(reported.bad(), outcome=word, code=code, why="two items stand in the way.", left=[])
    assert sentence(answer).endswith(expected)
    assert f"Exit code {code}" in said(answer)


def test_what_could_not_be_taken_back_stands_at_the_top() -> None:
    """Whoever opens it must act."""
    answer = ended(reported.bad(), left=["start green: web-3 does not answer"], resumable=True)
    assert "Not taken back: start green: web-3 does not answer. `inv resume --env production` can go on" in said(answer)


def test_one_that_runs_says_who_is_at_work() -> None:
    """And has no end yet."""
    told = Story().tell()[:40]
    answer = reported.answer(
        told, open=True, at_work={"who": "ann@laptop", "host": "laptop", "doing": "", "dead": False}
    )
    assert "Version 1.2.3 of library is on its way to production, by ann@laptop." == sentence(answer)
    assert "under way" in said(answer)
    assert "not yet, as of" in said(answer)


def test_one_whose_deployer_died_says_what_to_do() -> None:
    """Nobody holds the lease, or whoever does is dead."""
    answer = reported.answer(Story().tell()[:40], open=True)
    assert "was left unfinished in production: its deployer is gone." in sentence(answer)
    assert "`inv resume --env production` goes on with it" in said(answer)


def test_one_without_a_rollout_has_no_charts_and_says_so() -> None:
    """It was refused before anything moved, or moves no traffic at all."""
    told = Story().tell()
    answer = reported.answer([told[0], told[-1]])
    assert "There are no readings of this rollout to draw." in said(answer)
    assert "<svg" not in page(answer).partition("<main")[2]


def test_a_first_deployment_has_one_color() -> None:
    """There is nothing to compare with, and nothing to go back to."""
    from dataclasses import replace

    rules = replace(RULES, home=None)
    answer = reported.answer(Story(rules=rules).tell())
    planned = {**answer["planned"], "split": [0, 0, None, None], "before": {"blue": None, "green": None}}
    shown = said({**answer, "planned": planned})
    assert "is the first that went live in production" in shown
    assert "the old one" not in shown


def test_a_rollout_without_numbers_says_who_was_silent() -> None:
    """And the charts of what nobody measured are not there."""
    shown = said(reported.silent())
    assert "Without numbers" in shown
    assert "the balancer's statistics page does not answer" in shown.replace("&#39;", "'")
    assert "Split of traffic" in shown
    assert "How long requests take" not in shown


def test_what_ecs_carried_out_says_so() -> None:
    """With the name of its deployment there."""
    told = Story().tell()
    arn = "arn:aws:ecs:eu-central-1:123456789012:service-deployment/library/web/abc"
    answer = reported.answer([*told[:-1], told[3]._replace(kind="handed-over", facts={"to": arn}), told[-1]])
    assert f"ECS had the rollout: {arn}" in said(answer)


def test_everything_that_people_and_machines_did_is_there() -> None:
    """Each part of the report has what the ledger has of it."""
    shown = said(reported.full("SAID"))
    for part in (
        "What 1.2.3 brings",
        "SAID more of it",
        "code.coverage SAID ✗ fail SAID",
        "Copied: SAID , 3.2 MB",
        "python manage.py migrate : library.0002",
        "web-3 at SAID: SAID",
        "web-3 with library-1.2.3",
        "with the key SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "pause by ann@laptop : SAID",
        "– done: SAID",
        "Learned SAID",
        "SAID refused the message about event 4: SAID",
        "A way back could not be completed",
        f"inv history --env production --verify --expect {reported.DIGEST[:12]}",
        "SOC 2 CC8.1",
    ):
        assert part in shown, part


def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it was written, in whichever form it may have taken on its way."""
    monkeypatch.setenv("SHOP_API_KEY", "hunter2&hunter2<hunter2")
    for words in ("hunter2&hunter2<hunter2", "hunter2%26hunter2%3Chunter2"):
        assert "hunter2" not in page(reported.full(f"the key is {words}, keep it"))


def test_only_a_page_of_a_ci_job_is_linked() -> None:
    """A browser would run what stands behind another word."""
    answer = reported.good()
    for link, is_linked in (("https://ci.example.org/1", True), ("javascript:alert(1)", False)):
        answer["events"][0]["facts"]["run"] = link
        assert is_linked == (f'href="{link}"' in page(answer))


def test_what_another_version_recorded_does_not_break_it() -> None:
    """Facts may be missing, or of another kind."""
    answer = reported.good()
    for event in answer["events"]:
        if event["kind"] == "reading":
            event["facts"] = {"reading": {"at": "yesterday"}, "outlook": [], "move": None}
    assert "There are no readings" in said(answer)
    bare = {"application": "a", "environment": "e", "deployment": "d", "at": "?", "events": [], "planned": {}}
    assert "its end in e was not recorded" in said(
        {**bare, "beside": [], "checklist": None, "signed": [], "last": None}
    )
