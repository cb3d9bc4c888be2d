"""Repositories to look at: a few files each, as people have them."""

from __future__ import annotations

import subprocess
from pathlib import Path

MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{module}")\n'
SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}\n'
POSTGRES = 'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}\n'
SETTINGS = 'ROOT_URLCONF = "shop.urls"\nWSGI_APPLICATION = "shop.wsgi.application"\n'
ADMIN = 'path("admin/", admin.site.urls)'


def lay(folder: Path, **files: str) -> Path:
    """Write files by their paths, with ``__`` for a slash and ``_py`` and the like as what they end with."""
    for name, text in files.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        file = folder / f"{stem}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def django(folder: Path, *urls: str, settings: str = SQLITE) -> Path:
    """A Django project ``shop`` with these lines of URLs."""
    listed = "".join(f"    {line},\n" for line in urls or (ADMIN,))
    return lay(
        folder,
        manage_py=MANAGE.format(module="shop.settings"),
        shop__settings_py=SETTINGS + settings,
        shop__urls_py=f"urlpatterns = [\n{listed}]\n",
    )


def git(folder: Path, *arguments: str) -> None:
    """Run git there."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)
