"""A bot keeps one message for each deployment, edits it as the deployment moves, and tells details in its thread."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from lab.answering import Raw, page
from lab.news import DEPLOYMENT, NOW, bulletin, finished, others, stuck, taken_back
from lab.slack import CHANNEL, Message, Slack as Lab, slack

from deploytasks.bulletins import Bulletin, Memory
from deploytasks.errors import DeployError, Undeliverable, Unreachable
from deploytasks.providers.site import Site
from deploytasks.providers.slack import Slack
from deploytasks.providers.slack.threads import KEPT, Place, place, remembered
from deploytasks.settings.slack import SlackSettings

SITE = Site("library", "production", Path("/nowhere"), Path("/nowhere"), None, "ann@desk")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A Slack; its bot's token is in a variable."""
    with slack() as found:
        monkeypatch.setenv("SLACK_BOT_TOKEN", found.token)
        yield found
    assert [] == found.broken


def recipient(lab: Lab, **said: Any) -> Slack:
    given = {"token_from": "SLACK_BOT_TOKEN", "channel": "#deployments", "url": lab.url, "within": 2, **said}
    return Slack(SlackSettings.model_validate(given), SITE, clock=lambda: NOW)


def tell(to: Slack, story: Sequence[Bulletin], memory: Memory | None = None) -> Memory:
    """All of it, one after the other; what is remembered goes through JSON, as in the store."""
    memory = memory or {}
    for about in story:
        if (sending := to.sending(about, memory)) is not None:
            memory = json.loads(json.dumps(sending.perform(2)))
    return memory


def title(message: Message) -> str:
    text: str = message.blocks[0]["text"]["text"]
    return text


def test_a_deployment_is_one_message(lab: Lab) -> None:
    """It always says how things are now; in its thread stands how they came to be so."""
    memory = tell(recipient(lab), taken_back())
    (message,) = lab.roots
    assert "⏪ library 1.4.1 in production was taken back" == title(message)
    assert [
        "🚀 library 1.4.1 is being deployed to production",
        "🚀 library 1.4.1 has 10 % of the traffic in production",
        "⏸️ library 1.4.1 in production is held at 10 %",
        "🚀 library 1.4.1 in production goes on at 10 %",
    ] == [edit["blocks"][0]["text"]["text"] for edit in message.edits]
    assert [
        ("⏸️ *library 1.4.1 in production is held at 10 %*", False),
        ("⏪ *library 1.4.1 in production was taken back*", True),
    ] == [(title(reply), reply.broadcast) for reply in lab.thread(message)]
    assert {"messages": [[DEPLOYMENT, CHANNEL, message.ts]]} == memory


def test_what_ends_well_is_told_in_the_thread_alone(lab: Lab) -> None:
    """Nobody is called for that; overrides are there as well, with who and why."""
    tell(recipient(lab), finished())
    (message,) = lab.roots
    assert "✅ library 1.4.1 is live in production" == title(message)
    assert 1 == len(message.edits)
    override, end = lab.thread(message)
    assert (False, False) == (override.broadcast, end.broadcast)
    assert "two generated files were counted" in str(override.blocks)
    assert "11 of 8 210 requests" in str(end.blocks)


def test_who_is_on_call_is_called_by_a_reply(lab: Lab) -> None:
    """An edit calls nobody: the reply does, and the channel sees it."""
    tell(recipient(lab, mention="S0ONCALL1"), [taken_back()[0], stuck()])
    (message,) = lab.roots
    (reply,) = lab.thread(message)
    assert reply.broadcast
    assert "<!subteam^S0ONCALL1>" in str(reply.blocks)


def test_details_are_for_a_message_that_is_there(lab: Lab) -> None:
    """What nobody was told the beginning of has no thread; and a message is kept right below its severity as well."""
    to = recipient(lab, severity="warning")
    story = taken_back()
    assert [None, None] == [to.sending(about, {}) for about in story[:2]]
    tell(to, [*story[:4], bulletin("finished", number=30, headline="library 1.4.1 is live")])
    assert ["✅ library 1.4.1 is live"] == [title(message) for message in lab.roots]


def test_what_belongs_to_no_deployment_is_a_message_of_its_own(lab: Lab) -> None:
    """Maintenance, a rollback by hand: nothing is remembered."""
    memory = tell(recipient(lab), others())
    assert 3 == len(lab.roots)
    assert {} == memory


def test_a_rollback_of_a_deployment_that_is_known(lab: Lab) -> None:
    """Its message says so from now on, and the channel hears it."""
    memory = tell(recipient(lab), finished())
    tell(
        recipient(lab),
        [bulletin("rolled-back", "error", 60, who="dan@phone", headline="library was rolled back to 1.4.0")],
        memory,
    )
    (message,) = lab.roots
    assert "⏪ library was rolled back to 1.4.0" == title(message)
    assert lab.thread(message)[-1].broadcast


def test_a_message_that_is_gone_is_written_anew(lab: Lab) -> None:
    """Somebody took it away: the next one has a place of its own, and no thread of the old one."""
    story = taken_back()
    memory = tell(recipient(lab), story[:1])
    lab.delete(lab.messages[0])
    memory = tell(recipient(lab), story[2:], memory)
    (message,) = lab.roots
    assert "⏪ library 1.4.1 in production was taken back" == title(message)
    assert ["⏪ *library 1.4.1 in production was taken back*"] == [title(reply) for reply in lab.thread(message)]
    assert {"messages": [[DEPLOYMENT, CHANNEL, message.ts]]} == memory


def test_a_detail_of_a_message_that_is_gone_is_none(lab: Lab) -> None:
    """And it is not asked for again."""
    story = taken_back()
    memory = tell(recipient(lab), story[:1])
    lab.delete(lab.messages[0])
    assert {"messages": []} == tell(recipient(lab), story[1:2], memory)
    assert [] == lab.messages


@pytest.mark.parametrize("word", ["cant_update_message", "edit_window_closed"])
def test_a_message_that_may_not_be_edited_is_written_anew(lab: Lab, word: str) -> None:
    """Another app wrote it, or the workspace lets nobody edit after some minutes."""
    memory = tell(recipient(lab), taken_back()[:1])
    lab.trouble = lambda asked: {"ok": False, "error": word} if asked.path.endswith("update") else None
    tell(recipient(lab), taken_back()[-1:], memory)
    assert ["🚀", "⏪"] == [title(message)[0] for message in lab.roots]


def test_sent_twice_it_is_shown_once(lab: Lab) -> None:
    """Whoever sent it died before that was noted: the same bulletin has the same key."""
    story = taken_back()
    tell(recipient(lab), story[:1])
    memory = tell(recipient(lab), story[:1])
    assert 1 == len(lab.messages)
    tell(recipient(lab), story[2:3], memory)
    tell(recipient(lab), story[2:3], memory)
    assert 2 == len(lab.messages)


def test_a_key_whose_message_was_taken_away(lab: Lab) -> None:
    """Slack knows the key and not the message: it is sent without."""
    seen: list[bool] = []

    def once(asked: Any) -> Any:
        seen.append("client_msg_id" in json.loads(asked.body))
        return {"ok": False, "error": "duplicate_message_not_found"} if seen[-1] else None

    lab.trouble = once
    tell(recipient(lab), taken_back()[:1])
    assert [True, False] == seen
    assert 1 == len(lab.messages)


def refused(lab: Lab, story: Sequence[Bulletin] = (), **said: Any) -> DeployError:
    with pytest.raises(DeployError) as caught:
        tell(recipient(lab, **said), story or taken_back()[:1])
    assert lab.token not in f"{caught.value}{caught.value!r}"
    return caught.value


def test_a_bot_that_is_not_in_the_channel_waits(lab: Lab) -> None:
    """It is said how it gets there."""
    lab.members = False
    error = refused(lab)
    assert isinstance(error, Unreachable)
    assert "Slack's chat.postMessage answers not_in_channel" == error.what
    assert "invite the bot: /invite @NAME in #deployments, or give it the scope chat:write.public" == error.do
    lab.scopes.append("chat:write.public")
    tell(recipient(lab), taken_back()[:1])
    assert 1 == len(lab.messages)


def test_a_channel_that_is_none(lab: Lab) -> None:
    """Or a private one that the bot does not see."""
    error = refused(lab, channel="#nowhere")
    assert "channel_not_found" in error.what
    assert "check `channel`" in error.do


def test_a_channel_that_was_archived(lab: Lab) -> None:
    """It waits."""
    lab.archive()
    assert "is_archived" in refused(lab).what


def test_a_token_that_is_none(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 with an error is no success."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-9-other")
    error = refused(lab)
    assert "invalid_auth" in error.what
    assert "check the token in SLACK_BOT_TOKEN: it begins with xoxb-" == error.do


@pytest.mark.parametrize("word", ["msg_too_long", "invalid_blocks", "msg_blocks_too_long", "no_text"])
def test_a_message_that_is_refused_is_never_sent_again(lab: Lab, word: str) -> None:
    """It would be refused again, and everything after it would wait."""
    lab.trouble = lambda _: {"ok": False, "error": word}
    assert isinstance(refused(lab), Undeliverable)


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": False, "error": "internal_error"},
        {"ok": False, "error": "rate_limited"},
        {"ok": False, "error": "something_new"},
        {"ok": False, "error": "xoxb-<echo>"},
        {"ok": False},
        {"ok": "yes"},
        {"ok": True},
        {"ok": True, "channel": 5, "ts": None},
        {},
        [],
        5,
        None,
        page(200, "<html>please log in", "text/html"),
        page(500, "oh"),
        page(503, '{"ok":false,"error":"service_unavailable"}', "application/json"),
        page(302, "", Location="https://elsewhere.example/"),
        Raw(),
    ],
)
def test_anything_else_waits(lab: Lab, answer: Any) -> None:
    """Trouble of its own, a new word, JSON of another shape, a log-in page."""
    found = page(200, json.dumps(answer), "application/json") if not isinstance(answer, Raw) else answer
    lab.trouble = lambda _: found
    error = refused(lab)
    assert isinstance(error, Unreachable)
    assert "echo" not in str(error)


def test_a_limit_is_waited_for(lab: Lab) -> None:
    """429 with `Retry-After`, for a post and for an edit; and no longer than there is time."""
    lab.limited = ["0"]
    memory = tell(recipient(lab), taken_back()[:1])
    lab.limited = ["0", "0"]
    tell(recipient(lab), taken_back()[-1:], memory)
    assert 2 == len(lab.messages)
    lab.limited = ["30"]
    assert "wants to be left alone (429: ratelimited)" in refused(lab).what


def test_doctor_knows_whether_the_token_may_write(lab: Lab) -> None:
    """By `auth.test`, which tells nobody anything, and names the scopes in a header."""
    (finding,) = recipient(lab).diagnose()
    assert ("ok", "writes as deployer in Library into #deployments; it must be a member there") == finding[1:3]
    lab.scopes = ["channels:read"]
    (finding,) = recipient(lab).diagnose()
    assert ("fail", "the token in SLACK_BOT_TOKEN may not write: it has channels:read") == finding[1:3]
    lab.revoke()
    (finding,) = recipient(lab).diagnose()
    assert "token_revoked" in finding.detail
    assert [] == lab.messages


def test_an_old_memory_is_no_memory() -> None:
    """Another version wrote it, or somebody has."""
    for found in ({}, {"messages": 5}, {"messages": [5, ["a"], [1, 2, 3], {"a": 1}]}, {"more": True}):
        assert place(found, DEPLOYMENT) is None  # type: ignore[arg-type]
    assert place({"messages": [["", "C", "1"]]}, "") is None


def test_what_is_remembered_stays_small() -> None:
    """The last deployments; the one that is told of again counts as new."""
    memory: Memory = {}
    for number in range(KEPT + 5):
        memory = remembered(memory, f"d{number}", Place("C1", f"{number}.0"))
    assert place(memory, "d4") is None
    memory = remembered(memory, "d5", Place("C1", "99.0"))
    memory = remembered(memory, "new", Place("C1", "100.0"))
    assert Place("C1", "99.0") == place(memory, "d5")
    assert place(memory, "d6") is None
