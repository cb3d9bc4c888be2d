"""README.md says what is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import keepachangelog
import pytest
from pages import PAGES, ROOT, blocks, name, table

from deploytasks.errors import EXIT_CODES

README = ROOT / "README.md"


def listed() -> dict[str, str]:
    """What `inv --list` says: names in backquotes → help. The tasks of this repository's developers are left out."""
    command = [sys.executable, "-m", "invoke", "--list", "--list-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return {
        ", ".join(f"`{one}`" for one in (task["name"], *task["aliases"])): task["help"]
        for task in json.loads(done.stdout)["tasks"]
    }


def test_the_table_of_tasks_is_what_inv_lists() -> None:
    """Every task with its aliases and its own first line of help, and no other."""
    assert listed() == dict(table(README, "task", "what it does"))


def test_the_table_of_exit_codes_is_the_one_there_is() -> None:
    """Codes and meanings, word by word."""
    assert {str(code): meaning for code, meaning in EXIT_CODES.items()} == dict(table(README, "code", "meaning"))


@pytest.mark.parametrize("variable", ["TEST_COMMAND", "MAIN_COMMAND"])
def test_what_ci_runs_can_be_copied(variable: str) -> None:
    """Both commands stand on lines of their own, exactly as CI runs them."""
    (command,) = re.findall(rf'^{variable}="(.+)"$', (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"    {command}" in blocks(README)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_extras_that_are_named_exist(page: object) -> None:
    """`pip install 'deploytasks[…]'` installs something."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = set(re.findall(r"deploytasks\[([a-z,]+)\]", page.read_text(encoding="utf-8")))  # type: ignore[attr-defined]
    assert set() == {extra for group in named for extra in group.split(",")} - extras.keys()


@pytest.mark.parametrize("page", [page for page in PAGES if page != README], ids=name)
def test_exit_codes_elsewhere_exist(page: object) -> None:
    """A code that a page speaks of is in the table."""
    text = page.read_text(encoding="utf-8")  # type: ignore[attr-defined]  # a path, by the parameters above
    named = {int(code) for code in re.findall(r"\bcodes? (\d+)\b", text, re.IGNORECASE)}
    assert set() == named - EXIT_CODES.keys()


def test_the_changelog_can_be_read_by_a_machine() -> None:
    """It is in the format it says, and what is not released yet stands first."""
    changes = keepachangelog.to_dict(str(ROOT / "CHANGELOG.md"), show_unreleased=True)
    assert "unreleased" == next(iter(changes))
    assert any(section.get("added") for section in changes.values())
