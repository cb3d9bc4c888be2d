"""By which key an incident is ours. What opens one and what meets it later agree here."""

from __future__ import annotations

import hashlib

LONGEST = 255
"""Characters of a ``dedup_key``."""
_READABLE = 180
"""Characters of a prefix that leave room for the id of any deployment."""


def prefix(application: str, environment: str) -> str:
    """What all keys of an environment begin with. Names that are too long for a key are told by their digest."""
    found = f"deploy/{application}/{environment}/"
    return found if len(found) <= _READABLE else f"deploy/{hashlib.sha256(found.encode()).hexdigest()}/"


def dedup_key(application: str, environment: str, deployment: str) -> str:
    """The key of the one incident that a deployment may open."""
    return f"{prefix(application, environment)}{deployment}"[:LONGEST]
