"""Tools that look at the code, and what they mean: each has its own exit codes, and its own way to see nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple


class Said(NamedTuple):
    """What a run of a tool means: ``passed``, ``found`` something, or it could not look (``silent``)."""

    answer: Literal["passed", "found", "silent"]
    lines: tuple[str, ...] = ()
    """The first findings, or why it could not look."""


class Ran(NamedTuple):
    """A run of a tool."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """What it said, without empty lines; what it printed first."""
        return [line.strip() for line in f"{self.stdout}\n{self.stderr}".splitlines() if line.strip()]


class Tool(NamedTuple):
    """A tool that is known: its module, its command by default, and how its runs are read."""

    name: str
    module: str
    command: str
    read: Callable[[Ran, Path], Said]
    asks: str = ""
    """The host without which its default command finds nothing out."""


def _read_ruff(ran: Ran, root: Path) -> Said:
    del root
    return _by_code(ran, {1}, [line for line in ran.lines if re.match(r"\S+:\d+:\d+: ", line)])


def _read_bandit(ran: Ran, root: Path) -> Said:
    del root
    found = [line for line in ran.lines if re.match(r"\S+:\d+: B\d+ ", line)]
    return _by_code(ran, {1}, found or [line for line in ran.lines if line.startswith(">> Issue:")])


def _read_pip_audit(ran: Ran, root: Path) -> Said:
    """It leaves with 0 where it could ask about no package at all, and with 1 where it could not ask."""
    del root
    try:
        packages: Sequence[Mapping[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if ran.code == 0 and "No known vulnerabilities found" in ran.stdout + ran.stderr:
            return Said("passed")
        if re.search(r"Found \d+ known vulnerabilit", ran.stdout + ran.stderr):
            return Said("found", tuple(ran.lines[-5:]))
        return Said("silent", tuple(ran.lines[-1:]))
    found = [
        f"{one['name']} {one.get('version', '')}: {', '.join(hole['id'] for hole in one['vulns'])}"
        for one in packages
        if one.get("vulns")
    ]
    if found:
        return Said("found", tuple(found))
    asked = [one for one in packages if "vulns" in one]
    if ran.code != 0 or (packages and not asked):
        return Said("silent", (f"of {len(packages)} packages, none could be asked about",))
    return Said("passed", (f"{len(asked)} of {len(packages)} packages could be asked about",))


def _read_detect_secrets(ran: Ran, root: Path) -> Said:
    """A scan leaves with 0 whatever it finds. What is in ``.secrets.baseline`` was looked at by somebody."""
    try:
        results: Mapping[str, Sequence[Mapping[str, Any]]] = json.loads(ran.stdout)["results"]
    except (ValueError, KeyError, TypeError):
        return _by_code(ran, {1}, ran.lines)  # its hook
    known = _baseline(root / ".secrets.baseline")
    found = [
        f"{file}:{one.get('line_number')}: {one.get('type')}"
        for file, ones in results.items()
        for one in ones
        if (file, one.get("hashed_secret")) not in known
    ]
    return (
        Said("found", tuple(found)) if found else Said("passed") if ran.code == 0 else _by_code(ran, set(), ran.lines)
    )


def _baseline(file: Path) -> set[tuple[str, Any]]:
    try:
        results = json.loads(file.read_bytes())["results"]
        return {(path, one["hashed_secret"]) for path, ones in results.items() for one in ones}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _by_code(ran: Ran, findings: set[int], lines: Sequence[str]) -> Said:
    """0: passed; a code that means findings: those; any other: it could not look."""
    if ran.code == 0:
        return Said("passed")
    if ran.code in findings:
        return Said("found", tuple(lines or ran.lines[-3:]))
    return Said("silent", tuple(ran.lines[-1:]))


def _read_any(ran: Ran, root: Path) -> Said:
    """A tool that nobody knows: whatever is not 0 is a finding, or no such command."""
    del root
    if ran.code in (126, 127):
        return Said("silent", tuple(ran.lines[-1:]))
    return Said("passed") if ran.code == 0 else Said("found", tuple(ran.lines[-3:]) or (f"code {ran.code}",))


RUFF = Tool("ruff", "ruff", "{python} -m ruff check --output-format concise {source}", _read_ruff)
BANDIT = Tool(
    "bandit",
    "bandit",
    "{python} -m bandit --recursive --quiet --severity-level medium --confidence-level medium --format custom"
    " --msg-template '{{relpath}}:{{line}}: {{test_id}} {{msg}}'"
    " --exclude /.git/,/.venv/,/venv/,/.tox/,/.nox/,/node_modules/,/__pycache__/,/.eggs/{bandit} {source}",
    _read_bandit,
)
PIP_AUDIT = Tool(
    "pip-audit",
    "pip_audit",
    "{python} -m pip_audit --progress-spinner off --timeout 15 --format json{requirements}",
    _read_pip_audit,
    "pypi.org",
)
DETECT_SECRETS = Tool(
    "detect-secrets", "detect_secrets", "{python} -m detect_secrets scan --no-verify {source}", _read_detect_secrets
)
_KNOWN = (RUFF, BANDIT, PIP_AUDIT, DETECT_SECRETS)

ANALYSIS: tuple[Tool, ...] = (RUFF,)
SECURITY: tuple[Tool, ...] = (BANDIT, PIP_AUDIT, DETECT_SECRETS)


def installed(tools: Sequence[Tool]) -> Sequence[Tool]:
    """Those that the interpreter which deploys could run."""
    return [tool for tool in tools if find_spec(tool.module) is not None]


def tool_of(command: str) -> Tool | None:
    """The tool that a command runs, if it is a known one."""
    words = [Path(word).name for word in command.split()]
    return next((tool for word in words for tool in _KNOWN if word in (tool.name, tool.module)), None)


def host_of(command: str) -> str:
    """The host that a default command asks; empty for one that asks none, and for what somebody configured."""
    tool = tool_of(command)
    return tool.asks if tool and command.startswith(tool.command.partition("{requirements}")[0]) else ""


def read(command: str, ran: Ran, root: Path) -> Said:
    """What a run of a command means."""
    tool = tool_of(command)
    return (tool.read if tool else _read_any)(ran, root)


def name_of(command: str) -> str:
    """What a command is called in short."""
    tool = tool_of(command)
    words = [Path(word).name for word in command.split() if word != "{python}" and not word.startswith("-")]
    return tool.name if tool else re.sub(r"[^A-Za-z0-9._-]", "_", words[0] if words else "command")[:40]


def filled_in(command: str, root: Path, source: str) -> str:
    """A default command with what it leaves open: the project's own settings of bandit, its files of requirements."""
    own = root / "pyproject.toml"
    has_settings = own.exists() and "[tool.bandit" in own.read_text(encoding="utf-8", errors="replace")
    files = sorted({*(root / source).glob("requirements*.txt"), *root.glob("requirements*.txt")})
    names = [str(file.relative_to(root)) if file.is_relative_to(root) else str(file) for file in files]
    from shlex import quote

    requirements = "".join(f" --requirement {quote(name)}" for name in names)
    command = command.replace("{bandit}", " --configfile pyproject.toml" if has_settings else "")
    return command.replace("{requirements}", requirements or " --local --skip-editable")
