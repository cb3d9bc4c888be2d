"""What is found in a repository, by its files alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from adopting.ground import ADMIN, MANAGE, POSTGRES, SETTINGS, SQLITE, django, git, lay

from deploytasks.adopting.detecting import look
from deploytasks.adopting.django import Django
from deploytasks.adopting.hubs import hub_of


def project(folder: Path) -> Django:
    """The Django project that is found."""
    found = look(folder).django
    assert found is not None
    return found


def test_nothing_is_found_in_an_empty_folder(tmp_path: Path) -> None:
    """An empty folder has a name, and nothing else."""
    found = look(tmp_path)
    assert (None, "", "", "", False) == (found.django, found.alembic, found.tests, found.hub, found.is_git)
    assert [] == found.summary


def test_what_startproject_makes(tmp_path: Path) -> None:
    """Django's own beginning: settings, server, start page and database are known."""
    pytest.importorskip("django")
    made = [sys.executable, "-m", "django", "startproject", "shop", str(tmp_path)]
    subprocess.run(made, check=True, timeout=60)  # in this process it would leave Django configured
    expected = Django("shop.settings", "shop.wsgi:application", "/", "file")
    assert expected == project(tmp_path)
    found = look(tmp_path)
    assert ("shop.wsgi:application", ".", "python manage.py test") == (found.callable, found.source, found.tests)


def test_a_project_in_a_folder(tmp_path: Path) -> None:
    """The release is that folder, and its tests are run from above."""
    django(tmp_path / "backend")
    found = look(tmp_path)
    assert ("backend", "python backend/manage.py test backend") == (found.source, found.tests)


def test_the_project_that_is_one(tmp_path: Path) -> None:
    """A `manage.py` of something else is passed over."""
    lay(tmp_path, a__manage_py="print('Flask-Script')\n")
    django(tmp_path / "b")
    assert "b" == look(tmp_path).source


@pytest.mark.parametrize("folder", ["node_modules", ".venv", "venv", "build", ".git"])
def test_code_of_others_is_not_ours(tmp_path: Path, folder: str) -> None:
    """Somebody else's project in a folder of tools is not the application."""
    django(tmp_path / folder / "example")
    assert look(tmp_path).django is None


def test_a_settings_package(tmp_path: Path) -> None:
    """What `manage.py` begins with says which database it is; what all share may stand beside it."""
    lay(
        tmp_path,
        manage_py=MANAGE.format(module="shop.settings.dev"),
        shop__settings__base_py='ROOT_URLCONF = "shop.addresses"\nWSGI_APPLICATION = "shop.serving.app"\n',
        shop__settings__dev_py=SQLITE,
        shop__settings__production_py=POSTGRES,
        shop__addresses_py='path("healthz", ok)',
    )
    assert Django("shop.settings.dev", "shop.serving:app", "/healthz", "file") == project(tmp_path)


def test_settings_in_the_packages_own_module(tmp_path: Path) -> None:
    """`shop/settings/__init__.py` is `shop.settings`."""
    lay(tmp_path, manage_py=MANAGE.format(module="shop.settings"))
    (tmp_path / "shop/settings").mkdir(parents=True)
    (tmp_path / "shop/settings/__init__.py").write_text(SETTINGS + POSTGRES)
    assert "postgres" == project(tmp_path).database


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ([ADMIN], "/"),
        ([ADMIN, 'path("", views.start)'], "/"),
        ([ADMIN, 'path("", views.start)', 'path("health", views.ok)'], "/health"),
        ([ADMIN, 'path("api/v1/healthz/", views.ok)'], "/api/v1/healthz/"),
        ([ADMIN, 're_path(r"^health/$", views.ok)'], "/health/"),
        (['path("health/", include("health_check.urls"))', ADMIN], "/health/"),
        ([ADMIN, 'path("books/", views.books)'], "/admin/login/"),
        (['path("back/", admin.site.urls)', 'path("books/", views.books)'], "/back/login/"),
        (['path("books/<int:pk>/", views.book)', 'path("books/", views.books)'], "/books/"),
        ([ADMIN, '# path("", views.start)', 'path("books/", views.books)'], "/admin/login/"),
        (['path("", include("books.urls"))'], "/catalog/"),
        (['path("api/", include(("books.urls", "books")))'], "/api/catalog/"),
        (['path("<slug:shop>/", include("books.urls"))'], "/"),
        (['path("", include("shop.urls"))'], "/"),
    ],
)
def test_a_page_that_everybody_may_see(tmp_path: Path, urls: list[str], expected: str) -> None:
    """A health page; else the start page; else the admin's log-in; else a page without parameters."""
    django(tmp_path, *urls)
    lay(tmp_path, books__urls_py='app_name = "books"\nurlpatterns = [path("catalog/", views.catalog)]\n')
    assert expected == project(tmp_path).health


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SQLITE, ("file", "")),
        (POSTGRES, ("postgres", "")),
        ('DATABASES = {"default": dj_database_url.config()}', ("url", "DATABASE_URL")),
        ('DATABASES = {"default": env.db()}', ("url", "DATABASE_URL")),
        ('DATABASES = {"default": parse(os.environ["SHOP_DATABASE_URL"])}', ("url", "SHOP_DATABASE_URL")),
        (f'# or "DATABASE_URL"\n{SQLITE}', ("file", "")),
        ("", ("", "")),
    ],
)
def test_where_the_data_is(tmp_path: Path, settings: str, expected: tuple[str, str]) -> None:
    """In a file beside the code, behind a variable, on a server, or unknown."""
    django(tmp_path, settings=settings)
    found = project(tmp_path)
    assert expected == (found.database, found.variable)


@pytest.mark.parametrize("place", ["alembic.ini", "backend/alembic.ini"])
def test_alembic(tmp_path: Path, place: str) -> None:
    """Its configuration, wherever it lies."""
    (tmp_path / "backend").mkdir()
    (tmp_path / place).write_text("[alembic]\n")
    assert place == look(tmp_path).alembic
    assert [f"Alembic ({place})"] == look(tmp_path).summary


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("app.py", "app = Flask(__name__)\n", "app:app"),
        ("wsgi.py", "application: Any = make()\n", "wsgi:application"),
        ("main.py", "def application(environ, start_response):\n", "main:application"),
        ("app.py", "apple = 1\n", "app:application"),
    ],
)
def test_a_wsgi_module(tmp_path: Path, file: str, text: str, expected: str) -> None:
    """An application of another kind, under one of the usual names."""
    (tmp_path / file).write_text(text)
    assert expected == look(tmp_path).callable


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("git@github.com:acme/shop.git", ("github", "acme/shop")),
        ("https://github.com/acme/shop", ("github", "acme/shop")),
        ("https://ann:token@github.com/acme/shop.git/", ("github", "acme/shop")),
        ("ssh://git@github.com:22/acme/shop.git", ("github", "acme/shop")),
        ("git@github.acme.example:tools/shop.git", ("github", "tools/shop")),
        ("git@gitlab.com:acme/web/shop.git", ("gitlab", "acme/web/shop")),
        ("https://gitlab.acme.example/web/shop.git", ("gitlab", "web/shop")),
        ("git@code.acme.example:web/shop.git", ("", "")),
        ("/srv/gitlab/acme/shop.git", ("", "")),
        ("../shop.git", ("", "")),
        ("", ("", "")),
    ],
)
def test_where_it_is_shared(tmp_path: Path, remote: str, expected: tuple[str, str]) -> None:
    """By the host of its remote."""
    assert expected == hub_of(tmp_path, remote)


@pytest.mark.parametrize(("file", "hub"), [(".gitlab-ci.yml", "gitlab"), (".github/workflows/test.yml", "github")])
def test_where_it_is_shared_by_its_files(tmp_path: Path, file: str, hub: str) -> None:
    """A hub under a name of its own is known by what it reads."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    assert (hub, "web/shop") == hub_of(tmp_path, "git@code.acme.example:web/shop.git")


def test_git_is_asked(tmp_path: Path) -> None:
    """The branch that deployments come from, and the remote."""
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    git(tmp_path, "remote", "add", "origin", "git@github.com:acme/shop.git")
    found = look(tmp_path)
    assert ("trunk", "github", "acme/shop", True) == (found.branch, found.hub, found.repository, found.is_git)
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release/next")
    assert "release/next" == look(tmp_path).branch


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "python -m pytest"),
        ("setup.cfg", "[tool:pytest]\n", "python -m pytest"),
        ("pytest.ini", "", "python -m pytest"),
        ("tests/test_shop.py", "", "python -m pytest"),
        ("README.md", "[tool.pytest]", ""),
    ],
)
def test_the_command_that_tests_it(tmp_path: Path, file: str, text: str, expected: str) -> None:
    """By what configures pytest."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert expected == look(tmp_path).tests


def test_environments_that_would_be_released(tmp_path: Path) -> None:
    """A virtual environment in the repository is found, unless git leaves it alone already."""
    git(tmp_path, "init", "--quiet")
    lay(tmp_path, **{".venv__pyvenv_cfg": "", "known__pyvenv_cfg": "", "src__pyvenv_py": ""})
    (tmp_path / ".gitignore").write_text("kno*/\n")
    assert (".venv/",) == look(tmp_path).environments


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    """Bytes that are no text, and folders with the names of files."""
    (tmp_path / "manage.py").write_bytes(b"\xff\xfe\x00 DJANGO_SETTINGS_MODULE")
    (tmp_path / "app.py").mkdir()
    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    found = look(tmp_path)
    assert (None, "app:application", "") == (found.django, found.callable, found.tests)


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    """A file that only looks like one, and would never end."""
    os.mkfifo(tmp_path / "pyproject.toml")
    os.mkfifo(tmp_path / "app.py")
    found = look(tmp_path)
    assert ("app:application", "") == (found.callable, found.tests)


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    """Looking at a project imports none of its modules."""
    django(tmp_path, settings=f"open({str(tmp_path / 'ran')!r}, 'w')\n{SQLITE}")
    look(tmp_path)
    assert not (tmp_path / "ran").exists()
