"""What an ssh_config says about a host, as far as we heed it; and the file itself, with what it includes.

``said`` is paramiko's look-up: options in lower case, ``HostName`` and the like filled in. Heeded are HostName, User,
Port, IdentityFile, IdentitiesOnly, ProxyJump, ProxyCommand, ConnectTimeout, HostKeyAlias, UserKnownHostsFile and
GlobalKnownHostsFile; StrictHostKeyChecking is not: host keys are always verified.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from paramiko import SSHConfig

from ...errors import SettingsError

Said = Mapping[str, str]

_EVERYONE = Path("/etc/ssh")
_DEEPEST = 16
"""How deep files may include each other; ssh's own bound."""


def ssh_config(file: Path | None) -> SSHConfig:
    """``file``, or the user's and the system's. Raises ``SettingsError`` when one cannot be read or understood."""
    found = SSHConfig()
    for path in [file] if file else [Path.home() / ".ssh" / "config", _EVERYONE / "ssh_config"]:
        if path.is_file():
            try:
                found.parse(_lines(path, _EVERYONE if path.is_relative_to(_EVERYONE) else Path.home() / ".ssh"))
            except Exception as error:  # paramiko's ConfigParseError is no SSHException
                raise SettingsError([f"{path}: {error}"], do="mend that file; `ssh -G HOST` reads it too") from error
    return found


def _lines(path: Path, base: Path, depth: int = 0) -> list[str]:
    """The lines of a file, each ``Include`` replaced by what it names. Then its block goes on."""
    lines, block = [], "Host *"
    for line in path.read_text(errors="replace").splitlines():
        keyword, _, rest = re.sub(r"\s*=\s*|\s+", " ", line.strip(), count=1).partition(" ")
        if keyword.lower() in ("host", "match"):
            block = line
        if keyword.lower() != "include" or depth >= _DEEPEST:
            lines.append(line)
            continue
        for pattern in shlex.split(rest):
            for included in sorted(_named(pattern, base)):
                lines += [*_lines(included, base, depth + 1), block]
    return lines


def _named(pattern: str, base: Path) -> list[Path]:
    path = base / Path(pattern).expanduser()
    return [one for one in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if one.is_file()]


def hops(said: Said) -> list[str]:
    """The hosts to jump through, the nearest to us first."""
    jumps = said.get("proxyjump", "none")
    return [] if jumps.lower() == "none" else [hop.strip().removeprefix("ssh://") for hop in jumps.split(",")]


def command(said: Said) -> str | None:
    """The command whose stdin and stdout are the way to the host."""
    given = said.get("proxycommand", "none")
    return None if given.lower() == "none" else given


def limit(said: Said) -> float:
    """Seconds that connecting may take; infinite when nothing is said."""
    given = said.get("connecttimeout", "")
    return float(given) if given.isdecimal() and int(given) else float("inf")


def identities(said: Mapping[str, list[str]]) -> list[Path]:
    """The files of private keys."""
    return [Path(file).expanduser() for file in said.get("identityfile", []) if file.lower() != "none"]


def only_identities(said: Said) -> bool:
    """Whether the agent may offer only the keys that are named."""
    return said.get("identitiesonly", "no").lower() == "yes"


def key_name(said: Said, host: str, port: int) -> str:
    """The name of a host in files of host keys: ``host``, or ``[host]:port`` when the port is not 22."""
    return said.get("hostkeyalias") or (host if port == 22 else f"[{host}]:{port}")


def known_hosts(said: Said) -> list[Path]:
    """The files of host keys, the user's first."""
    own = said.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
    everyone = said.get("globalknownhostsfile", f"{_EVERYONE}/ssh_known_hosts {_EVERYONE}/ssh_known_hosts2")
    paths = [file.replace("%d", "~") for file in shlex.split(f"{own} {everyone}") if file.lower() != "none"]
    return [Path(path).expanduser() for path in paths]
