"""Hosts that are reached over SSH, for tests: OpenSSH servers in network namespaces, or asyncssh in this process.

With namespaces each host has an address of its own in a private range, its own folder at ``/srv``, and a link that can
be cut. Everything else of this machine is visible on all of them. Without (no root, no sshd, no ``ip``) the hosts
are SSH servers on loopback ports of this process, whose ``root`` is a folder of their own each.

The test reaches the hosts' addresses directly, and the hosts reach each other, and ``Lab.here``, where the test is.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lab.labhost import Lab, LabHost, clean_up, keypair
from lab.parts import lacking

__all__ = ["Lab", "LabHost", "hosts"]


@contextlib.contextmanager
def hosts(folder: Path, count: int, *, real: bool | None = None) -> Iterator[Lab]:
    """``count`` hosts ``h1``, ``h2``, … with their files below ``folder``; all is gone at the end.

    ``real``: ``True`` demands OpenSSH in namespaces, ``False`` the servers in this process; ``None`` takes what can be
    had (where all parts must be there, as in CI: OpenSSH).
    """
    can_be_real = _can_be_real()
    if not can_be_real and (real or (os.environ.get("DEPLOYTASKS_PARTS") == "required" and real is None)):
        lacking("OpenSSH servers in network namespaces need root, sshd, ip and the right to make a namespace")
    folder.mkdir(parents=True, exist_ok=True)
    if can_be_real and real is not False:
        from lab.namespaces import Namespaces as Kind
    else:
        from lab.inprocess import InProcess as Kind
    lab = Kind(folder, getpass.getuser(), keypair(folder / "key"))
    with clean_up(lab):
        lab.open(count)
        yield lab


def _can_be_real() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(name, path=_PATH) for name in ("sshd", "ip", "unshare", "mount")):
        return False
    with contextlib.suppress(OSError, ValueError):
        effective = next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line)
        needed = 1 << 21 | 1 << 12  # CAP_SYS_ADMIN makes namespaces, CAP_NET_ADMIN links
        return int(effective.split()[1], 16) & needed == needed
    return False


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
