"""A plan as a file: what people approve, and what is carried out then and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import durable, redaction
from ..engine.plan import Plan, digest_of, from_json
from ..errors import GateRefused, Unreachable, UsageError
from ..ports import Release

if TYPE_CHECKING:
    from ..engine.step import Step

FORMAT = 1
_MOST = 20_000_000
"""Bytes."""


class Wanted(NamedTuple):
    """What was asked for on the command line, so that the same is planned again."""

    hotfix: bool = False
    older: str = ""
    """Why a version older than the live one may go out."""
    target: str | None = None
    redeploy: bool = False


class PlanFile(NamedTuple):
    """A plan that was written down. ``content`` is what its digest is of."""

    application: str
    environment: str
    version: str
    digest: str
    author: str
    made_at: datetime
    wanted: Wanted
    content: Mapping[str, Any]
    statement: str = ""
    signature: str = ""

    @property
    def release(self) -> Release:
        """What it brings."""
        return Release(*self.content["plan"]["release"])

    def rendered(self) -> tuple[Plan, Sequence[tuple[Step, Sequence[Sequence[str]]]]]:
        """The plan, and each of its steps with the texts of its calls."""
        from ..steps import KINDS

        plan = from_json(self.content["plan"], KINDS)
        return plan, list(zip(plan.steps, self.content["calls"], strict=True))

    def to_json(self) -> dict[str, Any]:
        """As it is written: first what people look for, then all of it."""
        head = {
            "format": FORMAT,
            "application": self.application,
            "environment": self.environment,
            "version": self.version,
            "hotfix": self.wanted.hotfix,
            "digest": self.digest,
            "author": self.author,
            "made_at": self.made_at.isoformat(),
            "wanted": self.wanted._asdict(),
        }
        proof = {"statement": self.statement, "signature": self.signature} if self.signature else {}
        return {**head, **proof, "plan": self.content["plan"], "calls": self.content["calls"]}


def require_writable(found: PlanFile, file: Path) -> None:
    """Refuse a plan with a secret in it, and a file that is something else than an older plan."""
    document = found.to_json()
    if redaction.clean(document) != document:
        raise UsageError(
            "the plan holds the value of a secret",
            state="nothing was written",
            do="name its variable in invoke.yaml instead",
        )
    if file.exists() and not _is_plan(file):
        raise UsageError(
            f"{file} is there already, and is no plan", state="nothing was written", do="name another file"
        )


def write(found: PlanFile, file: Path) -> None:
    """Write it, whole. Raises ``Unreachable`` when that cannot be done."""
    document = json.dumps(found.to_json(), indent=2).encode() + b"\n"
    try:
        with durable.written_aside(file.absolute().parent, document) as aside:
            aside.replace(file)
    except OSError as error:
        raise Unreachable(f"{file} cannot be written: {error.strerror}", state="nothing was changed") from error


def _is_plan(file: Path) -> bool:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and {"format", "digest", "plan", "calls"} <= set(found)


def read(file: Path) -> PlanFile:
    """The plan in a file. Raises ``UsageError`` when it is none, ``GateRefused`` when it was tampered with: its digest
    is computed anew from all that it says."""
    found = _document(file)
    if found.get("format") != FORMAT:
        raise UsageError(
            f"{file} is no plan that can be read here: its format is {found.get('format')!r}, not {FORMAT}",
            do="`inv plan --out` writes one, with the version of deploytasks that carries it out",
        )
    try:
        made = _plan_file(found)
        same = (made.release.version, digest_of(made.content)) == (made.version, made.digest)
        of_gate = [bool(step["hotfix"]) for step in made.content["plan"]["steps"] if "hotfix" in step]
        same = (
            same
            and bool(found["hotfix"]) == made.wanted.hotfix
            and made.wanted.hotfix in (of_gate or [made.wanted.hotfix])
        )
        made.rendered()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file} is no plan that can be read here: {type(error).__name__} {error}") from error
    if not same:
        raise GateRefused(
            f"{file} was changed after it was planned: its digest is not that of its content",
            state="nothing was changed",
            do="plan anew: `inv plan --out`; and find out who changed it",
        )
    return made


def _document(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _MOST:
            raise UsageError(f"{file} is no plan: it is too large")
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", do="`inv plan --out` writes one") from error
    except ValueError as error:
        raise UsageError(f"{file} is no plan: it is not JSON", do="`inv plan --out` writes one") from error
    if not isinstance(found, dict):
        raise UsageError(f"{file} is no plan", do="`inv plan --out` writes one")
    return found


def _plan_file(found: Mapping[str, Any]) -> PlanFile:
    """Raises ``LookupError``, ``TypeError`` or ``ValueError`` for what does not fit."""
    content = {name: found[name] for name in ("application", "environment", "plan", "calls")}
    return PlanFile(
        application=str(found["application"]),
        environment=str(found["environment"]),
        version=str(found["version"]),
        digest=str(found["digest"]),
        author=str(found["author"]),
        made_at=datetime.fromisoformat(found["made_at"]),
        wanted=Wanted(**found["wanted"]),
        content=content,
        statement=str(found.get("statement", "")),
        signature=str(found.get("signature", "")),
    )
