"""A Django project that is not ours adopts the tasks: found, doctored, deployed twice, taken back; its data stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from journeys.environment import PACKAGE, Done, free_ports
from journeys.shown import typed

from deploytasks import web

pytest.importorskip("django")

MODELS = """\
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=100)
"""
VIEWS = """\
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from .models import Book

GREETING = "one"


@csrf_exempt
def start(request):
    if request.method == "POST":
        Book.objects.create(title=request.POST["title"])
    titles = ", ".join(Book.objects.values_list("title", flat=True))
    return HttpResponse(f"{GREETING}: {titles}")
"""
URLS = """\
from django.contrib import admin
from django.urls import path

from books.views import start

urlpatterns = [path("admin/", admin.site.urls), path("", start)]
"""
TESTS = """\
from django.test import TestCase

from .models import Book


class StartPage(TestCase):
    def test_titles(self):
        Book.objects.create(title="Emma")
        self.assertContains(self.client.get("/"), "Emma")
"""
SHORTER = {"watch": "10s", "bake": "10s", "after_rollback": "10s", "baseline": "5s", "poll": "1s"}
"""As `init` writes them; half a second instead."""


class Shop:
    """A repository as its owner has it, and what they type there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        self.variables = self._variables()
        root.mkdir()
        self.run("-m", "django", "startproject", "shop", ".")
        self.run("manage.py", "startapp", "books")
        for name, text in (("models", MODELS), ("views", VIEWS), ("tests", TESTS)):
            (root / f"books/{name}.py").write_text(text)
        (root / "shop/urls.py").write_text(URLS)
        settings = root / "shop/settings.py"
        settings.write_text(settings.read_text().replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "books",'))
        self.run("manage.py", "makemigrations", "books")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("Sell books")

    @staticmethod
    def _variables() -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if not key.startswith(("PYTEST_", "INVOKE_", "DJANGO_"))}
        return {**kept, "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"}

    def run(self, *arguments: str, timeout: float = 60) -> Done:
        """Run Python there; stdin is empty."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=self.variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def inv(self, *arguments: str, timeout: float = 90) -> Done:
        """Run ``inv`` there."""
        return self.run("-m", "invoke", *arguments, timeout=timeout)

    def init(self, *arguments: str) -> Done:
        """``python -m deploytasks init``, at a free port; then the times are cut, since most of it is waiting."""
        done = self.run("-m", "deploytasks", "init", "--listen", self.address, *arguments)
        path = self.root / "invoke.yaml"
        text = path.read_text()
        for key, length in SHORTER.items():
            text, found = re.subn(rf"^( *{key}: ){length}\b", r"\g<1>500ms", text, flags=re.MULTILINE)
            assert found, f"init writes no {key}: {length} any more"
        path.write_text(text.replace("stages: [10, 50, 100]", "stages: [50, 100]"))
        return done

    def git(self, *arguments: str) -> None:
        """Run git there."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        """All that has changed."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def greet(self, word: str) -> None:
        """A new release, which says something else."""
        (self.root / "books/views.py").write_text(VIEWS.replace('"one"', f'"{word}"'))
        self.commit(f"Say {word}")

    def page(self, **form: str) -> str:
        """The start page, as users have it; with a form, after that was sent."""
        body = "&".join(f"{key}={value}" for key, value in form.items()).encode() if form else None
        given = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        answer = web.fetch(
            f"http://{self.address}/", method="POST" if form else "GET", body=body, headers=given, timeout=10
        )
        assert 200 == answer.status, answer
        return answer.body.decode()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A fresh one; nothing of it runs on."""
    found = Shop(tmp_path / f"shop-{uuid.uuid4().hex[:6]}")
    try:
        yield found
    finally:
        with suppress(AssertionError):
            found.inv("down", "--env", "development")


def test_five_minutes_in_your_own_repository(shop: Shop) -> None:
    """As the page says: looked at, deployed; then changed, deployed again and taken back, and no data is lost."""
    installed = {"pip": lambda *_: Done(0, "", "")}
    begun = {"python -m deploytasks init": lambda *_: shop.init()}
    done = typed(shop, "docs/adopting.md", "Five minutes", hands={**installed, **begun})
    doctor = next(each for each in done if each.out.startswith("doctor for development"))
    assert "nothing is broken" in doctor.out
    assert [] == [line for line in doctor.out.splitlines() if line.strip()[:1] in ("✗", "!")]
    shop.commit("Deploy by tasks")
    assert "one: " == shop.page()
    assert "one: Emma" == shop.page(title="Emma")

    shop.greet("two")
    typed(shop, "docs/adopting.md", "The next release")
    assert "two: Emma" == shop.page()
    typed(shop, "README.md", "Adopt it", hands={**installed, "python -m deploytasks init": lambda *_: Done(0, "", "")})
    typed(shop, "docs/adopting.md", "And back")
    assert "one: Emma" == shop.page()
    typed(shop, "docs/adopting.md", "Tidy up")
    assert (shop.root / ".deploy/development/shared/db.sqlite3").is_file()


def test_what_else_the_page_shows(shop: Shop) -> None:
    """Another template, workflows, completion and the schema are printed or written by what the page says."""
    (template,) = typed(shop, "docs/adopting.md", "Templates")
    assert "kind: haproxy" in template.out
    shop.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    typed(shop, "docs/adopting.md", "In CI")
    assert (shop.root / ".github/workflows/deploy.yml").is_file()
    completion, schema = typed(shop, "docs/adopting.md", "In your shell and your editor")
    assert "inv" in completion.out
    assert '"deploy"' in schema.out
