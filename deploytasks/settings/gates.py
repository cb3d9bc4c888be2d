"""What must be true before a release goes to an environment. The defaults are those of DESIGN, "Defaults"."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from .base import Positive, Value
from .environment import Name, Text
from .rollout import Share
from .windows import Freeze, Window

Count = Annotated[int, Field(ge=0, le=20)]
"""How many people."""


def _least(given: str) -> str:
    """``80%`` of the hosts, or how many; the text itself."""
    is_share = given.endswith("%")
    try:
        number = float(given[:-1]) / 100 if is_share else int(given)
    except ValueError:
        number = 0
    if not 0 < number <= (1 if is_share else 10_000):
        raise ValueError(f"{given!r} is no number of hosts: write a share, such as 80%, or how many")
    return given


def _text(given: object) -> object:
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


LeastHealthy = Annotated[str, BeforeValidator(_text), AfterValidator(_least)]
"""``80%`` of the hosts, rounded up, or how many."""


class Coverage(Value):
    """How much of the code the tests must reach."""

    file: Text = "coverage.xml"
    """The file of a report of coverage.py, XML or JSON; relative to the project."""
    least: Share = 0.8
    """The share of lines, or of lines and branches where the report has both."""


class Gates(Value):
    """What the checklist of an environment demands. Keys under ``deploy.gates`` hold for all environments."""

    level: Literal["development", "staging", "production"] | None = None
    """How much is demanded: ``development``, ``staging`` or ``production``; by default ``production`` where
    ``protected``, ``staging`` where it is called that, ``development`` elsewhere."""

    branches: tuple[Text, ...] = ()
    """Which branches may be deployed, as shell patterns: ``[main, "release/*"]``; none: any. The commit must be on one
    here, and on one at the remote: docs/gates.md#branch-and-remote."""
    remote: Text | None = "origin"
    """The remote that must have the commit; ``null``: not asked."""
    after: tuple[Name, ...] | None = None
    """The environments in which this very content must have succeeded before; by default ``staging`` at the level
    production, if there is such an environment."""
    after_within: Positive = 7 * 86400.0
    """How long a success there counts."""

    approvals: Count = 2
    """How many people must have approved the change."""
    hotfix_approvals: Count = 1
    """How many of the senior team must have approved a hotfix."""
    senior_team: Text | None = None
    """``organization/team`` that may wave a hotfix through."""
    database_team: Text | None = None
    """``organization/team`` of which one must have approved a change with migrations."""
    exclude_authors: bool = False
    """Whether nobody who wrote one of its commits may approve a change."""
    every_commit: bool = False
    """Whether every commit since the live release must have been approved like the one that is deployed:
    docs/github.md#every-commit."""
    checks: tuple[Text, ...] = ()
    """The contexts that continuous integration must have passed; none: all that there are, and at least one."""
    ignored_checks: tuple[Text, ...] = ()
    """Contexts that do not count: the job that deploys, above all."""

    coverage: Coverage | None = None
    """How much of the code the tests must reach."""
    analysis: tuple[Text, ...] | None = None
    """Commands of the static analysis; by default those of ruff, when it is installed. ``[]``: none."""
    security: tuple[Text, ...] | None = None
    """Commands that look for security holes; by default bandit, pip-audit and detect-secrets, as far as installed."""

    least_healthy: LeastHealthy | None = None
    """How many of the live color's hosts must be healthy: ``80%``, rounded up, or a number, those that are left out
    counted as not healthy. By default all but ``fleet.max_failures`` of those that are not left out."""
    infrastructure: tuple[Text, ...] = ()
    """The files of the infrastructure as code, as git's patterns from the top of the work tree: ``["terraform/**"]``.
    Without it a person signs that it was reviewed."""

    windows: tuple[Window, ...] = ()
    """When something may be deployed; none: always. docs/gates.md#windows has examples."""
    migration_windows: tuple[Window, ...] = ()
    """When something with migrations may be deployed; none: as ``windows``."""
    freezes: tuple[Freeze, ...] = ()
    """When nothing may be deployed."""

    plan_approvals: Count = 0
    """How many people must have approved the exact plan; its author does not count."""
    approvers: tuple[Text, ...] = ()
    """Who may approve a plan, as in the file of allowed signers; none: everybody in it."""
    overriders: tuple[Text, ...] = ()
    """Who may set a refusal aside, as in the file of allowed signers; none: everybody in it, the author of the change
    included."""
    plan_approvals_within: Positive = 7 * 86400.0
    """How long the approval of a plan counts."""
    alerts_tested_within: Positive = 90 * 86400.0
    """How long a signature that the alerts were tested counts."""

    @field_validator("approvers")
    @classmethod
    def _are_enough(cls, approvers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        needed = info.data.get("plan_approvals", 0)
        if approvers and len(set(approvers)) < needed:
            raise ValueError(f"{len(set(approvers))} cannot give the {needed} approvals of `plan_approvals`")
        return approvers
