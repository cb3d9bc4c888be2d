"""``python -m deploytasks init``: look, ask where somebody is there, write what is missing, say what comes next."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from .asking import asked
from .choices import Choices, proposed
from .detecting import Found, look
from .filling import FOLDER, deployed_settings, filled
from .ports import USUAL, nearest
from .workflows import workflows
from .writing import write


def init(folder: Path, template: str | None, listen: str | None = None, *, ci: bool, questions: bool) -> int:
    """Write what is missing: 0 when anything was, 2 when all was there or nothing can be written, 130 at Ctrl-C."""
    try:
        found = look(folder)
        choices = chosen(found, template, listen)
    except ValueError as error:
        print(f"nothing was written: --listen {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"nothing was written: {folder.as_posix()} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    try:
        if questions:
            choices = asked(choices, found, input, print)
        done = write(folder, _files(choices, found, ci=ci), (".deploy/", *found.environments))
    except (KeyboardInterrupt, EOFError):
        print("\nnothing was written", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"nothing was written: {error}", file=sys.stderr)
        return 2
    for each in done:
        print(each)
    if choices.template == "embedded" and choices.listen != (listen or USUAL):
        print(f"users come in at {choices.listen}: `listen` in invoke.yaml")
    if not any(each.how == "wrote" for each in done):
        print("nothing was written: this repository has its files already", file=sys.stderr)
        return 2
    print("\n".join((*_next(choices, found), *(_next_in_ci(found) if ci else ()))))
    return 0


def show(folder: Path, template: str | None, listen: str | None = None) -> int:
    """Print the ``invoke.yaml`` that would be written, and write nothing: 0, or 2 when ``listen`` is no address, or the
    folder cannot be read."""
    try:
        found = look(folder)
        print(filled(chosen(found, template, listen), found), end="")
    except ValueError as error:
        print(f"--listen {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{folder.as_posix()} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def chosen(found: Found, template: str | None, listen: str | None) -> Choices:
    """What was found, and what was said with the command. Raises ``ValueError`` when ``listen`` is no address."""
    choices = proposed(found)._replace(template=template or "embedded")
    return choices.listening(listen or nearest(USUAL))


def _files(choices: Choices, found: Found, *, ci: bool) -> Mapping[str, str]:
    files = {
        "tasks.py": (FOLDER / "tasks.py").read_text(encoding="utf-8"),
        "invoke.yaml": filled(choices, found),
    }
    settings = deployed_settings(found) if choices.template == "embedded" else None
    return {**files, **({settings[0]: settings[1]} if settings else {}), **(workflows(found.hub) if ci else {})}


def _next(choices: Choices, found: Found) -> list[str]:
    """What to do now, in as few words as possible."""
    if not found.is_git:
        return ["next: a release is made of what git has: git init, git add --all, git commit; then inv deploy"]
    if choices.template != "embedded":
        environment = "production"
        return [f"next: fill in what stands in <…>; `inv validate --env {environment}` says what is left"]
    env = "--env development"
    lines = [f"next: inv doctor {env} looks at everything, inv deploy {env} puts the first release out"]
    if not found.django and found.callable == "app:application":
        lines.insert(0, "first: `start` in invoke.yaml must be the command that serves your application")
    if found.django and found.django.database == "postgres":
        lines.append("the database: see `database` in invoke.yaml; it needs the name of the variable that has its URL")
    if found.tests and not choices.tests:
        lines.append(f"tests before each deployment: `tests: {found.tests}` in invoke.yaml")
    return lines


def _next_in_ci(found: Found) -> list[str]:
    """What the workflows need besides, or why there are none."""
    if not found.hub:
        return [
            "no workflows: neither GitHub nor GitLab is known here: `git remote add origin …`, then init --ci again"
        ]
    return [
        "in CI: requirements-deploy.txt must name deploytasks and its extras; docs/ci.md has the secrets and rights"
    ]
