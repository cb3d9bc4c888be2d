"""A bot: messages that are edited, and answered in their thread. It answers 200 to almost everything, and says in
the JSON whether it did what it was asked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DeployError, Undeliverable, Unreachable
from ...ports import Finding
from ..saas import Saas
from ..web_service import Answer, Refused
from .limits import pause
from .refusals import GONE, NEVER, TROUBLE, TWICE, advice, is_word
from .threads import Place

if TYPE_CHECKING:
    from ...settings.slack import SlackSettings
    from ..site import Site


class Gone(Refused):
    """The message can be neither edited nor answered any more."""


class PostedBefore(Refused):
    """A message with that key was there already, and somebody has taken it away."""


class Bot:
    """One token, one channel."""

    def __init__(self, settings: SlackSettings, site: Site) -> None:
        self._variable, self._channel = settings.token_from or "", settings.channel or ""
        self._within = settings.within
        self._service = Saas("Slack", settings.url, settings, site, self._proof)

    @property
    def where(self) -> str:
        """For people."""
        return self._channel

    def post(self, payload: Mapping[str, Any], until: float, *, key: str, under: Place | None = None) -> Place:
        """A message in the channel, or ``under`` another one. ``key``: a UUID; sent twice with the same one it is
        shown once.

        Raises ``Unreachable`` and ``UsageError`` when it has to wait, ``Undeliverable``, and ``Gone`` when there is
        nothing to answer any more.
        """
        thread = {"thread_ts": under.at} if under else {}
        body = {"channel": under.channel if under else self._channel, **payload, **thread}
        try:
            found = self._call("chat.postMessage", {**body, "client_msg_id": key}, until)
        except PostedBefore:
            found = self._call("chat.postMessage", body, until)
        return self._place(found)

    def edit(self, at: Place, payload: Mapping[str, Any], until: float) -> None:
        """Another text in the same place. Raises as ``post`` does."""
        self._call("chat.update", {"channel": at.channel, "ts": at.at, **payload}, until)

    def until(self, seconds: float) -> float:
        """On the monotonic clock."""
        return time.monotonic() + min(seconds, self._within)

    def diagnose(self) -> Sequence[Finding]:
        """Whether the token is good, and may write. Whether it is in the channel cannot be asked with that alone."""
        subject = "messages: slack"
        try:
            answer, found = self._answer("auth.test", {}, self.until(self._within))
        except DeployError as error:
            return [Finding(subject, "fail", error.what, error.do)]
        scopes = [scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",") if scope.strip()]
        if scopes and "chat:write" not in scopes:
            detail = f"the token in {self._variable} may not write: it has {', '.join(scopes)}"
            return [
                Finding(subject, "fail", detail, advice("missing_scope", variable=self._variable, channel=self.where))
            ]
        who = f"{found.get('user', 'a bot')} in {found.get('team', 'its workspace')}"
        return [Finding(subject, "ok", f"writes as {who} into {self._channel}; it must be a member there")]

    # -- asking ----------------------------------------------------------------------------------------------

    def _proof(self, service: Saas) -> dict[str, str]:
        return {"Authorization": f"Bearer {service.secret(self._variable)}"}

    def _call(self, method: str, body: Mapping[str, Any], until: float) -> Mapping[str, Any]:
        return self._answer(method, body, until)[1]

    def _answer(self, method: str, body: Mapping[str, Any], until: float) -> tuple[Answer, Mapping[str, Any]]:
        answer = self._service.ask("POST", f"/{method}", until, json=body, again=pause)
        if not 200 <= answer.status < 300:
            raise self._service.refusal(answer)
        found = self._service.understood(answer)
        if not isinstance(found, dict) or not isinstance(found.get("ok"), bool):
            raise self._strange(method)
        if not found["ok"]:
            raise self._error(method, found)
        return answer, found

    def _error(self, method: str, found: Mapping[str, Any]) -> DeployError:
        word = str(found.get("error"))
        if not is_word(word):
            return self._strange(method)
        said = f"Slack's {method} answers {word}"
        if word in NEVER:
            return Undeliverable(f"{said}: it refuses the message", do="report this, with the message")
        if word in TROUBLE:
            return Unreachable(said, do="it is sent again later")
        kind = Gone if word in GONE else PostedBefore if word in TWICE else Refused
        return kind(said, do=advice(word, variable=self._variable, channel=self._channel))

    def _place(self, found: Mapping[str, Any]) -> Place:
        channel, at = found.get("channel"), found.get("ts")
        if not (isinstance(channel, str) and isinstance(at, str)):
            raise self._strange("chat.postMessage")
        return Place(channel, at)

    def _strange(self, method: str) -> Unreachable:
        return Unreachable(
            f"Slack at {self._service.url} answered {method} with something else than its API does",
            do="check `url`: https://slack.com/api",
        )
