"""Whether GitHub tells all that the checklist will ask for, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...errors import DeployError
from ...ports import Finding
from ...settings.gates import Gates

if TYPE_CHECKING:
    from ..site import Site
    from .reviews import GitHub, GitHubLook

SUBJECT = "reviews: github"


def diagnose(of: GitHub, site: Site) -> Sequence[Finding]:
    """The token, the repository, each permission, and the teams that gates name."""
    try:
        look = of.look()
        found = look.client.get("", "the repository")
        name, branch = str(found["full_name"]), str(found["default_branch"])
    except DeployError as error:
        return [Finding(SUBJECT, "fail", error.what, error.do)]
    except (KeyError, TypeError):
        return [Finding(SUBJECT, "fail", "it answers with something else than a repository", "check `reviews.url`")]
    findings = [Finding(SUBJECT, "ok", f"{name}, whose default branch is {branch}")]
    if name.lower() != of.repository.lower():
        detail = f"{of.repository} is called {name} now"
        findings = [Finding(SUBJECT, "warn", detail, f"say `repository: {name}`, and let `origin` follow")]
    gates = site.sections.get("gates")
    asked = [*_permissions(look, branch), *_teams(look, gates if isinstance(gates, Gates) else Gates())]
    return [*findings, *(_asked(subject, ask) for subject, ask in asked)]


Ask = Callable[[], object]


def _permissions(look: GitHubLook, branch: str) -> Iterator[tuple[str, Ask]]:
    client = look.client
    yield "pull requests", lambda: client.get("/pulls", "pull requests", state="all", per_page="1")
    yield "statuses and checks", lambda: look.checks(branch)


def _teams(look: GitHubLook, gates: Gates) -> Iterator[tuple[str, Ask]]:
    for team in filter(None, dict.fromkeys((gates.senior_team, gates.database_team))):
        yield f"team {team}", lambda team=team: _seen(look, team)  # type: ignore[misc]  # bound here


def _seen(look: GitHubLook, team: str) -> None:
    if not look.sees(team):
        do = "check its name, and give the token Members: read of the organization"
        raise DeployError("there is no such team, or the token may not see it", do=do)


def _asked(subject: str, ask: Ask) -> Finding:
    try:
        ask()
    except DeployError as error:
        return Finding(f"reviews: {subject}", "fail", error.what, error.do)
    return Finding(f"reviews: {subject}", "ok", "can be asked for")
