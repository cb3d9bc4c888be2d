"""Bulletins as Slack shows them: within every limit, and with nothing in them that means what nobody meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings, strategies as st
from lab.news import DEPLOYMENT, NOTES, NOW, bulletin, finished, others, stuck, taken_back
from lab.slack_blocks import complaints

from deploytasks.bulletins import SEVERITIES, Bulletin, Change
from deploytasks.providers.slack import blocks
from deploytasks.providers.slack.text import length
from deploytasks.providers.slack.words import SYMBOLS, WORDS
from deploytasks.spans import span

SPECIAL = st.sampled_from(
    [
        "&",
        "<",
        ">",
        "<!channel>",
        "```",
        "`",
        "*",
        "|",
        "\n",
        "\r\n",
        "🚀",
        "👩‍👩‍👧",
        "\u202e",
        "\x00",
        "\ud800",
        "<@U0EVE000>",
        '"',
        "\\",
    ]
)
TEXT = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(SPECIAL, max_size=20).map("".join),
    st.builds(lambda one, times: one * times, SPECIAL, st.integers(0, 9000)),
    st.builds(lambda one, times: one * times, st.text(st.characters(), min_size=1, max_size=9), st.integers(0, 900)),
)
URL = st.one_of(TEXT, TEXT.map("https://ci.example/{}".format), st.just("https://ci.example/a?b=1&c=<2>|3"))
WHEN = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the zone is beside it
ANY = st.builds(
    Bulletin,
    number=st.integers(0, 10**9),
    at=WHEN,
    change=st.sampled_from(get_args(Change)),
    severity=st.sampled_from(SEVERITIES),
    headline=TEXT,
    application=TEXT,
    environment=TEXT,
    protected=st.booleans(),
    deployment=TEXT,
    version=TEXT,
    previous=TEXT,
    commit=TEXT,
    who=TEXT,
    why=TEXT,
    numbers=st.lists(st.tuples(TEXT, TEXT), max_size=15),
    approvals=TEXT,
    notes=TEXT,
    links=st.dictionaries(TEXT, URL, max_size=12),
    seconds=st.none() | st.floats(0, 1e9),
    code=st.none() | st.integers(0, 200),
    split=TEXT,
)


def payload(message: blocks.Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


def objects(block: Mapping[str, Any]) -> list[Any]:
    """The texts in a block."""
    return [*([block["text"]] if "text" in block else []), *block.get("fields", []), *block.get("elements", [])]


def text(message: blocks.Message) -> str:
    """All that people read."""
    return "\n".join(each["text"] for block in message.blocks for each in objects(block))


def shown(change: Change, *args: Any, **said: Any) -> str:
    return text(blocks.whole(bulletin(change, *args, **said), NOW))


@settings(max_examples=120)
@given(ANY, WHEN, st.sampled_from([None, "here", "S0ONCALL1", "U0ANN0001"]))
def test_any_bulletin_is_within_every_limit(about: Bulletin, now: datetime, mention: str | None) -> None:
    """Judged by the lab's own reading of Slack's pages: whatever people have written, as long as it may be."""
    for made in (blocks.whole(about, now, mention), blocks.reply(about, now, mention)):
        assert [] == complaints(payload(made))
        assert blocks.size(made.blocks) <= blocks.LARGEST


@settings(max_examples=40)
@given(ANY)
def test_nobody_is_called_by_what_others_wrote(about: Bulletin) -> None:
    """Neither `<!channel>` in a changelog nor `<@U…>` in a reason means anything."""
    for made in (blocks.whole(about, NOW), blocks.reply(about, NOW)):
        marks = [mark for block in made.blocks for mark in objects(block) if mark["type"] == "mrkdwn"]
        said = made.text + "".join(mark["text"] for mark in marks)
        assert (False, False) == ("<!channel>" in said, "<@" in said)
        assert all(mark["verbatim"] for mark in marks)


def test_every_change_has_a_symbol_and_words() -> None:
    """So that it can be told by who sees no colors, and by who hears it read out."""
    assert set(get_args(Change)) == set(SYMBOLS) == set(WORDS)


def test_what_a_message_about_a_deployment_says() -> None:
    """Version, environment, who, approvals, what is new, links; when, and what to look it up by."""
    said = text(blocks.whole(taken_back()[0], NOW))
    assert said.startswith("🚀 library 1.4.1 is being deployed to production\n")
    for part in (
        "*Version*\n1.4.0 → 1.4.1",
        "*Environment*\nproduction (protected)",
        "*By*\nann@desk",
        "*Approved by*\nbob, carol (senior team)",
        "*Traffic*\nblue 100 %",
        "*What is new in 1.4.1*",
        "• Search by *author* and year, <https://github.com/octo/library/pull/412|#412>.",
        "• Loans that end on a holiday are prolonged &amp; reminders say so.",
        "<https://github.com/octo/library/actions/runs/11223344|Run in CI> · <https://octo.sentry.io/issues/?query=",
        f"started · <!date^{int(NOW.timestamp())}^{{date_short_pretty}} {{time}}|2026-11-23 10:15 UTC>",
        f"deployment `{DEPLOYMENT}` · commit `4f2a9c1d`",
    ):
        assert part in said


def test_what_was_judged_is_said_with_its_numbers() -> None:
    """And what is new in the version is no news any more."""
    said = text(blocks.whole(taken_back()[-1], NOW))
    assert "*Why*\nmore requests fail than may" in said
    assert "• *errors*: 8 of 36 requests (22.2 %), limit 2 %\n• *baseline*: 3 of 1 214" in said
    assert "*Took*\n9 min 7 s" in said
    assert "judged bad, taken back · " in said
    assert "exit code 4" in said
    assert "What is new" not in said


def test_the_fallback_says_it_all_in_one_sentence() -> None:
    """Notifications show nothing else, and screen readers may read nothing else."""
    assert (
        "⏪ library 1.4.1 in production was taken back: "
        "more requests fail than may: Sentry counts 22.2 % of 36 on green, and 2 % is the limit"
    ) == blocks.whole(taken_back()[-1], NOW).text
    assert "🚀 library in production: started" == blocks.whole(bulletin("started", headline=""), NOW).text


def test_a_person_who_must_act_is_told_how() -> None:
    """The commands of the runbook, for this environment; and who is on call is called."""
    said = text(blocks.whole(stuck(), NOW, "S0ONCALL1"))
    assert "<!subteam^S0ONCALL1>" in said
    assert "1. `inv status --env production` says where traffic is" in said
    assert "2. `inv doctor --env production`" in said
    assert "exit code 8" in said
    assert "subteam" not in text(blocks.whole(taken_back()[-1], NOW, "S0ONCALL1"))
    assert ("<!here>", "<@U0ANN0001>") == (blocks.calls("here"), blocks.calls("U0ANN0001"))


def test_a_reply_says_only_what_the_message_above_does_not() -> None:
    """Neither version nor environment again; why, numbers, and when."""
    made = blocks.reply(taken_back()[2], NOW)
    assert "⏸️ *library 1.4.1 in production is held at 10 %*\n*Why*\n9 requests are too few" in text(made)
    assert "*Version*" not in text(made)
    assert DEPLOYMENT not in text(made)
    assert text(made).endswith(" UTC> · by ann@desk")
    assert ["section", "section", "section", "context"] == [block["type"] for block in made.blocks]


def test_late_news_says_that_it_is_late() -> None:
    """It waited for Slack to be there again: what it tells may not be how things are."""
    late = text(blocks.whole(taken_back()[0], NOW + timedelta(minutes=34)))
    assert "*told 34 min late*" in late
    assert "late*" not in text(blocks.whole(taken_back()[0], NOW + timedelta(seconds=90)))


@pytest.mark.parametrize("about", [*taken_back(), *finished(), stuck(), *others()], ids=lambda about: about.change)
def test_messages_of_everyday_are_taken(about: Bulletin) -> None:
    """All of them, whole and as a reply."""
    assert [] == complaints(payload(blocks.whole(about, NOW, "here")))
    assert [] == complaints(payload(blocks.reply(about, NOW, "here")))


def test_a_long_changelog_is_cut_between_lines() -> None:
    """And says that there is more."""
    notes = "".join(f"- change number {number} of many\n" for number in range(200))
    said = shown("started", notes=notes)
    body = said.split("*What is new in 1.4.1*\n")[1]
    lines = body.split("\n…\n")[0].splitlines()
    assert {"• change number", f"{len(lines) - 1} of many"} == {lines[-1][:15], lines[-1][16:]}
    assert length(body.split("\n…\n")[0]) <= blocks.NOTES


def test_what_matters_least_goes_first() -> None:
    """Where there is no room for all: links, what is new, numbers; why it happened stays."""
    huge = '"' * 5000
    links = {f"{at}": "https://ci.example/" + '"' * 270 for at in range(8)}
    made = blocks.whole(
        bulletin("finished", why=huge, numbers=[(huge, huge)] * 10, notes=huge, links=links, approvals=huge), NOW
    )
    assert "*Why*" in text(made)
    assert "https://ci.example" not in text(made)


def test_an_address_that_is_none_is_no_link() -> None:
    """`javascript:` leads nowhere, and neither does what Slack could not show."""
    said = shown(
        "started",
        links={"bad": "javascript:alert(1)", "a|b": "https://x.example/?a=1&b=2", "long": "https://x/" + "y" * 2000},
    )
    assert "bad · <https://x.example/?a=1&amp;b=2|a¦b> · long" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (547, "9 min 7 s"), (12_000, "3 h 20 min"), (90_000, "1 d 1 h")],
)
def test_durations(seconds: float, said: str) -> None:
    """As people say them."""
    assert said == span(seconds)


def test_notes_are_read_in_their_own_marks() -> None:
    """Headings, emphasis, code and lists become Slack's."""
    said = shown("started", notes=NOTES)
    assert "*Added*\n• Search" in said
    assert "• `GET /api/books?since=…` for mirrors." in said


@pytest.mark.parametrize(
    ("change", "shown"),
    [("started", "1.4.0 → 1.4.1"), ("taken-back", "1.4.1, back to 1.4.0"), ("rolled-back", "1.4.1, back to 1.4.0")],
)
def test_versions_say_which_way_it_went(change: Change, shown: str) -> None:
    """Who reads of a rollback must not take it for a release."""
    found = blocks.whole(taken_back()[0]._replace(change=change), NOW).blocks
    assert f"*Version*\n{shown}" in [field["text"] for block in found for field in block.get("fields", ())]


def test_a_number_that_the_reason_has_is_not_said_twice() -> None:
    """The verdict that decided is the reason."""
    said = "errors: 8 of 36 requests (22.2 %)"
    about = taken_back()[-1]._replace(why=said, numbers=[("errors", said), ("P99", "412 ms")])
    texts = [
        block["text"]["text"]
        for block in blocks.whole(about, NOW).blocks
        if block["type"] == "section" and "text" in block
    ]
    assert 1 == sum(said in text for text in texts)
    assert any("412 ms" in text for text in texts)
