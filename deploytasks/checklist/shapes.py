"""What looks secret whatever its value: keys and tokens by their shape, files by their name.

Every shape has an anchor, a fixed text that is searched for first, and a pattern that is tried there and nowhere else.
The patterns have no repetition inside of a repetition, and all are bounded: none of them backtracks.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

REACH = 400
"""Bytes from the anchor that a shape looks at."""


class Shape(NamedTuple):
    """A kind of secret: what it is called, the fixed text in it, and what must stand from there on."""

    what: str
    anchor: bytes
    pattern: re.Pattern[bytes]
    is_word: bool = True
    """Whether a letter or a digit right before the anchor means that it is something else."""


def _shape(what: str, anchor: bytes, rest: bytes, *, is_word: bool = True) -> Shape:
    return Shape(what, anchor, re.compile(re.escape(anchor) + rest), is_word)


_THEN_32 = rb"[^0-9A-Za-z\n]{1,12}[0-9A-Za-z]{32}(?![0-9A-Za-z])"

SHAPES: tuple[Shape, ...] = (
    _shape("a private key", b"-----BEGIN ", rb"(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", is_word=False),
    _shape("a private key (PuTTY)", b"PuTTY-User-Key-File-", rb"\d: "),
    _shape("a private key (age)", b"AGE-SECRET-KEY-1", rb"[0-9A-Z]{40}"),
    _shape("an AWS access key", b"AKIA", rb"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _shape("an AWS access key", b"ASIA", rb"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _shape("an AWS secret key", b"aws_secret_access_key", rb"[^A-Za-z0-9/+\n]{1,10}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    _shape("a GitHub token", b"ghp_", rb"[0-9A-Za-z]{36}"),
    _shape("a GitHub token", b"gho_", rb"[0-9A-Za-z]{36}"),
    _shape("a GitHub token", b"ghu_", rb"[0-9A-Za-z]{36}"),
    _shape("a GitHub token", b"ghs_", rb"[0-9A-Za-z]{36}"),
    _shape("a GitHub token", b"ghr_", rb"[0-9A-Za-z]{36}"),
    _shape("a GitHub token", b"github_pat_", rb"[0-9A-Za-z_]{60}"),
    _shape("a GitLab token", b"glpat-", rb"[0-9A-Za-z_-]{20}"),
    _shape("a Slack token", b"xox", rb"[abeprs]-[0-9A-Za-z-]{20}"),
    _shape("a Slack webhook", b"hooks.slack.com/services/", rb"T[0-9A-Z]{6,12}/B[0-9A-Z]{6,12}/[0-9A-Za-z]{20}"),
    _shape("a Stripe key", b"_live_", rb"[0-9A-Za-z]{16}", is_word=False),
    _shape("a Stripe webhook secret", b"whsec_", rb"[0-9A-Za-z+/=]{32}"),
    _shape("a PagerDuty key", b"routing_key", rb"[^0-9A-Za-z\n]{1,12}[0-9A-Za-z]{32}(?![0-9A-Za-z])", is_word=False),
    _shape(
        "a PagerDuty key", b"integration_key", rb"[^0-9A-Za-z\n]{1,12}[0-9A-Za-z]{32}(?![0-9A-Za-z])", is_word=False
    ),
    _shape("a PagerDuty token", b"Token token=", rb"[0-9A-Za-z_+-]{20}"),
    _shape("a PagerDuty token", b"pdus+_", rb"[0-9A-Za-z_-]{20}"),
    _shape("a Google key", b"AIza", rb"[0-9A-Za-z_-]{35}"),
    _shape("a SendGrid key", b"SG.", rb"[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
    _shape("an npm token", b"npm_", rb"[0-9A-Za-z]{36}"),
    _shape("an npm token", b"_authToken=", rb"[0-9A-Za-z_-]{16}", is_word=False),
    _shape("a PyPI token", b"pypi-AgE", rb"[0-9A-Za-z_-]{50}"),
    _shape("a Vault token", b"hvs.", rb"[0-9A-Za-z_-]{24}"),
    _shape("an API key", b"sk-ant-", rb"[0-9A-Za-z_-]{24}"),
    _shape("an API key", b"sk-proj-", rb"[0-9A-Za-z_-]{24}"),
    _shape("a New Relic key", b"NRAK-", rb"[0-9A-Z]{27}"),
    _shape("a Sentry token", b"sntrys_", rb"[0-9A-Za-z_=+/]{40}"),
    _shape("an Azure storage key", b"AccountKey=", rb"[0-9A-Za-z+/]{86}=="),
)

_WITH_A_BODY = frozenset({b"-----BEGIN ", b"PuTTY-User-Key-File-"})
"""Anchors that sources and manuals have without a key; the key is told by what follows."""
_KEY_MATERIAL = re.compile(rb"[A-Za-z0-9+/]{40}")


def matched(shape: Shape, content: bytes, at: int) -> bool:
    """Whether the shape stands at this place of the content, where its anchor is. ``at`` is above 0."""
    if shape.is_word and content[at - 1 : at].isalnum():
        return False
    found = shape.pattern.match(content, at, at + REACH)
    if found is None:
        return False
    if shape.anchor in _WITH_A_BODY:
        return _KEY_MATERIAL.search(content, found.end(), at + REACH) is not None
    if shape.anchor == b"_live_" and content[at - 2 : at] not in (b"sk", b"rk"):
        return False
    return not _is_an_example(found[0])


def _is_an_example(text: bytes) -> bool:
    """Documentation has keys, too: ``AKIAIOSFODNN7EXAMPLE``, ``ghp_xxxxxxxx…``."""
    return b"EXAMPLE" in text.upper() or len(set(text[-16:])) <= 4


_NAMES: tuple[tuple[str, str], ...] = (
    (".env", "variables of an environment"),
    (".env.*", "variables of an environment"),
    ("id_rsa", "a private key"),
    ("id_dsa", "a private key"),
    ("id_ecdsa", "a private key"),
    ("id_ed25519", "a private key"),
    ("*.p12", "a store of keys"),
    ("*.pfx", "a store of keys"),
    ("*.jks", "a store of keys"),
    ("*.keystore", "a store of keys"),
    ("*.kdbx", "a store of passwords"),
    (".pgpass", "passwords"),
    (".netrc", "passwords"),
    ("_netrc", "passwords"),
    (".pypirc", "passwords"),
    (".git-credentials", "passwords"),
    (".htpasswd", "passwords"),
    (".vault_pass*", "a password"),
    ("terraform.tfstate", "the state of Terraform, which has secrets in clear"),
    ("terraform.tfstate.backup", "the state of Terraform, which has secrets in clear"),
    ("*.dump", "a dump of a database"),
    ("dump.rdb", "a dump of a database"),
    ("*.sql.gz", "a dump of a database"),
    ("db.sqlite3", "a database"),
)
_IN_FOLDERS = (("*.aws/credentials", "keys of AWS"), ("*.docker/config.json", "passwords"), ("*.kube/config", "keys"))
_SAMPLES = ("example", "sample", "template", "dist", "defaults", "schema")


def never_travels(path: str) -> str | None:
    """What a file is that belongs into no release, by its name; ``None``: nothing that one can tell."""
    name = path.rpartition("/")[2].lower()
    if any(name.endswith(f".{sample}") for sample in _SAMPLES):
        return None
    return next(
        (
            what
            for patterns, text in ((_NAMES, name), (_IN_FOLDERS, path.lower()))
            for pattern, what in patterns
            if fnmatchcase(text, pattern)
        ),
        None,
    )


_DUMPS = (b"-- PostgreSQL database dump", b"-- MySQL dump", b"-- MariaDB dump")
_ROWS = (b"\nCOPY ", b"\nINSERT INTO ")


def is_dump(content: bytes) -> bool:
    """Whether a file that begins so is a dump of a database with rows in it; a schema alone is none."""
    if content.startswith(b"PGDMP"):
        return True
    return any(head in content[:300] for head in _DUMPS) and any(rows in content for rows in _ROWS)
