"""Whose keys count, and what a signature says about itself: two formats of OpenSSH, read. Pure.

The allowed-signers file is described in ssh-keygen(1), "ALLOWED SIGNERS"; the armored signature in OpenSSH's
PROTOCOL.sshsig. Whether a signature holds is asked of ``ssh-keygen`` alone, see ``signing``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from .errors import UsageError

_KEY_TYPE = re.compile(r"(?:sk-)?(?:ssh|ecdsa|rsa)-[A-Za-z0-9@.-]+")
_WORD = re.compile(r'(?:"[^"]*"|[^\s"])+')
"""Quotes keep blanks together."""
_ARMOR = re.compile(r"\s*-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\s*")
_MAGIC = b"SSHSIG"
_PRIVATE = re.compile(r"-----BEGIN OPENSSH PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END OPENSSH PRIVATE KEY-----")
_PRIVATE_MAGIC = b"openssh-key-v1\0"


class Signer(NamedTuple):
    """One line of an allowed-signers file: under which names a key may sign."""

    principals: tuple[str, ...]
    options: str
    key: bytes
    """The public key as it travels (RFC 4253, section 6.6)."""

    @property
    def is_authority(self) -> bool:
        """Whether it stands for the keys that it has certified."""
        return "cert-authority" in re.sub(r'"[^"]*"', "", self.options).lower().split(",")

    @property
    def has_pattern(self) -> bool:
        """Whether it names a crowd instead of a person."""
        return any(set(name) & set("*?!") for name in self.principals)


class Signature(NamedTuple):
    """What a signature says about itself; nothing of that is proven."""

    key: bytes
    namespace: str


def read_signers(content: bytes, name: str) -> tuple[Signer, ...]:
    """The lines of an allowed-signers file. Raises ``UsageError`` with the first line that is none: ``ssh-keygen``
    passes over such a line, and its owner would wonder."""
    found = []
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_signer(line))
            except ValueError as error:
                do = 'write `ann@example.org namespaces="deploytasks" ssh-ed25519 AAAA…`, see docs/approvals.md'
                raise UsageError(f"{name}, line {number}: {error}", do=do) from None
    return tuple(found)


def _signer(line: str) -> Signer:
    words = _WORD.findall(line)
    options = words[1] if len(words) > 1 and not _KEY_TYPE.fullmatch(words[1]) else ""
    rest = words[2 if options else 1 :]
    if len(rest) < 2 or not _KEY_TYPE.fullmatch(rest[0]):
        raise ValueError("names, options, a type of key and a key are needed")
    names = tuple(name for name in words[0].replace('"', "").split(",") if name)
    if not names:
        raise ValueError("it names nobody")
    return Signer(names, options, _decoded(rest[1], rest[0]))


def _decoded(text: str, kind: str = "") -> bytes:
    """A public key from its base64. Raises ``ValueError`` unless it is of this kind."""
    try:
        key = base64.b64decode(text, validate=True)
        said = _text(key)[0].decode()
    except (binascii.Error, IndexError, UnicodeDecodeError):
        raise ValueError("its key is cut off, or no key") from None
    if kind and said != kind:
        raise ValueError(f"it says {kind}, and the key is of type {said}")
    return key


def read_key(line: str) -> bytes | None:
    """The key of a line such as ``ssh-ed25519 AAAA… comment``: a ``.pub`` file's, an agent's. ``None``: it has none."""
    words = line.split()
    try:
        return _decoded(words[1], words[0]) if len(words) > 1 and _KEY_TYPE.fullmatch(words[0]) else None
    except ValueError:
        return None


def key_line(key: bytes) -> bytes:
    """A public key as the line of a file."""
    kind = _text(key)[0] if key else b""
    return kind + b" " + base64.b64encode(key) + b"\n"


def read_public_half(private: str) -> bytes | None:
    """The public key that stands, unencrypted, in a private one of OpenSSH's format (PROTOCOL.key); else ``None``."""
    found = _PRIVATE.search(private)
    try:
        content = base64.b64decode("".join(found[1].split()), validate=True) if found else b""
        if not content.startswith(_PRIVATE_MAGIC):
            return None
        rest = content[len(_PRIVATE_MAGIC) :]
        for _ in ("cipher", "derivation", "its options"):
            rest = _text(rest)[1]
        return _text(rest[4:])[0]
    except (binascii.Error, IndexError):
        return None


def read_signature(armored: str) -> Signature | None:
    """The key and the namespace of a signature; ``None`` when it is no signature."""
    found = _ARMOR.fullmatch(armored)
    try:
        content = base64.b64decode(found[1].replace("\n", ""), validate=True) if found else b""
        if not content.startswith(_MAGIC):
            return None
        key, rest = _text(content[len(_MAGIC) + 4 :])
        return Signature(key, _text(rest)[0].decode())
    except (binascii.Error, IndexError, UnicodeDecodeError):
        return None


def _text(content: bytes) -> tuple[bytes, bytes]:
    """A string of RFC 4251, section 5, and what follows it. Raises ``IndexError`` when it is cut off."""
    end = 4 + int.from_bytes(content[:4])
    if len(content) < max(4, end):
        raise IndexError
    return content[4:end], content[end:]


def fingerprint(key: bytes) -> str:
    """As ``ssh-keygen -l`` shows it: ``SHA256:…``. Of a certificate, that of the whole certificate."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def is_certificate(key: bytes) -> bool:
    """Whether an authority has put its name under the key."""
    return b"-cert-v0" in key[:64]


def person(signers: Sequence[Signer], name: str) -> frozenset[str]:
    """All names of one person: those that share a line or a key with this one, and so on. Patterns name nobody."""
    names, before = {name}, 0
    keys: set[bytes] = set()
    while len(names) + len(keys) != before:
        before = len(names) + len(keys)
        for one in signers:
            if not one.is_authority and (one.key in keys or names & set(one.principals)):
                keys.add(one.key)
                names |= {each for each in one.principals if not set(each) & set("*?!")}
    return frozenset(names)
