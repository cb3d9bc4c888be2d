"""The one policy about host keys: what is not known is refused."""

from __future__ import annotations

from typing import TypeVar

from paramiko import MissingHostKeyPolicy, PKey, SSHClient, Transport

from .failures import NOTHING_SENT, HostKeyRefused
from .known_hosts import KnownHosts, KnownKey, fingerprint

T = TypeVar("T", bound=Transport)

_FAMILY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}
"""A type of key → the signature algorithms under which a server offers it."""


class Known(MissingHostKeyPolicy):
    """Accepts a key that the files name for this host, and nothing else.

    The client is given no keys of its own, so that it asks this policy about every key. ``label`` is the host's name
    for people, ``name`` the one in the files.
    """

    def __init__(self, hosts: KnownHosts, name: str, label: str) -> None:
        self._hosts = hosts
        self._name = name
        self._label = label
        self._keys = hosts.of(name)

    def prefer(self, transport: T) -> T:
        """Have the server asked for a key of a type that is known, when it has several. The transport is returned."""
        options = transport.get_security_options()
        known = [algorithm for key in self._keys for algorithm in _FAMILY.get(key.type, (key.type,))]
        first = [one for one in dict.fromkeys(known) if one in options.key_types]
        options.key_types = [*first, *(one for one in options.key_types if one not in first)]
        return transport

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Return when the key is known; raise ``HostKeyRefused`` otherwise."""
        blob = key.asbytes()
        same = [one for one in self._keys if one.blob == blob]
        if any(one.revoked for one in same):
            raise self._refused("its host key was revoked", key, f"found in {_place(same[0])}", _RENEW)
        if same:
            return
        expected = [one for one in self._keys if not one.revoked]
        if not expected:
            raise self._refused("its host key is not known", key, f"looked in {self._hosts.shown}", self._add())
        of_type = [one for one in expected if one.type == key.get_name()] or expected
        known = ", ".join(f"{one.type} {fingerprint(one.blob)} ({_place(one)})" for one in of_type)
        raise self._refused("its host key is not the known one", key, f"expected {known}", self._renew(of_type[0]))

    def _refused(self, what: str, key: PKey, where: str, do: str) -> HostKeyRefused:
        presented = f"{key.get_name()} {fingerprint(key.asbytes())}"
        text = f"{self._label}: {what}: {self._name} presents {presented}; {where}"
        return HostKeyRefused(text, state=NOTHING_SENT, do=do)

    def _add(self) -> str:
        file = self._hosts.files[0] if self._hosts.files else "a file named by `known_hosts`"
        return f"{_COMPARE}; if it is the same, add what `{self._scan()}` prints to {file}, or set `ssh.known_hosts`"

    def _renew(self, old: KnownKey) -> str:
        return (
            f"find out why it changed: a host that was set up anew has a new key, and so has an impostor. {_COMPARE}; "
            f"only if it is the same: `ssh-keygen -R '{self._name}' -f {old.file}`, then add what "
            f"`{self._scan()}` prints"
        )

    def _scan(self) -> str:
        host, _, port = self._name.rpartition("]:")
        return f"ssh-keyscan -p {port} {host[1:]}" if host else f"ssh-keyscan {self._name}"


_COMPARE = "compare the fingerprint with what `ssh-keygen -lf /etc/ssh/ssh_host_<type>_key.pub` says on its own console"
_RENEW = "give the host a new key, and its line in that file"


def _place(key: KnownKey) -> str:
    return f"{key.file} line {key.line}"
