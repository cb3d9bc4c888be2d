"""Slack: by a webhook, and by a bot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab.news import NOW, finished
from lab.slack import slack

from deploytasks.providers.slack import Slack
from deploytasks.settings.slack import SlackSettings
from faults import Lab, Place, Subject, sent


@contextmanager
def _by_hook() -> Iterator[Lab]:
    with slack() as lab:
        yield Lab(lab.url.removesuffix("/api"), {"SLACK_WEBHOOK_URL": lab.secret}, lab.broken)


@contextmanager
def _by_bot() -> Iterator[Lab]:
    with slack() as lab:
        yield Lab(lab.url.removesuffix("/api"), {"SLACK_BOT_TOKEN": lab.token}, lab.broken)


def _hook(place: Place, lab: Lab) -> Mapping[str, str]:
    return {"SLACK_WEBHOOK_URL": place.url + lab.secrets["SLACK_WEBHOOK_URL"]}


def _open(place: Place, **said: Any) -> Slack:
    return Slack(SlackSettings.model_validate({**said, **place.access}), place.site, clock=lambda: NOW)


def _tell(to: Slack) -> Any:
    return sent(to, finished()[-1])


def _bot(place: Place) -> Slack:
    return _open(place, token_from="SLACK_BOT_TOKEN", channel="#deployments", url=f"{place.url}/api")


SUBJECTS = (
    Subject("slack", "messages", _by_hook, _open, _tell, lambda found: isinstance(found, dict), _hook, "webhook"),
    Subject("slack", "messages", _by_bot, _bot, _tell, lambda found: isinstance(found, dict), detail="bot"),
)
