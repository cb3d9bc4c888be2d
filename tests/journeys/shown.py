"""The commands that the documentation shows, as a reader would type them one after the other."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from journeys.environment import PACKAGE, Done, Environment

SHELL = ("", "console", "sh", "bash", "shell")
"""Languages of blocks that are typed; a block of any other one is a file, or what a command printed."""
WORDS = ("inv", "git", "python", "python3", "pip", "aws", "gh", "cd", "kill", "ssh-keygen")
"""What a line begins with that somebody types."""
_FENCE = re.compile(r"^\s*(?:```|~~~)\s*(\S*)")
_TYPED = re.compile(rf"^(?:\$ )?((?:{'|'.join(WORDS)})(?: .*|$))")
_DEPLOYMENT = re.compile(r"20261123-101500-ab12cd")
_DIGEST = re.compile(r"(?<=--expect )[0-9a-f]{12,}")
T = TypeVar("T")
D = TypeVar("D")
_DURATION = re.compile(r"(--for|--window) \d+m")


class Project(Protocol):
    """Where commands are typed: an ``Environment``, or less."""

    root: Path

    @property
    def variables(self) -> dict[str, str]:
        """Of every process that is started there."""
        ...

    def inv(self, *arguments: str, timeout: float = 90) -> Done:
        """Run ``inv`` to its end."""
        ...


P = TypeVar("P", bound=Project)
Typing = Callable[..., Done]
"""Types ``inv``'s arguments in another way."""


class Shown(NamedTuple):
    """A command below a heading."""

    page: str
    heading: str
    line: str


@cache
def shown(page: str) -> tuple[Shown, ...]:
    """All commands in the blocks of a page, without the comments behind them. ``page``: a path in the repository."""
    return tuple(Shown(page, heading, line) for heading, line in _lines(page))


def below(page: str, *headings: str) -> list[str]:
    """The commands below one of these headings, in their order; there are some."""
    found = [each.line for each in shown(page) if each.heading in headings]
    assert found, f"{page} shows no command below {headings}: {sorted({each.heading for each in shown(page)})}"
    return found


def _lines(page: str) -> Iterator[tuple[str, str]]:
    heading, language = "", None
    for line in (PACKAGE / page).read_text(encoding="utf-8").splitlines():
        if fence := _FENCE.match(line):
            language = fence[1] if language is None else None
        elif language is None and line.startswith("#"):
            heading = line.lstrip("# ").strip()
        elif (language in SHELL or (language is None and line.startswith("    "))) and (
            typed := _TYPED.match(line.strip())
        ):
            yield heading, re.sub(r"\s{2,}#.*|\s+#\s.*", "", typed[1]).strip()


def typed(
    project: P,
    page: str,
    *headings: str,
    codes: Mapping[str, int] | None = None,
    instead: Mapping[str, str | Callable[[P], str]] | None = None,
    more: Mapping[str, tuple[str, ...]] | None = None,
    hands: Mapping[str, Typing] | None = None,
) -> list[Done]:
    """Type every command below some headings. Each leaves with 0, or as ``codes`` says by its beginning.

    ``instead``: what stands for a value of the page here, such as a version. Minutes of a page are a second here, a
    digest is that of the head, and the deployment of a page is the last one. ``more``: options, by the beginning of a
    line, which answer beforehand what a terminal would ask. ``hands``: who types such a line, given ``inv``'s words.
    """
    done = []
    for line in below(page, *headings):
        words = [*_here(project, line, instead or {}), *_of(line, more or {}, ())]
        hand = _of(line, hands or {}, None)
        came = hand(*words[1:]) if hand else _type(project, words)
        assert came.code == _of(line, codes or {}, 0), f"{page}: {line}\n{came.said}"
        done.append(came)
    return done


def _of(line: str, known: Mapping[str, T], default: D) -> T | D:
    return next((value for beginning, value in known.items() if line.startswith(beginning)), default)


def _here(project: P, line: str, instead: Mapping[str, str | Callable[[P], str]]) -> list[str]:
    line = _DURATION.sub(r"\1 1s", line)
    if isinstance(project, Environment):
        line = _DEPLOYMENT.sub(lambda _: str(project.events("began")[-1].facts["deployment"]), line)
        line = _DIGEST.sub(lambda _: project.world.ledger.head().digest, line)
    for old, new in instead.items():
        if old in line:
            line = line.replace(old, new if isinstance(new, str) else new(project))
    return shlex.split(line)


def _type(project: Project, words: list[str]) -> Done:
    if words[0] == "inv":
        return project.inv(*words[1:], timeout=120)
    done = subprocess.run(
        words, cwd=project.root, env=project.variables, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)
