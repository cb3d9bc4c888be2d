"""An incoming webhook: a URL that is a secret, into one channel.

It answers ``ok``, or with an error in one word of plain text. Whatever else answers is not repeated: a proxy, or a page
of an error, may have the URL in it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, quote, urlsplit

from ... import redaction
from ...errors import DeployError, Undeliverable, Unreachable, UsageError
from ...ports import Finding
from ...settings.github import is_safe
from ..saas import Saas
from ..web_service import Answer, Refused
from .limits import pause
from .refusals import NEVER, advice, is_word

if TYPE_CHECKING:
    from ...settings.slack import SlackSettings
    from ..site import Site

ALIVE = frozenset(("no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"))
"""What is said to an empty message, by a webhook that would take another one."""


class Hook:
    """Where it goes is looked up when something is sent, and not before."""

    def __init__(self, settings: SlackSettings, site: Site) -> None:
        self._settings = settings
        self._site = site

    @property
    def where(self) -> str:
        """For people."""
        return f"the webhook in {self._settings.hook}"

    def post(self, payload: Mapping[str, Any], seconds: float) -> None:
        """Send it. Raises ``Unreachable``, ``Undeliverable`` or ``UsageError``: of the URL they name the host alone."""
        answer = self._asked(payload, seconds)
        said = _word(answer)
        if answer.status != 200 or said != "ok":
            self._refuse(answer, said)

    def diagnose(self) -> Sequence[Finding]:
        """An empty message is refused, and so is not shown to anybody; by what, tells whether another one would be."""
        try:
            answer = self._asked({}, self._settings.within)
            said = _word(answer)
            if answer.status != 400 or said not in ALIVE:
                self._refuse(answer, said)
        except DeployError as error:
            return [Finding("messages: slack", "fail", error.what, error.do)]
        return [Finding("messages: slack", "ok", f"{self.where} takes messages")]

    def _asked(self, payload: Mapping[str, Any], seconds: float) -> Answer:
        base, path = self._address()
        service = Saas("Slack", base, self._settings, self._site)
        until = time.monotonic() + min(seconds, self._settings.within)
        headers = {"Accept": "*/*"}
        try:
            return service.ask("POST", path, until, headers=headers, json=payload, again=pause)
        except DeployError as error:
            hidden = redaction.clean(error.what)
            raise type(error)(hidden, state=error.state, do=error.do) from None

    def _address(self) -> tuple[str, str]:
        """What may be said of it, and the rest, which may not."""
        found = Saas("Slack", "", self._settings, self._site).secret(self._settings.hook)
        _hide(found)
        parts = _parts(found)
        if parts is None:
            raise UsageError(
                f"Slack: the value of {self._settings.hook} is not the https URL of an incoming webhook",
                do="copy it from the settings of the app: https://hooks.slack.com/services/…",
            )
        return f"{parts.scheme}://{parts.netloc}", parts.path + (f"?{parts.query}" if parts.query else "")

    def _refuse(self, answer: Answer, said: str) -> NoReturn:
        who = f"Slack, by {self.where},"
        if not is_word(said):
            why = f"{who} answered {answer.status}, and not as Slack does"
            raise Unreachable(why, do="check the URL, and what stands between: a proxy or a log-in page may answer")
        if answer.status == 400 and said in NEVER:
            raise Undeliverable(f"{who} refuses the message: {said}", do="report this, with the message")
        if answer.status >= 500 or answer.status == 429:
            raise Unreachable(f"{who} has trouble of its own: {answer.status} {said}", do="it is sent again later")
        raise Refused(f"{who} answered {answer.status}: {said}", do=advice(said, variable=self._settings.hook))


def _word(answer: Answer) -> str:
    return answer.body[:200].decode(errors="replace").strip()


def _parts(url: str) -> SplitResult | None:
    """Of a URL to which a message may be sent: https, or this very machine."""
    try:
        parts = urlsplit(is_safe(url))
        is_one = parts.scheme in ("https", "http") and parts.path.strip("/") and parts.port != 0
    except ValueError:
        return None
    return parts if is_one and parts.hostname and "@" not in parts.netloc else None


def _hide(url: str) -> None:
    """All of it, and what of it is no plain word: each part is as good as a password."""
    beyond = url.partition("://")[2] or url
    path = beyond.partition("/")[2]
    parts = [part for part in re.split(r"[/?&=]", path) if not re.fullmatch(r"[a-z]{1,12}", part)]
    for each in (url, path, *parts):
        redaction.hide(each, quote(each, safe=""))
