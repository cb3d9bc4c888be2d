"""A Slack of our own: incoming webhooks, ``chat.postMessage``, ``chat.update`` and ``auth.test``, over HTTP.

    with slack() as lab:
        lab.hook      # the URL of a webhook into #deployments; lab.token and lab.url are for a bot
        lab.messages  # what people see, edits and threads included
        lab.revoke()  # the webhook is taken away; lab.archive() closes the channel

It refuses what Slack would refuse (``lab.slack_blocks``), in Slack's words and ways: plain text by a webhook, 200 with
``"ok": false`` by the API. Everything of that kind, and what a careful client would not do, stands in ``lab.broken`` as
well: a test ends with ``assert [] == lab.broken``.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from lab.answering import Asked, Raw, answering, page
from lab.slack_blocks import complaints, wrong

ARGUMENTS = {
    "chat.postMessage": {
        "channel", "text", "blocks", "attachments", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media",
        "client_msg_id", "mrkdwn", "parse", "link_names", "metadata", "username", "icon_emoji", "icon_url",
    },
    "chat.update": {
        "channel", "ts", "text", "blocks", "attachments", "parse", "link_names", "metadata", "reply_broadcast",
        "unfurl_links", "unfurl_media",
    },
    "auth.test": set(),
}  # fmt: skip
CHANNEL = "C0DEPLOYS1"


@dataclass
class Message:
    """One message. ``edits``: what it said before, the oldest first; ``broadcast``: a reply that the channel sees."""

    channel: str
    ts: str
    text: str
    blocks: list[Any]
    by: str
    """``webhook`` or ``bot``."""
    thread_ts: str = ""
    broadcast: bool = False
    edits: list[Any] = field(default_factory=list)


class Slack:
    """One workspace with one channel, one webhook and one bot."""

    def __init__(self) -> None:
        self.url = self.hook = ""
        self.token = "xoxb-" + "17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
        self.secret = "/services/T024BE7LD/B0LABHOOK/" + "9hT2mKq8RbX5yWc1LpVd7nZs"
        self.scopes = ["chat:write"]
        self.members = True
        """Whether the bot is in the channel."""
        self.messages: list[Message] = []
        self.asked: list[Asked] = []
        self.broken: list[str] = []
        self.trouble: Callable[[Asked], Any] | None = None
        """What is answered instead of everything, where it is anything."""
        self.limited: list[str | None] = []
        """The next requests are answered 429, with that Retry-After or none."""
        self.rate: float | None = None
        """Messages a second, with bursts of three, where it is watched."""
        self._room, self._at = 3.0, time.monotonic()
        self._state = ""
        self._keys: dict[str, Message] = {}
        self.now: float | None = None
        """The time of the next messages, epoch seconds; the clock's own otherwise."""
        self._counts = count(1)
        self._lock = threading.Lock()

    # -- what happens to it ----------------------------------------------------------------------------------

    def revoke(self) -> None:
        """The webhook is taken away, and the token with it."""
        self._state = "revoked"

    def archive(self) -> None:
        """The channel is closed."""
        self._state = "archived"

    def mend(self) -> None:
        """All is well again."""
        self._state, self.trouble, self.members = "", None, True

    def delete(self, message: Message) -> None:
        """Somebody takes a message away."""
        self.messages.remove(message)

    @property
    def roots(self) -> list[Message]:
        """What the channel shows without threads."""
        return [message for message in self.messages if not message.thread_ts]

    def thread(self, message: Message) -> list[Message]:
        """The replies to one."""
        return [each for each in self.messages if each.thread_ts == message.ts]

    # -- answering -------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Any:
        """Whatever Slack would say."""
        with self._lock:
            if self.trouble is not None and (found := self.trouble(asked)) is not None:
                return found
            is_hook = asked.path.startswith("/services/")
            if (after := self._limit(is_hook)) is not None:
                return after
            return self._by_hook(asked) if is_hook else self._by_api(asked)

    def _limit(self, is_hook: bool) -> Raw | None:
        after: str | None = None
        if self.limited:
            after = self.limited.pop(0)
        elif self.rate is not None:
            now = time.monotonic()
            self._room = min(3.0, self._room + (now - self._at) * self.rate)
            self._at = now
            if self._room >= 1:
                self._room -= 1
                return None
            after = "1"
        else:
            return None
        more = {} if after is None else {"Retry_After": after}
        if is_hook:
            return page(429, "rate_limited", **more)
        return page(429, '{"ok":false,"error":"ratelimited"}', "application/json", **more)

    def _by_hook(self, asked: Asked) -> Raw:
        payload = self._payload(asked)
        if asked.method != "POST":
            return page(405, "invalid_method")
        if asked.path != self.secret or self._state == "revoked":
            return page(404 if self._state == "revoked" else 403, "no_service" if self._state else "invalid_token")
        if self._state == "archived":
            return page(410, "channel_is_archived")
        if payload is None:
            return page(400, "invalid_payload")
        if "channel" in payload:
            self.broken.append("a webhook of an app cannot choose its channel")
        if (error := self._judged(payload)) != "":
            return page(400, error)
        self._shown(payload, "webhook")
        return page(200, "ok")

    def _by_api(self, asked: Asked) -> Any:
        method = asked.path.removeprefix("/api/")
        if method not in ARGUMENTS:
            return {"ok": False, "error": "unknown_method"}
        told = asked.headers.get("authorization", "")
        if told != f"Bearer {self.token}" or self._state == "revoked":
            return {
                "ok": False,
                "error": "not_authed" if not told else "invalid_auth" if not self._state else "token_revoked",
            }
        scopes = {"X_OAuth_Scopes": ",".join(self.scopes)}
        found = self._did(method, self._payload(asked))
        return page(200, json.dumps(found), "application/json; charset=utf-8", **scopes)

    def _did(self, method: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if method == "auth.test":
            return {
                "ok": True,
                "team": "Library",
                "user": "deployer",
                "bot_id": "B0LABBOT1",
                "url": "https://l.slack.com/",
            }
        if "chat:write" not in self.scopes:
            return {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": ",".join(self.scopes)}
        if body is None:
            return {"ok": False, "error": "invalid_json"}
        if unknown := body.keys() - ARGUMENTS[method]:
            self.broken.append(f"{method} has no {', '.join(sorted(unknown))}")
        if (error := self._place(method, body)) != "":
            return {"ok": False, "error": error}
        if (error := self._judged(body)) != "":
            return {"ok": False, "error": error}
        message = self._edited(body) if method == "chat.update" else self._posted(body)
        if message is None:
            return {"ok": False, "error": "message_not_found" if method == "chat.update" else "thread_not_found"}
        return {"ok": True, "channel": message.channel, "ts": message.ts, "message": {"text": message.text}}

    def _place(self, method: str, body: Mapping[str, Any]) -> str:
        names = (CHANNEL,) if method == "chat.update" else (CHANNEL, "#deployments", "deployments")
        if body.get("channel") not in names:
            return "channel_not_found"
        if self._state == "archived":
            return "is_archived"
        return "" if self.members or "chat:write.public" in self.scopes else "not_in_channel"

    def _judged(self, payload: Mapping[str, Any]) -> str:
        error, _ = wrong(payload)
        if payload:  # an empty one is how somebody asks whether a webhook is alive
            self.broken += complaints(payload)
        return error

    def _payload(self, asked: Asked) -> dict[str, Any] | None:
        if not asked.headers.get("content-type", "").startswith("application/json"):
            self.broken.append("a JSON body is needed")
            return None
        try:
            found = json.loads(asked.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _posted(self, body: Mapping[str, Any]) -> Message | None:
        key = str(body.get("client_msg_id", ""))
        if key in self._keys:
            return self._keys[key]
        if key and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key):
            self.broken.append("client_msg_id is a UUID")
        thread = str(body.get("thread_ts", ""))
        if thread and not any(message.ts == thread for message in self.roots):
            return None
        if body.get("reply_broadcast") and not thread:
            self.broken.append("reply_broadcast goes with thread_ts")
        message = self._shown(body, "bot", thread, broadcast=bool(body.get("reply_broadcast")))
        if key:
            self._keys[key] = message
        return message

    def _edited(self, body: Mapping[str, Any]) -> Message | None:
        found = next((each for each in self.messages if each.ts == body.get("ts") and each.by == "bot"), None)
        if found is not None:
            found.edits.append({"text": found.text, "blocks": found.blocks})
            found.text, found.blocks = body.get("text", ""), body.get("blocks", [])
        return found

    def _shown(self, body: Mapping[str, Any], by: str, thread: str = "", *, broadcast: bool = False) -> Message:
        ts = f"{int(self.now or time.time())}.{next(self._counts):06}"
        message = Message(CHANNEL, ts, body.get("text", ""), body.get("blocks", []), by, thread, broadcast)
        self.messages.append(message)
        return message


def write_album(path: Path, pictures: Mapping[str, tuple[str, Sequence[Message]]]) -> None:
    """What ``inv dev.pictures`` makes pictures of: name → (what it shows, a message and its thread). Others stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    made = {
        name: {"name": name, "shows": shows, "messages": [asdict(message) for message in messages]}
        for name, (shows, messages) in pictures.items()
    }
    album = [made.pop(entry["name"], entry) for entry in known] + list(made.values())
    path.write_text(json.dumps(album, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def slack() -> Iterator[Slack]:
    """One that runs."""
    lab = Slack()
    with answering(lab.answer) as server:
        lab.url, lab.hook, lab.asked = f"{server.url}/api", server.url + lab.secret, server.asked
        yield lab
