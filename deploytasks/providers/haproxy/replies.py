"""What is said to HAProxy's runtime API, and what its answers mean. Pure; see its management guide, 9.3.

A command that changes something answers nothing when it was done; anything else is a refusal in words. One
connection takes one line (or one command with a payload) and is closed after the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ... import redaction
from ...errors import Unreachable
from .keys import Keys, lines

OLDEST = (2, 4)
"""The first version whose maps can be replaced as a whole."""
_VERSION = re.compile(r"^New version created: (\d+)$", re.MULTILINE)
_ENTRY = re.compile(r"^0x[0-9a-f]+ (\S+) ?(.*)$")


def show(table: str) -> str:
    """Ask for the lines of a map."""
    return f"show map {table}\n"


def prepare(table: str) -> str:
    """Ask for the number of a new version of a map."""
    return f"prepare map {table}\n"


def add(table: str, version: int, keys: Keys) -> str:
    """Fill a new version: nobody sees it yet."""
    return f"add map @{version} {table} <<\n{lines(keys)}\n"


def commit(table: str, version: int) -> str:
    """Put a version in force, all its lines at once."""
    return f"commit map @{version} {table}\n"


def entries(reply: str) -> dict[str, str]:
    """The answer to ``show``. Raises ``Unreachable`` when it is something else."""
    found: dict[str, str] = {}
    for line in filter(None, reply.splitlines()):
        match = _ENTRY.match(line)
        if match is None:
            raise refused("show map", line)
        found.setdefault(match[1], match[2])
    return found


def version(reply: str) -> int:
    """The answer to ``prepare``. Raises ``Unreachable`` when it is something else."""
    match = _VERSION.search(reply)
    if match is None:
        raise refused("prepare map", reply)
    return int(match[1])


def done(command: str, reply: str) -> None:
    """Raise ``Unreachable`` unless a command that changes something was carried out."""
    if reply.strip():
        raise refused(command.partition("\n")[0], reply)


def rows(reply: str) -> Sequence[Mapping[str, str]]:
    """The answer to ``show stat``. Raises ``Unreachable`` when it is something else."""
    if not reply.startswith("# pxname,"):
        raise refused("show stat", reply)
    import csv  # a rollback does not need it

    return list(csv.DictReader(reply[2:].strip().splitlines()))


def facts(reply: str) -> Mapping[str, str]:
    """The answer to ``show info``: ``Version``, ``Pid``, and so on."""
    pairs = (line.partition(":") for line in reply.splitlines())
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if "Version" not in found:
        raise refused("show info", reply)
    return found


def numbers(version: str) -> tuple[int, ...]:
    """``2.6.12-1+deb12u4`` as ``(2, 6)``."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def refused(command: str, reply: str) -> Unreachable:
    """An answer that is no success, with what can be done about the usual ones."""
    said = next((line.strip() for line in reply.splitlines() if line.strip()), "nothing")
    return Unreachable(f"haproxy answered {command!r} with: {redaction.excerpt(said, 200)}", do=_remedy(said))


def _remedy(said: str) -> str:
    if said.startswith("Unknown map"):
        return "name the map in haproxy.cfg as traffic.map does; see docs/haproxy.md"
    if said.startswith("Permission denied"):
        return "give the stats socket `level admin` in haproxy.cfg"
    if said.startswith("Unknown command"):
        return "HAProxy 2.4 or newer is needed"
    return "`inv doctor` says what is wrong with it"
