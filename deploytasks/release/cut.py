"""A release as it was decided: every byte and every command, before anything is changed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .edits import Edit, difference


@dataclass(frozen=True)
class Line:
    """A hotfix line that is to be begun: a branch at an older tag."""

    top: Path
    branch: str
    tag: str

    @property
    def command(self) -> tuple[str, ...]:
        """What begins it."""
        return ("git", "switch", "--quiet", "--no-track", "--create", self.branch, f"refs/tags/{self.tag}^{{commit}}")


@dataclass(frozen=True)
class Cut:
    """One release. ``id`` names it while it is being made."""

    id: str
    top: Path
    git_dir: Path
    branch: str
    head: str
    """The commit that it comes after."""
    version: str
    tag: str
    previous: str | None
    """The version before it in this history."""
    bump: str
    edits: tuple[Edit, ...]
    message: str
    notes: bytes
    """Its section of the changelog."""
    when: str
    """For git: seconds since 1970, and the zone. Whatever we make carries it: so it is known again."""
    remote: str | None
    """Where it is pushed to."""
    remote_ref: str
    sign: bool | None = None
    within: float = 600.0
    """Seconds for one command of git."""
    push: bool = False
    is_prerelease: bool = False
    is_older_line: bool = False
    """Whether a newer version is released already."""
    asks: str = ""
    """What somebody has to agree to."""
    warnings: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it commits, relative to the top."""
        return tuple(edit.path for edit in self.edits)

    @property
    def subject(self) -> str:
        """The first line of the commit."""
        return f"Release {self.version}"

    @property
    def action(self) -> str:
        """What the log of the branch says about our commit."""
        return f"release {self.version} ({self.id})"

    @property
    def commit_text(self) -> bytes:
        """The message of the commit."""
        return f"{self.subject}\n\n{self.message}\n".encode()

    @property
    def tag_text(self) -> bytes:
        """The message of the tag, which has the notes."""
        notes = _text(self.notes).strip("\n")
        return f"{self.version}\n\n{self.message}\n{f'{chr(10)}{notes}{chr(10)}' if notes else ''}".encode()

    def commit_command(self) -> tuple[str, ...]:
        """Commits the edited files, and nothing else that may be staged."""
        sign = () if self.sign is None else ("--gpg-sign",) if self.sign else ("--no-gpg-sign",)
        paths = (f":(top,literal){path}" for path in self.paths)
        return ("commit", "--quiet", "--only", *sign, "--cleanup=whitespace", "--file=-", "--", *paths)

    def tag_command(self, commit: str) -> tuple[str, ...]:
        """Makes the annotated tag. Git's default clean-up would take the headings out of the notes."""
        kind = ("--sign",) if self.sign else ("--annotate", "--no-sign") if self.sign is False else ("--annotate",)
        return ("tag", *kind, "--cleanup=whitespace", "--file=-", self.tag, commit)

    def push_command(self, commit: str) -> tuple[str, ...]:
        """Pushes commit and tag, both or none."""
        refs = (f"{commit}:{self.remote_ref}", f"refs/tags/{self.tag}")
        return ("push", "--quiet", "--atomic", "--no-follow-tags", self.remote or "origin", *refs)

    def commands(self) -> list[str]:
        """All commands as a shell would have them; ``COMMIT`` stands for the commit that is made."""
        made = [self.commit_command(), self.tag_command("COMMIT")]
        if self.push:
            made.append(self.push_command("COMMIT"))
        return [shlex.join(("git", *command)) for command in made]

    def differences(self) -> list[str]:
        """What changes in files, as unified diffs."""
        return [difference(edit.path, edit.before, edit.after) for edit in self.edits]

    def next_steps(self, main: str) -> Sequence[tuple[str, str]]:
        """What to do after it: a word, and a command. ``main``: the branch that the next versions come from."""
        tag, branch = shlex.quote(self.tag), shlex.quote(self.branch)
        remote = shlex.quote(self.remote or "origin")
        steps: list[tuple[str, str]] = []
        if not self.push:
            there = shlex.quote(f"{self.branch}:{self.remote_ref.removeprefix('refs/heads/')}")
            where = branch if self.remote_ref == f"refs/heads/{self.branch}" else there
            steps += [("push", f"git push --atomic {remote} {where} {tag}")] if self.remote else []
            steps.append(("undo", f"git tag --delete {tag} && git reset --keep {self.head[:12]}"))
        if self.is_older_line:
            steps.append(("forward", f"git switch {shlex.quote(main)} && git merge {tag}"))
        return steps

    def pushed(self) -> Cut:
        """The same, to be pushed."""
        return replace(self, push=True)


def _text(document: bytes) -> str:
    """Text for git, which wants UTF-8 and no NUL; a changelog may be in an older encoding."""
    try:
        found = document.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = document.decode("latin-1")
    return found.replace("\0", "").replace("\r\n", "\n")
