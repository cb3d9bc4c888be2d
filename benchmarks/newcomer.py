"""A newcomer's path: from `git clone` of a Django repository that is not ours to its first deployment.

Makes such a repository with a bare remote in a temporary folder, and our wheel. Then types what a newcomer types, and
nothing else; no file is edited by hand. The times of the configuration are those that `init` writes. What pip needs
comes from where this machine's pip gets it. Prints each command and its seconds, and leaves with 1 when there are more
than 5 commands, when they take more than 5 minutes, or when users do not get the application afterwards.

    python benchmarks/newcomer.py [--quick] [--json]

`--quick` is the same: there is nothing to leave out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
MOST_COMMANDS = 5
MOST_SECONDS = 300.0
VIEWS = """\
from django.http import HttpResponse

from .models import Book


def start(request):
    return HttpResponse(f"{Book.objects.count()} books")
"""
MODELS = """\
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=100)
"""
URLS = """\
from books.views import start
from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls), path("", start)]
"""


class Typed(NamedTuple):
    """A command, and what it took."""

    command: str
    seconds: float


class Missed(Exception):
    """A command failed, or users do not get the application."""


def main() -> int:
    """Make the repository, walk, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the same: there is nothing to leave out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="newcomer-") as name:
        folder = Path(name)
        commands = path_of(remote(folder), wheel(folder))
        try:
            walked = walk(folder, commands)
        except Missed as missed:
            print(missed, file=sys.stderr)
            return 1
    print(json.dumps([each._asdict() for each in walked]) if asked.json else table(walked))
    return int(len(walked) > MOST_COMMANDS or total(walked) > MOST_SECONDS)


def path_of(origin: Path, package: Path) -> list[str]:
    """What a newcomer types; ``inv`` and ``python`` are those of the environment, which is active."""
    return [
        f"git clone {shlex.quote(str(origin))} shop",
        "python3 -m venv .venv && . .venv/bin/activate",
        f"pip install -r requirements.txt {shlex.quote(f'{package}[local]')}",
        "deploytasks init",
        "inv deploy --env development",
    ]


def walk(folder: Path, commands: list[str]) -> list[Typed]:
    """Type them in their order, each in a shell of its own, the first one above the clone; then stop what runs.

    Raises ``Missed`` with what was printed when one fails, or when nobody answers at the end.
    """
    clone = folder / "shop"
    walked: list[Typed] = []
    try:
        for command in commands:
            began = time.monotonic()
            _typed(command, clone if walked else folder, clone)
            walked.append(Typed(_shown(command, folder), time.monotonic() - began))
        _has_users(clone)
    finally:
        if (clone / "invoke.yaml").exists():
            _typed("inv down --env development", clone, clone)
    return walked


def _typed(command: str, at: Path, clone: Path) -> str:
    done = subprocess.run(
        ["sh", "-c", command], cwd=at, env=_variables(clone), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Missed(f"{command} left with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _variables(clone: Path) -> dict[str, str]:
    """Of a shell in which the clone's environment is active, once it is there."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "INVOKE_"))
    }
    active = clone / ".venv"
    return {**kept, "PATH": f"{active / 'bin'}{os.pathsep}{kept['PATH']}", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _has_users(clone: Path) -> None:
    """The application answers where `init` said that users come in."""
    listen = re.search(r"listen: (\S+)", (clone / "invoke.yaml").read_text(encoding="utf-8"))
    assert listen is not None
    with urlopen(f"http://{listen[1]}/", timeout=10) as answer:
        body = answer.read()
    if body != b"0 books":
        raise Missed(f"users get {body[:80]!r}")


def remote(folder: Path) -> Path:
    """A bare repository with a Django project in it: an application with a model, its migration and a page."""
    work = folder / "work"
    work.mkdir()
    run(sys.executable, "-m", "django", "startproject", "shop", ".", cwd=work)
    run(sys.executable, "manage.py", "startapp", "books", cwd=work)
    for name, text in (("books/models.py", MODELS), ("books/views.py", VIEWS), ("shop/urls.py", URLS)):
        (work / name).write_text(text, encoding="utf-8")
    settings = work / "shop/settings.py"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "books",'), encoding="utf-8")
    (work / "requirements.txt").write_text("django>=5.2,<6\n", encoding="utf-8")
    (work / ".gitignore").write_text(".venv/\n__pycache__/\n*.sqlite3\n", encoding="utf-8")
    run(sys.executable, "manage.py", "makemigrations", "books", cwd=work)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=work)
    run("git", "add", "--all", cwd=work)
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    run("git", *who, "commit", "--quiet", "--message", "Sell books", cwd=work)
    run("git", "clone", "--quiet", "--bare", str(work), str(folder / "shop.git"), cwd=folder)
    return folder / "shop.git"


def wheel(folder: Path) -> Path:
    """Ours, as a newcomer would get it from an index."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=ROOT)
    (built,) = (folder / "dist").iterdir()
    return built


def run(*command: str, cwd: Path) -> None:
    """Run quietly; leaves with what was printed when it fails."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} left with {done.returncode}\n{done.stdout}{done.stderr}")


def table(walked: list[Typed]) -> str:
    """One line for each command, and the sum."""
    lines = [f"{each.seconds:7.1f} s   {each.command}" for each in walked]
    summed = (
        f"{total(walked):7.1f} s   bar {MOST_SECONDS:g} s; {len(walked)} commands, bar {MOST_COMMANDS}; no file edited"
    )
    return "\n".join(["from git clone to the first deployment", *lines, summed])


def total(walked: list[Typed]) -> float:
    """Seconds of all of them."""
    return sum(each.seconds for each in walked)


def _shown(command: str, folder: Path) -> str:
    """Without the paths of this machine."""
    return command.replace(f"{folder / 'dist'}/", "").replace(f"{folder}/", "").replace("'", "")


if __name__ == "__main__":
    sys.exit(main())
