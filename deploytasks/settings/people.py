"""Who signs, with which keys, and under which name people are recorded."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from .base import Value
from .environment import Text
from .web_access import VariableName


class Signers(Value):
    """Whose signatures count."""

    file: Text = "allowed_signers"
    """The allowed-signers file of ``ssh-keygen(1)``: who, and with which keys. Committed. Relative to the project."""
    revoked: Text | None = None
    """Keys that count no longer: public keys, one in a line, or a revocation list. Committed, like ``file``."""
    key: Text | None = None
    """The key to sign with, or its public half when an agent holds it; by default the first one that ``file`` has: of
    git's ``user.signingkey``, those of the agent, and those in ``~/.ssh``."""


class People(Value):
    """Under which name people are recorded."""

    pseudonyms: bool = False
    """Whether the ledger names people and their machines by a stable id only, which a file outside of it translates."""
    key_from: VariableName | None = None
    """The environment variable with the key from which ids are made: the same for everybody who deploys."""
    file: Text = "people.json"
    """The translation, relative to the state folder of the application, readable for its owner only."""

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if self.pseudonyms and self.key_from is None:
            raise ValueError("`pseudonyms` needs `key_from`: without a key anybody could work the names out again")
        return self
