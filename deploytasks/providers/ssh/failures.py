"""What can go wrong on the way to a host, in words that say which host, what, and what to do."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from paramiko.ssh_exception import AuthenticationException, ChannelException, NoValidConnectionsError, SSHException

from ...errors import DeployError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING_SENT = "nothing was sent to it"


class HostKeyRefused(Unreachable):
    """The host's key is not the known one, or none is known: nobody knows who answered. No password, no command and
    no proof of our key was given to it."""


class LoginRefused(Unreachable):
    """The host answered and is who it should be, but does not let us in."""


class ConnectionLost(Unreachable):
    """The connection stood, and broke."""


class NotLetIn(AuthenticationException):
    """No key was taken. ``do``: what would help."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.do = do


def cannot_connect(name: str, where: str, error: BaseException, seconds: float, *, is_late: bool) -> DeployError:
    """The error to raise for whatever ended a connection that did not stand yet.

    ``name``: of the host for people; ``where``: ``user@host:port``. ``is_late``: whether the time was up.
    """
    if isinstance(error, DeployError):
        return error
    do = "check that it runs, that sshd listens there, and the firewalls to it"
    if is_late or isinstance(error, TimeoutError):
        return Unreachable(f"{name}: {where}: no connection after {seconds:.1f} s", state=NOTHING_SENT, do=do)
    if isinstance(error, NotLetIn):
        return LoginRefused(f"{name}: {where}: {error}", state="no command was sent to it", do=error.do)
    what = said(error)
    if isinstance(error, socket.gaierror):
        what, do = f"the name is unknown ({error.strerror})", "check the name in `hosts` and in the ssh_config"
    elif isinstance(error, ChannelException):
        what, do = f"its gateway cannot reach it: {error.text}", "check that the gateway may forward, and reaches it"
    return Unreachable(f"{name}: {where}: {what}", state=NOTHING_SENT, do=do)


@contextmanager
def by_gateway(name: str) -> Iterator[None]:
    """Say of an error that it is about the gateway of this host."""
    try:
        yield
    except Unreachable as error:
        raise type(error)(f"{name}: its gateway: {error.what}", state=error.state, do=error.do) from error


def said(error: BaseException) -> str:
    """What an error of paramiko or of the system says, in one line."""
    if isinstance(error, NoValidConnectionsError):
        return said(next(iter(error.errors.values())))
    if isinstance(error, OSError) and error.errno:
        known = {errno.ECONNREFUSED: "it refuses connections", errno.EHOSTUNREACH: "there is no way to it"}
        return known.get(error.errno) or error.strerror or os.strerror(error.errno)
    if "protocol banner" in str(error):
        return "it closed the connection before its greeting (MaxStartups in its sshd_config, or a firewall?)"
    if isinstance(error, EOFError) or (isinstance(error, SSHException) and not str(error)):
        return "it closed the connection"
    return " ".join(str(error).split()) or type(error).__name__
