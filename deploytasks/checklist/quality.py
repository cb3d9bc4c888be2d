"""Code quality: how much the tests reach, what the static analysis says, and what scans for security holes find."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import durable, redaction
from ..errors import DeployError, Unreachable, UsageError
from . import coverage, evidence, network, tools
from .item import Answer, Found, Item

if TYPE_CHECKING:
    from invoke.runners import Result

    from ..ports import Release
    from ..world import World
    from .subject import Subject

LONGEST = 600.0
"""Seconds for one command."""
_TOLD = 3
"""Findings of one command in the evidence; its report has all of them."""


# -- coverage ------------------------------------------------------------------


def covered_enough(of: Subject) -> Found:
    """The report of the tests' reach is about this content, and is above the limit."""
    wanted = of.gates.coverage
    if wanted is None:
        answer: Answer = "warn" if of.world.settings.level == "production" else "not applicable"
        return Found(answer, "no reach of the tests is asked for (`gates.coverage`)")
    if of.release is None:
        return Found("pending", "no release yet")
    file = of.world.site.path(wanted.file)
    try:
        found = coverage.read(file)
    except FileNotFoundError:
        return _to_come(of, f"there is no {wanted.file}: run the tests with coverage, then `coverage xml`")
    except OSError as error:
        return Found("fail", f"cannot read {wanted.file}: {error.strerror or error}")
    old = _why_old(of.world, of.release, found.at)
    if old:
        return _to_come(of, f"{wanted.file} is of {found.at:%Y-%m-%d %H:%M} UTC, {old}: run the tests again")
    enough = found.share >= wanted.least
    return Found(
        "pass" if enough else "fail",
        f"{found}; at least {wanted.least * 100:g} % {'are' if enough else 'must be'} reached",
    )


def _to_come(of: Subject, what: str) -> Found:
    """Pending while the tests of this content, which may write the report, have not run."""
    assert of.release is not None
    command = of.world.settings.tests
    if command is None:
        return Found("fail", what)
    about = evidence.key(of.release.digest, command)
    ran = evidence.fresh(of.standing, "tests", about, of.world.clock.now())
    return Found("fail" if ran else "pending", what)


def _why_old(world: World, release: Release, at: datetime) -> str:
    """Why a report of this instant is not about this release; empty when it is.

    It is, when the release is what is checked out, and the report is younger than its commit, or than every file.
    """
    from ..release import git

    try:
        top = git.top(world.site.root)
        if git.head(top) != release.commit:
            return f"about what is checked out, not about {release.version}"
        committed = datetime.fromtimestamp(int(git.line(top, "show", "-s", "--format=%ct", release.commit)), UTC)
    except UsageError as error:
        return f"and cannot be compared: {error.what}"
    if not release.dirty and at >= committed.replace(microsecond=0):
        return ""
    newest = _newest(top, world.site.root / world.settings.source)
    return "" if newest is not None and at >= newest else "older than the code"


def _newest(top: Path, source: Path) -> datetime | None:
    """When the last change of a file that git knows, or would, was written."""
    from ..release import git

    names = git.items(source if source.is_dir() else top, "ls-files", "-co", "--exclude-standard", "-z")
    times = [file.lstat().st_mtime for name in names if (file := source / name).exists()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


# -- commands ------------------------------------------------------------------


class _Command(NamedTuple):
    """A command to run, and what its runs are called in the evidence."""

    name: str
    line: str


def analyzed(of: Subject) -> Found:
    """The static analysis finds nothing in this content."""
    return _clean(of, "code.analysis", of.gates.analysis, tools.ANALYSIS)


def secure(of: Subject) -> Found:
    """The scans for security holes find nothing in this content."""
    return _clean(of, "code.security", of.gates.security, tools.SECURITY)


def _clean(of: Subject, item: str, given: Sequence[str] | None, by_default: Sequence[tools.Tool]) -> Found:
    """All commands of an item ran on this content, and found nothing."""
    if given is not None and not given:
        return Found("warn", "nothing looks at the code: the list of commands is empty")
    usable = tools.installed(by_default)
    names = ", ".join(tool.name for tool in by_default)
    if given is None and not usable:
        answer: Answer = "needs a signature" if of.world.settings.level == "production" else "warn"
        what = f"nothing looks at the code: install {names}, or name commands in `gates.{item[5:]}`"
        return Found(answer, what)
    if of.release is None:
        return Found("pending", "no release yet")
    root, source = of.world.site.root, of.world.settings.source
    commands = given if given is not None else [tools.filled_in(tool.command, root, source) for tool in usable]
    found = [_looked(of, item, command) for command in _named(commands)]
    missing = [] if given is not None else [tool.name for tool in by_default if tool not in usable]
    also = f"; not installed: {', '.join(missing)}" if missing else ""
    return _together(found, also)


def _together(found: Sequence[Found], also: str) -> Found:
    """The worst answer, with the evidence of those that gave it."""
    answers: tuple[Answer, ...] = ("fail", "pending")
    for answer in answers:
        worst = [one.evidence for one in found if one.answer == answer]
        if worst:
            return Found(answer, "; ".join(worst) + also)
    return Found("pass", "; ".join(one.evidence for one in found) + also)


def _named(commands: Sequence[str]) -> Iterator[_Command]:
    """Each command with a name of its own: two runs of one tool are ``ruff`` and ``ruff-2``."""
    seen: dict[str, int] = {}
    for line in commands:
        name = tools.name_of(line)
        seen[name] = seen.get(name, 0) + 1
        yield _Command(name if seen[name] == 1 else f"{name}-{seen[name]}", line)


def _looked(of: Subject, item: str, command: _Command) -> Found:
    """What a command said about this content: as the ledger has it, or by running it now."""
    assert of.release is not None
    world = of.world
    name, about = f"{item} {command.name}", evidence.key(of.release.digest, command.line)
    known = evidence.fresh(of.standing, name, about, world.clock.now())
    if known is not None and (known.ok or not of.thorough):
        return Found("pass" if known.ok else "fail", f"{known.detail} ({known.at:%Y-%m-%d %H:%M} UTC)")
    if not of.thorough:
        do = f"`inv checklist --env {world.settings.name}` runs it"
        return Found("pending", f"{command.name} has not looked at this content within 24 h: {do}")
    if not is_checked_out(world, of.release):
        return Found(
            "fail", f"{command.name} can look only at what is checked out, and that is not {of.release.version}"
        )
    return _run(world, of.release, item, command)


def is_checked_out(world: World, release: Release, beside: Path | None = None) -> bool:
    """Whether a release is what lies in the work tree: the only thing that a command can look at. ``beside``: a file of
    ours that is no change to it."""
    from ..release import artifact, git

    try:
        top = git.top(world.site.root)
        if git.head(top) != release.commit:
            return False
        exclude = artifact.left_out(top, world.artifacts, beside)
        return release.dirty or not git.is_dirty(top, _inside(world, top), exclude)
    except UsageError:
        return False


def _inside(world: World, top: Path) -> str:
    source = (world.site.root / world.settings.source).resolve()
    return source.relative_to(top.resolve()).as_posix() if source.is_relative_to(top.resolve()) else "."


def _run(world: World, release: Release, item: str, command: _Command) -> Found:
    if (host := tools.host_of(command.line)) and not network.takes_connections(host):
        return Found("fail", f"unreachable: {command.name} asks {host}, which takes no connection")
    ran = _output(world, command)
    said = tools.read(command.line, ran, world.site.root)
    report = _report(world, release, item, command, ran)
    first = "; ".join(str(redaction.clean(line))[:120] for line in said.lines[:_TOLD])
    if said.answer == "silent":
        return Found("fail", f"unreachable: {command.name} could not look: {first or f'code {ran.code}'} ({report})")
    more = f"; and {len(said.lines) - _TOLD} more" if len(said.lines) > _TOLD else ""
    what = f"{command.name}: {first}{more}" if said.answer == "found" else f"{command.name} found nothing"
    if said.answer == "passed" and first:
        what += f", {first}"
    detail = redaction.clean(f"{what} ({report})")
    is_clean = said.answer == "passed"
    about = evidence.key(release.digest, command.line)
    world.note("evidence", item=f"{item} {command.name}", key=about, ok=is_clean, detail=detail)
    return Found("pass" if is_clean else "fail", detail)


def _output(world: World, command: _Command) -> tools.Ran:
    """Run it in the project's folder. Raises ``Unreachable`` when it is not done in time."""
    from invoke.context import Context
    from invoke.exceptions import CommandTimedOut

    words = {"{python}": sys.executable, "{source}": world.settings.source}
    line = command.line
    for placeholder, value in words.items():
        line = line.replace(placeholder, shlex.quote(value))
    line = line.replace("{{", "{").replace("}}", "}")
    there = f"cd {shlex.quote(str(world.site.root))} || exit\n"
    context = world.site.context or Context()
    try:
        result: Result | None = context.run(
            there + line, hide=True, warn=True, in_stream=False, pty=False, timeout=LONGEST, env={"NO_COLOR": "1"}
        )
    except CommandTimedOut as error:
        raise Unreachable(f"{command.name} was not done after {LONGEST:g} s", do="name a faster command") from error
    assert result is not None  # only a disowned command has none
    return tools.Ran(result.exited, result.stdout, result.stderr)


def _report(world: World, release: Release, item: str, command: _Command, ran: tools.Ran) -> str:
    """Keep all that a command said, for its owner alone. The file as seen from the project, and its SHA-256, in
    short."""
    folder = world.site.folder / "reports"
    name = f"{item}-{command.name}-{release.digest[:12]}.txt"
    head = (
        f"$ {command.line}\n# {release.version} {release.commit} {release.digest}\n"
        f"# {world.clock.now():%Y-%m-%d %H:%M:%S} UTC, code {ran.code}\n"
    )
    content = redaction.clean(f"{head}\n{ran.stdout}\n{ran.stderr}".rstrip() + "\n").encode("utf-8", "replace")
    try:
        durable.make_folder(folder, 0o700)
        with durable.written_aside(folder, content, 0o600) as aside:
            aside.replace(folder / name)
    except OSError as error:
        raise DeployError(f"cannot write {folder / name}: {error.strerror or error}") from error
    inside = folder.is_relative_to(world.site.root)
    shown = (folder.relative_to(world.site.root) if inside else Path(folder.name)) / name
    return f"{shown}, sha256 {hashlib.sha256(content).hexdigest()[:12]}"


ITEMS = (
    Item("code.coverage", "The tests reach enough of the code", covered_enough, "staging"),
    Item("code.analysis", "The static analysis finds nothing", analyzed, "staging"),
    Item("code.security", "No known security hole is in it", secure, "staging"),
)
