"""Messages by an incoming webhook: one for each change of state, and nothing of its URL anywhere."""

from __future__ import annotations

import base64
import ssl
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from lab.answering import Asked, Raw, answering, page, took
from lab.certificates import certificate
from lab.news import NOW, bulletin, finished, taken_back
from lab.slack import Slack as Lab, slack

from deploytasks import redaction
from deploytasks.bulletins import Sending
from deploytasks.errors import DeployError, Undeliverable, Unreachable, UsageError
from deploytasks.providers.saas import Busy
from deploytasks.providers.site import Site
from deploytasks.providers.slack import Slack
from deploytasks.settings.mistakes import check
from deploytasks.settings.slack import SlackSettings

ABOUT = taken_back()[0]
SITE = Site("library", "production", Path("/nowhere"), Path("/nowhere"), None, "ann@desk")


def recipient(**said: Any) -> Slack:
    return Slack(SlackSettings.model_validate({"within": 2, **said}), SITE, clock=lambda: NOW)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A Slack; its webhook is in the usual variable."""
    with slack() as found:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", found.hook)
        yield found


def send(to: Slack, about: Any = ABOUT, seconds: float = 2.0) -> Mapping[str, Any]:
    sending = to.sending(about, {})
    assert isinstance(sending, Sending)
    return sending.perform(seconds)


def refused(lab: Lab, to: Slack | None = None, seconds: float = 2.0) -> DeployError:
    """The error of sending something; nothing in it gives the URL away."""
    with pytest.raises(DeployError) as caught:
        send(to or recipient(), seconds=seconds)
    parts = [part for part in urlsplit(lab.hook).path.split("/") if part not in ("", "services")]
    whole = f"{caught.value}\n{caught.value!r}\n{''.join(traceback.format_exception(caught.value))}"
    for secret in (lab.hook, *parts, quote(lab.secret, safe=""), base64.b64encode(lab.hook.encode()).decode()):
        assert secret not in whole
    return caught.value


def test_each_change_of_state_is_a_message(lab: Lab) -> None:
    """And details are none: `shifted` and `went-on` are for whoever keeps one message up to date."""
    to = recipient()
    for about in [*taken_back(), *finished()]:
        if (sending := to.sending(about, {})) is not None:
            assert {} == sending.perform(2)
    assert ["started", "held", "taken-back", "started", "overridden", "finished"] == [
        about.change for about in [*taken_back(), *finished()] if to.sending(about, {})
    ]
    assert "⏪ library 1.4.1 in production was taken back" == lab.messages[2].blocks[0]["text"]["text"]
    assert 6 == len(lab.messages)
    assert [] == lab.broken


def test_only_what_is_severe_enough_is_told(lab: Lab) -> None:
    """`severity: error` for a channel that must be quiet; a detail is no message even where all is asked for."""
    told = [about.change for about in taken_back() if recipient(severity="error").sending(about, {})]
    assert ["taken-back"] == told
    told = [about.change for about in taken_back() if recipient(severity="detail").sending(about, {})]
    assert ["started", "held", "taken-back"] == told
    assert [] == lab.messages


def test_what_is_to_be_sent_is_said_without_the_secret(lab: Lab) -> None:
    """For `--plan` and the log; the variable is not even looked at before it is sent."""
    sending = recipient(webhook_from="TEAM_HOOK").sending(ABOUT, {})
    assert sending is not None
    assert "Slack, the webhook in TEAM_HOOK: library 1.4.1 is being deployed to production" == sending.text
    with pytest.raises(UsageError, match="TEAM_HOOK is not set"):
        sending.perform(2)
    assert [] == lab.asked


def test_a_limit_is_waited_for(lab: Lab) -> None:
    """429 with `Retry-After`: it was not posted, and is once."""
    lab.limited = ["0", "0"]
    send(recipient())
    assert (3, 1) == (len(lab.asked), len(lab.messages))


def test_a_limit_without_its_seconds(lab: Lab) -> None:
    """One second, then two: as often as there is time."""
    lab.limited = [None, None]
    with pytest.raises(Busy):
        send(recipient(within=0.5))
    assert [] == lab.messages
    assert 1 == len(lab.asked)


def test_no_limit_is_waited_for_longer_than_there_is_time(lab: Lab) -> None:
    """Ten minutes of patience are the outbox's, and not a deployment's."""
    lab.limited = ["600"]
    assert took(lambda: refused(lab)) < 1
    lab.limited = ["1"]
    error = refused(lab, seconds=0.5)
    assert isinstance(error, Busy)
    assert "wants to be left alone (429: rate_limited)" in error.what
    lab.trouble = lambda asked: page(429, f"too much for {lab.hook} at {asked.path}", Retry_After="600")
    assert "***" in refused(lab).what


def test_a_burst_is_sent_at_the_pace_that_is_taken(lab: Lab) -> None:
    """Three at once, then as many a second as it likes; none is lost, and none is sent twice."""
    lab.rate = 4.0
    to = recipient(within=5)
    for number in range(5):
        send(to, bulletin("announced", number=number), 5)
    assert 5 == len(lab.messages)


def test_a_webhook_that_was_revoked_waits_for_another_one(lab: Lab) -> None:
    """Nothing is lost meanwhile: it is said what to do."""
    lab.revoke()
    error = refused(lab)
    assert isinstance(error, Unreachable)
    assert "Slack, by the webhook in SLACK_WEBHOOK_URL, answered 404: no_service" == error.what
    assert "make a new webhook in the settings of the app, and put its URL into SLACK_WEBHOOK_URL" == error.do
    assert ["fail"] == [finding.state for finding in recipient().diagnose()]


def test_a_channel_that_was_archived(lab: Lab) -> None:
    """410, and it waits as well."""
    lab.archive()
    error = refused(lab)
    assert "410: channel_is_archived" in error.what
    assert "open the channel again" in error.do


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "invalid_payload", Undeliverable),
        (400, "invalid_blocks", Undeliverable),
        (400, "msg_blocks_too_long", Undeliverable),
        (400, "user_not_found", Unreachable),
        (400, "<html>no such /services/T024BE7LD/B0LABHOOK/9hT2mKq8RbX5yWc1LpVd7nZs", Unreachable),
        (403, "action_prohibited", Unreachable),
        (403, "invalid_token", Unreachable),
        (404, "channel_not_found", Unreachable),
        (500, "rollup_error", Unreachable),
        (503, "", Unreachable),
        (200, "<html>please log in: /services/T024BE7LD/B0LABHOOK/9hT2mKq8RbX5yWc1LpVd7nZs", Unreachable),
        (200, "", Unreachable),
        (200, "no_service", Unreachable),
    ],
)
def test_what_it_says_is_told_apart(lab: Lab, status: int, said: str, kind: type[DeployError]) -> None:
    """A message that is refused is never sent again; all else waits, and no foreign page is quoted."""
    lab.trouble = lambda _: page(status, said, "text/html" if "<" in said else "text/plain")
    error = refused(lab)
    assert isinstance(error, kind)
    assert error.do
    assert 1 == len(lab.asked)


def test_a_redirect_is_not_followed(lab: Lab) -> None:
    """The URL would travel along, and be told."""
    lab.trouble = lambda _: page(302, "", Location=lab.hook)
    assert "answered 302, and not as Slack does" in refused(lab).what
    assert 1 == len(lab.asked)


@pytest.mark.parametrize("raw", [Raw(), Raw(b"HTTP/1.1 200 OK\r\nContent-Le"), Raw(b"HT", hang=True)])
def test_silence_waits_and_asks_no_second_time(lab: Lab, raw: Raw) -> None:
    """It may have been posted: whoever keeps the outbox decides."""
    lab.trouble = lambda _: raw
    began = time.monotonic()
    assert isinstance(refused(lab, recipient(within=0.4)), Unreachable)
    assert time.monotonic() - began < 1
    assert 1 == len(lab.asked)


def test_nobody_is_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the host is named."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "http://127.0.0.1:9" + lab.secret)
    assert "Slack at http://127.0.0.1:9: " in refused(lab).what


@pytest.mark.parametrize(
    "value",
    [
        "http://hooks.slack.com/services/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",
        "https://hooks.slack.com",
        "https://hooks.slack.com/",
        "https://ann:9hT2mKq8RbX5yWc1LpVd7nZs@hooks.slack.com/services/T/B/x",
        "ftp://127.0.0.1/services/x",
        "xoxb-9hT2mKq8RbX5yWc1LpVd7nZs",
        "https://[/services/T024BE7LD",
        "https://host:99999/services/T024BE7LD",
    ],
)
def test_what_is_no_url_of_a_webhook_is_never_shown(lab: Lab, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """In the clear, without a path, or something else that somebody put into the variable."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", value)
    error = refused(lab)
    assert isinstance(error, UsageError)
    assert "the value of SLACK_WEBHOOK_URL is not the https URL of an incoming webhook" in error.what
    for part in ("T024BE7LD", "9hT2mKq8RbX5yWc1LpVd7nZs"):
        assert part not in str(error)


def test_its_parts_are_hidden_everywhere(lab: Lab) -> None:
    """In whatever log: whole, without its host, part by part, and in the form of a query."""
    send(recipient())
    for shape in (
        lab.hook,
        lab.secret,
        lab.secret.split("/")[-1],
        quote(lab.hook, safe=""),
        quote(lab.secret, safe=""),
    ):
        assert "9hT2mKq8RbX5yWc1LpVd7nZs" not in redaction.clean(f"POST {shape} HTTP/1.1")
    assert "our services are many" == redaction.clean("our services are many")


def test_doctor_asks_without_telling_anybody(lab: Lab) -> None:
    """An empty message is refused; by what, tells whether another one would be taken."""
    (finding,) = recipient().diagnose()
    assert ("ok", "the webhook in SLACK_WEBHOOK_URL takes messages") == finding[1:3]
    assert [b"{}"] == [asked.body for asked in lab.asked]
    assert [] == lab.messages
    lab.trouble = lambda _: page(200, "ok")
    assert ["fail"] == [finding.state for finding in recipient().diagnose()]


def test_no_account_of_this_machine_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`.netrc` has a password for that host, perhaps: it is nobody's business there."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password s3cret-password\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    send(recipient())
    assert "authorization" not in lab.asked[0].headers


def test_over_tls_with_a_certificate_that_nobody_trusts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is refused, and the error has nothing of the path."""
    made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)

    def ok(_: Asked) -> Raw:
        return page(200, "ok")

    with answering(ok, context) as server:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{server.url}/services/T024BE7LD/B0LABHOOK/9hT2mKq8RbX5")
        with pytest.raises(Unreachable) as caught:
            send(recipient())
    assert "9hT2mKq8RbX5" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"webhook_from": "A", "token_from": "B", "channel": "#c"}, "not both"),
        ({"token_from": "B"}, "needs the `channel`"),
        ({"channel": "#deployments"}, "writes into the channel that it was made for"),
        ({"webhook_from": "https://hooks.slack.com/services/T024BE7LD/B0LABHOOK/x"}, "never the secret itself"),
        ({"token_from": "xoxb-123-456", "channel": "#c"}, "never the secret itself"),
        ({"mention": "@ann"}, "mention"),
        ({"severity": "loud"}, "severity"),
        ({"url": "http://slack.example/api"}, "https is needed"),
        ({"within": "1m"}, "within"),
        ({"token_from": "B", "channel": "<!here>"}, "channel"),
    ],
)
def test_wrong_settings_are_refused(given: dict[str, Any], said: str) -> None:
    """A webhook or a bot, no secret itself, and the channel where there is one to choose."""
    mistakes: list[str] = []
    assert check(SlackSettings, given, "messages", mistakes) is None
    assert said in "\n".join(mistakes)
    assert "T024BE7LD" not in "\n".join(mistakes)
