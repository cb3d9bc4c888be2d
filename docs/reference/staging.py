"""The pages of the site in one folder: those of docs/ with the tables of keys, two beside it, those that are made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from . import checklist_page, codes_page, keys_tables, tasks_page
from .linking import Linking
from .lists import indented

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

BESIDE: Mapping[str, str] = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages outside of docs/ → where the site has them."""
MADE: Mapping[str, Callable[[], str]] = {
    "reference/tasks.md": tasks_page.page,
    "reference/exit-codes.md": codes_page.page,
    "reference/checklist.md": checklist_page.page,
}
"""Pages that nobody has written."""
ELSEWHERE: Mapping[str, str] = {
    "README.md": "index.md",
    "README.md#the-tasks": "reference/tasks.md",
    "README.md#exit-codes": "reference/exit-codes.md",
    **BESIDE,
}
"""What a link leads to in the repository → the page of the site that has it."""
LEFT_OUT = {".py", ".pyc"}
"""What makes pages and pictures is no part of them."""


def lay_out(to: Path) -> list[Path]:
    """Write all pages and what they show into ``to``, which is emptied first; returns the pages."""
    shutil.rmtree(to, ignore_errors=True)
    files = _files()
    places = {path.relative_to(ROOT).as_posix(): path.relative_to(DOCS).as_posix() for path in files} | {**ELSEWHERE}
    pages = {place: _page(source, place, places) for place, source in written().items()}
    pages |= {place: made() for place, made in MADE.items()}
    for path in files:
        if path.suffix != ".md":
            _written_to(to / path.relative_to(DOCS)).write_bytes(path.read_bytes())
    for place, text in pages.items():
        _written_to(to / place).write_text(text, encoding="utf-8")
    return sorted(to / place for place in pages)


def written() -> dict[str, str]:
    """Pages that somebody has written: where the site has them → where they are in the repository."""
    own = [path for path in _files() if path.suffix == ".md"]
    return {path.relative_to(DOCS).as_posix(): path.relative_to(ROOT).as_posix() for path in own} | {
        place: source for source, place in BESIDE.items()
    }


def _files() -> list[Path]:
    return [path for path in DOCS.rglob("*") if path.is_file() and path.suffix not in LEFT_OUT]


def _page(source: str, place: str, places: Mapping[str, str]) -> str:
    text = keys_tables.filled((ROOT / source).read_text(encoding="utf-8"))
    return indented(Linking(source, place, places).led(text))


def _written_to(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
