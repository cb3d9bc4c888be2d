"""What a channel shows in the end, from the stories that the pictures in docs/slack.md are made of.

With ``SLACK_ALBUM=docs/images/slack-messages.json`` they are written there; `inv dev.pictures` makes the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lab.news import finished, others, stuck, taken_back
from lab.slack import Message, Slack as Lab, slack, write_album

from deploytasks.bulletins import Bulletin, Memory
from deploytasks.providers.site import Site
from deploytasks.providers.slack import Slack
from deploytasks.settings.slack import SlackSettings

if TYPE_CHECKING:
    import pytest

SITE = Site("library", "production", Path("/nowhere"), Path("/nowhere"), None, "ann@desk")
STORIES: dict[str, tuple[str, Sequence[Bulletin], bool, float]] = {
    "started": ("a deployment began", taken_back()[:1], False, 0),
    "taken-back": ("a release was taken back, by a webhook", taken_back()[-1:], False, 0),
    "finished": ("one message about a deployment, and its thread", finished(), True, 0),
    "stuck": ("a person must act now", [stuck()], False, 0),
    "others": ("maintenance, and a rollback by hand that was told late", others(), False, 20),
}
"""Name → what it shows, what happened, whether a bot tells it, and how late the last one is (minutes)."""

IMAGINED = ("finished", "stuck")
"""Those that are drawn from here; tests/journeys/test_watched.py writes the messages of the others."""


def told(lab: Lab, story: Sequence[Bulletin], *, bot: bool, late: float) -> list[Message]:
    """All that the channel and its threads show afterwards."""
    given = {"token_from": "SLACK_BOT_TOKEN", "channel": "#deployments"} if bot else {}
    settings = SlackSettings.model_validate({"url": lab.url, "mention": "S0ONCALL1", **given})
    memory: Memory = {}
    for about in story:
        now = about.at + timedelta(minutes=late if about is story[-1] else 0)
        lab.now = now.timestamp()
        sending = Slack(settings, SITE, clock=lambda now=now: now).sending(about, memory)  # type: ignore[misc]
        memory = sending.perform(4) if sending else memory
    return lab.messages


def test_the_stories_of_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab Slack takes every message of theirs."""
    pictures: dict[str, tuple[str, Sequence[Message]]] = {}
    for name, (shows, story, bot, late) in STORIES.items():
        with slack() as lab:
            monkeypatch.setenv("SLACK_WEBHOOK_URL", lab.hook)
            monkeypatch.setenv("SLACK_BOT_TOKEN", lab.token)
            pictures[name] = shows, told(lab, story, bot=bot, late=late)
            assert [] == lab.broken
    assert {"finished": 3, "others": 3} == {
        name: len(messages) for name, (_, messages) in pictures.items() if len(messages) > 1
    }
    if album := os.environ.get("SLACK_ALBUM"):
        write_album(Path(album), {name: pictures[name] for name in IMAGINED})
