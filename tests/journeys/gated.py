"""A project with a staging and a protected production: its repository has a remote, its people have keys."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from journeys.environment import Done, Environment, free_ports
from lab.github import GitHub, github

PEOPLE = ("ann", "ben", "cay")
"""Ann writes the code; Ben and Cay look after her."""
GATES: dict[str, Any] = {
    "analysis": ["{python} -m ruff check --quiet --isolated --no-cache --select=F,E9 --output-format=concise library"],
    "security": ["{python} -m bandit --quiet --recursive --severity-level high library"],
    "infrastructure": ["infrastructure/**"],
}
"""What holds for all environments."""
PRODUCTION: dict[str, Any] = {
    "branches": ["main"],
    "after": ["staging"],
    "windows": [{"days": "mon-sun"}],
    "plan_approvals": 1,
    "senior_team": "octo/seniors",
}


class Gated(Environment):
    """Two environments on one machine; production is the one that is meant where none is said."""

    name = "production"
    general: ClassVar = {"gates": GATES}
    ends = (("down", "--env", "staging"), ("down", "--yes"))

    def __init__(self, root: Path, hub: GitHub) -> None:
        self.hub = hub
        self.home = root.parent / f"{root.name}-homes"
        self.remote = root.parent / f"{root.name}.git"
        self.who = "ann"
        self.staging = free_ports(3)
        self.gates: dict[str, Any] = {}
        for person in PEOPLE:
            _make_key(self.home / person, person)
        super().__init__(root)
        self._has_a_remote()

    def _has_a_remote(self) -> None:
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote)], check=True)
        self.git("remote", "add", "origin", str(self.remote))
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")
        self.push()

    def _add_files(self) -> None:
        keys = [f"{person}@example.org {_public(self.home / person)}" for person in PEOPLE]
        (self.root / "allowed_signers").write_text("".join(f"{line}\n" for line in keys))

    def _environments(self, own: dict[str, Any]) -> dict[str, Any]:
        port, blue, green = self.staging
        fleet = {**own["fleet"], "colors": {"blue": f"127.0.0.1:{blue}", "green": f"127.0.0.1:{green}"}}
        database = {**own["database"], "path": ".deploy/staging/shared/library.sqlite3"}
        alerts = {**own["alerts"], "path": ".deploy/staging/alerts.json"}
        staging = {
            **own, "traffic": {**own["traffic"], "listen": f"127.0.0.1:{port}"}, "fleet": fleet, "database": database,
            "alerts": alerts, "gates": {},
        }  # fmt: skip
        return {"staging": staging, self.name: {**own, "protected": True, "gates": self.gates}}

    @property
    def _places(self) -> dict[str, Any]:
        places = super()._places
        return {
            **places,
            "database": {**places["database"], "preset": "django"},
            "hotfix": {"stages": [60, 100]},
            "dirty": False,
            "store": {"kind": "directory", "shared": True},
            "reviews": {"kind": "github", "repository": self.hub.repository, "url": self.hub.url},
        }  # fmt: skip

    @property
    def variables(self) -> dict[str, str]:
        """Of the person who is at the keyboard."""
        own = {"HOME": str(self.home / self.who), "DEPLOY_WHO": f"{self.who}@desk", "GITHUB_TOKEN": self.hub.token}
        kept = {key: value for key, value in super().variables.items() if key != "SSH_AUTH_SOCK"}
        return {**kept, **own}

    def by(self, who: str, *arguments: str, **more: Any) -> Done:
        """``inv`` with somebody else at the keyboard."""
        before, self.who = self.who, who
        try:
            return self.inv(*arguments, **more)
        finally:
            self.who = before

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD").strip()

    def push(self) -> None:
        """Bring the commit to the remote."""
        self.git("push", "--quiet", "origin", "HEAD:main")

    def reviewed(self, number: int, *reviewers: str) -> None:
        """Have the commit come by a pull request that these people approved, with green checks."""
        pull = self.hub.pull(number, head=self.head, author="ann")
        for reviewer in reviewers:
            self.hub.approve(pull, reviewer)
        self.hub.merge(pull, self.head)
        self.hub.check(self.head, "tests")


def _make_key(home: Path, person: str) -> None:
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    file = home / ".ssh/id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(file)], check=True)


def _public(home: Path) -> str:
    kind, key, *_ = (home / ".ssh/id_ed25519.pub").read_text().split()
    return f"{kind} {key}"


@contextmanager
def gated(root: Path) -> Iterator[Gated]:
    """Such a project, with a GitHub of its own; nothing of it is left."""
    with github() as hub:
        made = Gated(root, hub)
        try:
            yield made
        finally:
            made.end()
