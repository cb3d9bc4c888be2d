"""With which keys to log in, in which order, and what was tried when none was taken."""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from paramiko import Agent, PKey
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy
from paramiko.ssh_exception import AuthenticationException, BadAuthenticationType, SSHException

from .failures import NotLetIn

if TYPE_CHECKING:
    from paramiko.transport import Transport

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")


class Key(AuthSource):
    """A key to try. ``label`` is what people call it: its file, or the agent's comment."""

    def __init__(self, username: str, label: str, key: PKey) -> None:
        super().__init__(username)
        self.label = label
        self.key = key

    def authenticate(self, transport: Transport) -> list[str]:
        """Log in with it. Raises paramiko's ``AuthenticationException``."""
        left: list[str] = transport.auth_publickey(self.username, self.key)
        if left:
            raise AuthenticationException(f"it also wants {', '.join(left)}")
        return left


class Keys(AuthStrategy):
    """The files that are named, then the agent's keys; the usual ones of ``~/.ssh`` when no file is named.

    A file with a passphrase cannot be opened here: its key is taken from the agent, tried before the agent's others.
    ``only_these``: no key of the agent but those of the named files, as ``IdentitiesOnly`` says.
    """

    def __init__(self, username: str, files: Sequence[Path], *, only_these: bool = False, agent: bool = True) -> None:
        super().__init__(ssh_config=None)
        self.username = username
        self._named = tuple(files)
        self._files = self._named or tuple(Path.home() / ".ssh" / name for name in _USUAL)
        self._only_these = only_these
        self._has_agent = agent
        self._unusable: list[str] = []

    def get_sources(self) -> Generator[Key, None, None]:
        """The keys, in the order in which they are tried."""
        wanted = []
        for file in self._files:
            try:
                yield Key(self.username, str(file), _load(file, file.stat().st_mtime_ns))
            except FileNotFoundError:
                if file in self._named:
                    self._unusable.append(f"{file} (not there)")
            except TypeError:  # what cryptography raises when there should have been a passphrase
                wanted.append(_public(file))
                self._unusable.append(f"{file} (has a passphrase)")
            except (OSError, ValueError, SSHException) as error:
                self._unusable.append(f"{file} ({error})")
        if self._has_agent:
            yield from self._agents([blob for blob in wanted if blob])

    def _agents(self, first: Sequence[bytes]) -> Generator[Key, None, None]:
        try:
            agent = Agent()
        except (OSError, SSHException):
            return
        try:
            keys = sorted(agent.get_keys(), key=lambda key: key.asbytes() not in first)
            for key in keys:
                if not self._only_these or key.asbytes() in first:
                    yield Key(self.username, f"the agent's {key.comment or key.get_name()}", key)
        finally:
            agent.close()

    def authenticate(self, transport: Transport) -> AuthResult:
        """Log in. Raises ``NotLetIn`` with all that was tried."""
        tried: list[str] = []
        with closing(self.get_sources()) as sources:
            for key in sources:
                try:
                    key.authenticate(transport)
                except BadAuthenticationType as error:
                    raise self._refused([], f"it takes no keys, only {', '.join(error.allowed_types)}") from error
                except AuthenticationException as error:
                    plain = str(error).startswith("Authentication failed")
                    tried.append(key.label if plain else f"{key.label} ({error})")
                else:
                    return AuthResult(self)
                if not transport.is_active():
                    raise self._refused(tried, "it closed the connection (too many keys?)")
        raise self._refused(tried, "")

    def _refused(self, tried: Sequence[str], why: str) -> NotLetIn:
        refused = f"it does not take {', '.join(tried)}" if tried else "" if why else "there is no key to try"
        unusable = f"could not use {', '.join(self._unusable)}" if self._unusable else ""
        text = "; ".join(part for part in (refused, why, unusable) if part)
        locked = any("passphrase" in one for one in self._unusable)
        do = "`ssh-add` the key: passphrases are not asked for" if locked else _AUTHORIZE
        return NotLetIn(f"no log-in as {self.username}: {text}", do)


_AUTHORIZE = "set `ssh.key` and `ssh.user`, and check the user's ~/.ssh/authorized_keys on the host"


@lru_cache(maxsize=64)
def _load(file: Path, changed_at: int) -> PKey:  # part of the cache's key
    """A private key, and its certificate if that lies beside it. 100 hosts share one."""
    return PKey.from_path(file)


def _public(file: Path) -> bytes | None:
    """The public half that lies beside a private key."""
    with suppress(OSError, IndexError, ValueError):
        return base64.b64decode(file.with_name(file.name + ".pub").read_text().split()[1])
    return None
