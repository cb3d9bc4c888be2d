"""People and their machines under stable ids, which a file outside of the ledger translates.

An id is ``p-`` (a person) or ``h-`` (a machine) and twelve hex digits: HMAC-SHA256 of the name under a key that all who
deploy have. So it is the same on every machine, and nobody without key or file can tell whose it is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import durable
from .errors import Unreachable, UsageError

UNKNOWN = "p-unknown"
"""Who goes back without the key: that must not wait for it."""
PROJECT, HOME = "{project}", "{home}"
"""What stands for the folders of the project and of who deploys: their paths may have a name in them."""
_ID = re.compile(r"\b[ph]-[0-9a-f]{12}\b")
_PATIENCE = 5.0
"""Seconds to wait for another process that adds to the file."""


class Names:
    """Ids of names. ``key``: nothing where the variable ``key_from`` is not set; then there are no ids.

    ``file``: where they are translated.
    """

    def __init__(self, key: str | None, file: Path, key_from: str) -> None:
        self.file = file
        self._key = (key or "").encode("utf-8", "surrogateescape")
        self._key_from = key_from
        self._hidden: dict[str, str] = {}
        self._spoken: dict[str, str] = {}
        self._new: dict[str, str] = {}

    def require(self) -> None:
        """Raise ``UsageError`` without the key: what would be recorded could be assigned to nobody."""
        if not self._key:
            raise UsageError(
                f"people.key_from: the environment variable {self._key_from} is not set",
                state="nothing was changed",
                do=f"set {self._key_from} to the key that all who deploy have",
            )

    def person(self, name: str) -> str:
        """The id of a person, which ``save`` adds to the file; ``p-unknown`` without the key. An id stays one."""
        return self._id("p", plain(name)) if self._key or _ID.fullmatch(name) else UNKNOWN

    def machine(self, name: str) -> str:
        """The id of somebody's machine."""
        return self._id("h", plain(name)) if self._key or _ID.fullmatch(name) else "h-unknown"

    def hide(self, path: str, instead: str) -> None:
        """From now on, record ``instead`` wherever this path turns up."""
        if len(path) > 2:
            self._hidden[path] = instead

    def hide_in_sentences(self, name: str, instead: str) -> None:
        """From now on, record ``instead`` where sentences have this name. A fact of one word is none: somebody may be
        called ``green``, or like a host."""
        if len(name) > 1:
            self._spoken = {**self._spoken, name: instead}  # another thread may be reading it

    def _id(self, kind: str, name: str) -> str:
        if _ID.fullmatch(name):
            return name
        found = f"{kind}-{hmac.new(self._key, f'{kind}:{name}'.encode(), hashlib.sha256).hexdigest()[:12]}"
        self._new[found] = name
        return found

    def save(self) -> None:
        """Add whose ids were asked for to the file, if they are not there: whoever records something by them calls it,
        so that only looking brings nobody back who was forgotten. Best effort: a deployment does not wait for it."""
        new, self._new = self._new, {}
        if not new:
            return
        with suppress(OSError, Unreachable):
            known = self.known()
            if any(known.get(key) != name for key, name in new.items()):
                self._change(new, ())

    # -- the translation -------------------------------------------------------

    def known(self) -> Mapping[str, str]:
        """Ids and names in the file. Raises ``Unreachable`` for a file that is no translation."""
        try:
            found = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise Unreachable(f"{self.file} cannot be read as a translation of ids", do="mend it, or delete it")
        return {str(key): str(name) for key, name in found.items()}

    def forget(self, name: str) -> list[str]:
        """Delete a person's or a machine's line, by name or id; the ids that nobody can translate any more."""
        gone = [key for key, known in self.known().items() if name == key or plain(name) == known]
        if gone:
            self._change({}, gone)
        return gone

    def _change(self, more: Mapping[str, str], gone: list[str] | tuple[()]) -> None:
        durable.make_folder(self.file.parent)
        with durable.locked(self.file.with_name(f".{self.file.name}.lock"), _PATIENCE):
            kept = {key: name for key, name in {**self.known(), **more}.items() if key not in gone}
            text = json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogateescape")
            with durable.written_aside(self.file.parent, text + b"\n", 0o600) as aside:
                aside.replace(self.file)
            durable.sync_folder(self.file.parent)

    # -- in and out of the ledger ----------------------------------------------

    def veiled(self, value: Any, *, sentences: bool = True) -> Any:
        """The same plain data without what would name somebody. ``sentences``: whether names in texts of several words
        go as well; those in a plan's commands must stay."""
        if isinstance(value, str):
            value = _replaced(value, self._hidden)
            return _replaced(value, self._spoken) if sentences and " " in value else value
        if isinstance(value, Mapping):
            return {key: self.veiled(item, sentences=sentences) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.veiled(item, sentences=sentences) for item in value]
        return value

    def translated(self, value: Any) -> Any:
        """The same plain data with names for the ids that the file has."""
        known = self.known() if self.file.exists() else {}
        return _translated(value, known) if known else value


def _replaced(text: str, instead: Mapping[str, str]) -> str:
    """A text with each of these, where it is a word of its own, replaced; the longest first."""
    for name in sorted(instead, key=len, reverse=True):
        if name in text:
            other = instead[name].replace("\\", "\\\\")
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", other, text)
    return text


def plain(name: str) -> str:
    """A name as it is compared: ``Ann@laptop`` and ``ann`` are one person; an e-mail address stays one."""
    text = unicodedata.normalize("NFC", name).strip().casefold()
    before, at, after = text.rpartition("@")
    return before if at and before and "." not in after else text


def _translated(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _ID.sub(lambda found: known.get(found[0], found[0]), value)
    if isinstance(value, Mapping):
        return {key: _translated(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_translated(item, known) for item in value]
    return value


def unveiled(value: Any, root: Path) -> Any:
    """A recorded plan with this machine's folders in it. ``root``: the project's."""
    if isinstance(value, str):
        return value.replace(PROJECT, str(root)).replace(HOME, str(Path.home())) if "{" in value else value
    if isinstance(value, Mapping):
        return {key: unveiled(item, root) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [unveiled(item, root) for item in value]
    return value
