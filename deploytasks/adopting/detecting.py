"""What a repository is: found by looking at its files. Nothing of it is run or imported."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .django import Django, django_in
from .hubs import hub_of
from .reading import read

_SKIPPED = {"node_modules", "venv", "env", "site-packages", "build", "dist"}
"""Folders that hold the code of others."""
_DEPTH = 2
"""Folders below the repository in which an application may lie."""
_SERVED = re.compile(r"^(application|app)\s*[:=]|^def (application)\(", re.MULTILINE)


class Found(NamedTuple):
    """What is known of a repository. Paths are relative to it; empty is unknown."""

    application: str
    source: str = "."
    """The folder that becomes the release."""
    django: Django | None = None
    callable: str = "app:application"
    """What gunicorn serves."""
    alembic: str = ""
    """Its configuration."""
    tests: str = ""
    """The command that runs them."""
    branch: str = ""
    hub: str = ""
    """``github`` or ``gitlab``."""
    repository: str = ""
    """``owner/name`` there."""
    changelog: str = ""
    is_git: bool = False
    environments: tuple[str, ...] = ()
    """Virtual environments in it that git does not ignore yet, such as ``.venv/``: they belong into no release."""

    @property
    def summary(self) -> list[str]:
        """What was found, for people."""
        said = [f"Django, served by {self.django.wsgi}"] if self.django else []
        said += [f"Alembic ({self.alembic})"] if self.alembic else []
        said += [f"tests: {self.tests}"] if self.tests else []
        said += [f"{self.hub}: {self.repository}"] if self.hub else []
        return said


def look(folder: Path) -> Found:
    """What stands in a folder. Whatever cannot be read is not there."""
    projects = ((file.parent, project) for file in _named(folder, "manage.py") if (project := django_in(file.parent)))
    place, django = next(projects, (folder, None))
    source = _relative(folder, place)
    remote = _git(folder, "remote", "get-url", "origin")
    hub, repository = hub_of(folder, remote)
    return Found(
        application=application_name(folder),
        source=source,
        django=django,
        callable=django.wsgi if django else _callable(folder),
        alembic=next((_relative(folder, each) for each in _named(folder, "alembic.ini")), ""),
        tests=_tests(folder, place if django else None),
        branch=_git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
        or _git(folder, "symbolic-ref", "--short", "HEAD"),
        hub=hub,
        repository=repository,
        changelog=next((each for each in ("CHANGELOG.md",) if (folder / each).is_file()), ""),
        is_git=bool(_git(folder, "rev-parse", "--git-dir")),
        environments=tuple(_environments(folder)),
    )


def application_name(folder: Path) -> str:
    """The folder's name as an application may be called."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-_")
    return words[:63] or "application"


def _named(folder: Path, name: str) -> list[Path]:
    """Files of a name, the nearest first."""
    return [
        file
        for depth in range(_DEPTH + 1)
        for file in sorted(folder.glob("/".join(["*"] * depth + [name])))
        if file.is_file() and not any(_is_skipped(part) for part in file.relative_to(folder).parts)
    ]


def _environments(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*/pyvenv.cfg")):
        if not _git(folder, "check-ignore", str(file.absolute())):
            yield f"{file.parent.name}/"


def _is_skipped(part: str) -> bool:
    return part.startswith(".") or part in _SKIPPED


def _relative(folder: Path, to: Path) -> str:
    return to.relative_to(folder).as_posix() or "."


def _callable(folder: Path) -> str:
    """A WSGI application in a file of a usual name, such as Flask's ``app``."""
    for module in ("wsgi", "app", "main", "application"):
        if found := _SERVED.search(read(folder / f"{module}.py")):
            return f"{module}:{found[1] or found[2]}"
    return "app:application"


def _tests(folder: Path, project: Path | None) -> str:
    settings = read(folder / "pyproject.toml") + read(folder / "setup.cfg") + read(folder / "tox.ini")
    if "[tool.pytest" in settings or "[tool:pytest]" in settings or (folder / "pytest.ini").is_file():
        return "python -m pytest"
    if project is not None:
        place = _relative(folder, project)
        return f"python {'' if place == '.' else f'{place}/'}manage.py test{'' if place == '.' else f' {place}'}"
    return "python -m pytest" if (folder / "tests").is_dir() else ""


def _git(folder: Path, *arguments: str) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )  # fmt: skip
        return done.stdout.strip()
    return ""
