"""Envoy's admin interface: what it really uses, and what it has counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ... import redaction, web
from ...errors import Unreachable
from .keys import Changes


class Admin:
    """The admin interface at ``http://host:port`` or ``unix:/path``. All methods raise ``Unreachable``.

    An ``address`` that is reached another way each time is a function. ``shown``: what people know it by.
    """

    def __init__(self, address: str | Callable[[], str], do: str, shown: str = "") -> None:
        self._address = address
        self._do = do
        self._name = f"envoy's admin at {shown}" if shown else "envoy's admin"

    def runtime(self, timeout: float = 5.0) -> dict[str, str]:
        """The runtime keys in force."""
        entries = self._json("/runtime?format=json", timeout).get("entries", {})
        return {key: str(entry.get("final_value", "")) for key, entry in entries.items()}

    def modify(self, changes: Changes, timeout: float = 5.0) -> None:
        """Change keys in the admin layer, all at once. They are forgotten when Envoy restarts."""
        query = "&".join(f"{quote(key)}={quote(value or '')}" for key, value in changes.items())
        self._ask(f"/runtime_modify?{query}", timeout, "POST")

    def await_keys(self, changes: Changes, timeout: float) -> None:
        """Return when Envoy uses exactly these keys; ``Unreachable`` when it does not within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        pause = 0.002
        while True:
            try:
                seen = self.runtime(max(0.05, min(2.0, deadline - time.monotonic())))
                wrong = [key for key, value in changes.items() if seen.get(key, "") != (value or "")]
                problem = f"envoy still reads {', '.join(f'{key}={seen.get(key)}' for key in wrong)}"
            except Unreachable as error:
                wrong, problem = list(changes), error.what
            if not wrong:
                return
            if time.monotonic() >= deadline:
                raise Unreachable(problem, state="what was written is kept, but not seen in force", do=self._do)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def epoch(self, timeout: float = 1.0) -> int | None:
        """The restart epoch of an Envoy that is ready to serve; ``None`` while it is not."""
        info = self._json("/server_info", timeout)
        live = info.get("state") == "LIVE"
        return int(info.get("command_line_options", {}).get("restart_epoch", 0)) if live else None

    def version(self) -> str:
        """Such as ``1.40.0``."""
        parts = str(self._json("/server_info", 5.0).get("version", "")).split("/")
        return parts[1] if len(parts) > 1 else "unknown"

    def statistics(self, pattern: str, timeout: float = 5.0) -> str:
        """Statistics whose names match, in Prometheus's text format."""
        return self._ask(f"/stats/prometheus?filter={quote(pattern)}", timeout).decode("utf-8", "replace")

    def _json(self, path: str, timeout: float) -> dict[str, Any]:
        try:
            found = json.loads(self._ask(path, timeout))
        except ValueError as error:
            raise Unreachable(f"{self._name} answered {path} with something else than JSON", do=self._do) from error
        return found if isinstance(found, dict) else {}

    def _ask(self, path: str, timeout: float, method: str = "GET") -> bytes:
        try:
            address = self._address if isinstance(self._address, str) else self._address()
            base = f"{address}:" if address.startswith("unix:") else address
            answer = web.fetch(base + path, method=method, timeout=timeout)
        except Unreachable as error:
            raise Unreachable(f"{self._name} does not answer: {error.what}", do=self._do) from error
        if answer.status != 200:
            text = redaction.excerpt(answer.body[:10_000].decode("utf-8", "replace"), 200)
            raise Unreachable(f"{self._name} answered {method} {path} with {answer.status}: {text}", do=self._do)
        return answer.body
