"""Which keys a host may have: files of host keys as sshd(8) describes them, read without loosening anything.

Beside what paramiko reads, wildcards, negations and revoked keys count. Certificates of host keys are not supported:
``@cert-authority`` lines are passed over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from re import IGNORECASE, match
from typing import NamedTuple

_REVOKED, _AUTHORITY = "@revoked", "@cert-authority"


class KnownKey(NamedTuple):
    """One line of such a file. ``file`` and ``line`` say where."""

    names: str
    type: str
    blob: bytes
    revoked: bool
    file: Path
    line: int


class KnownHosts(NamedTuple):
    """The keys of some files, in their order."""

    files: tuple[Path, ...]
    lines: tuple[KnownKey, ...]

    def of(self, name: str) -> list[KnownKey]:
        """What is known of a host. ``name``: ``host``, or ``[host]:port`` when the port is not 22."""
        return [one for one in self.lines if is_named(name, one.names)]

    @property
    def shown(self) -> str:
        """The files, for people."""
        return " and ".join(map(str, self.files)) or "no file (none is configured)"


def fingerprint(blob: bytes) -> str:
    """As OpenSSH shows it: ``SHA256:…``."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read(files: Sequence[Path]) -> KnownHosts:
    """The keys of those files that exist. A file that cannot be read raises ``OSError``."""
    there = [file for file in files if file.is_file()]
    return KnownHosts(tuple(files), tuple(key for file in there for key in _keys(file, file.stat().st_mtime_ns)))


@lru_cache(maxsize=32)
def _keys(file: Path, changed_at: int) -> tuple[KnownKey, ...]:  # part of the cache's key
    lines = file.read_text(errors="replace").splitlines()
    found = [_parsed(line, file, number) for number, line in enumerate(lines, start=1)]
    return tuple(key for key in found if key)


def _parsed(line: str, file: Path, number: int) -> KnownKey | None:
    words = line.split()
    if not words or words[0].startswith("#") or words[0] == _AUTHORITY:
        return None
    revoked = words[0] == _REVOKED
    if revoked:
        words = words[1:]
    if len(words) < 3:
        return None
    try:
        return KnownKey(words[0], words[1], base64.b64decode(words[2], validate=True), revoked, file, number)
    except binascii.Error:
        return None


def is_named(name: str, patterns: str) -> bool:
    """Whether a line's first field means this host: names with ``*`` and ``?``, ``!`` before one that is not meant,
    or one hashed name."""
    if patterns.startswith("|1|"):
        return _is_hashed(name, patterns)
    found = False
    for pattern in patterns.split(","):
        if _fits(name, pattern.removeprefix("!")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _fits(name: str, pattern: str) -> bool:
    if not {"*", "?"} & set(pattern):
        return name.lower() == pattern.lower()
    plain = translate(pattern.replace("[", "[[]"))  # brackets belong to the port, not to the pattern
    return match(plain, name, IGNORECASE) is not None


def _is_hashed(name: str, field: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in field[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
