"""``inv --help TASK``: what a task does, and of each option what it takes, in which unit, and its default."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploytasks import namespace
from deploytasks.tasks.options import described

if TYPE_CHECKING:
    from invoke.parser.argument import Argument

TASKS = sorted(name for name in namespace.task_names if not name.startswith("dev."))
NOTHING = (None, False, 0, "")
WITHOUT = re.compile(r"\bdefault\b|\bneeded\b", re.IGNORECASE)
UNITS = re.compile(r"\b(seconds|percent|lines|events|requests|errors|deployments|days|whole number)\b", re.IGNORECASE)


def options() -> Iterator[tuple[str, Argument]]:
    """Every option of every task of ours."""
    for task in TASKS:
        for option in namespace[task].get_arguments():
            yield f"{task} --{option.name}", option


OPTIONS = dict(options())


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_told_in_one_line(name: str) -> None:
    """A sentence that says what it does, as `inv --list` shows it whole."""
    said = inspect.getdoc(namespace[name].body) or ""
    assert re.fullmatch(r"[A-Z][^\n]{15,114}\.", said), said


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_explained(name: str) -> None:
    """In a sentence; and not in words that only its name has."""
    said = OPTIONS[name].help or ""
    assert re.fullmatch(r"\S[^\n]{6,}[.)]", said), said


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.kind in (int, float)])
def test_a_number_has_a_unit(name: str) -> None:
    """A number alone is seconds to one and minutes to another."""
    assert UNITS.search(OPTIONS[name].help), OPTIONS[name].help


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if "ow long" in (option.help or "")])
def test_a_duration_shows_how_it_is_written(name: str) -> None:
    """With a unit, as in the configuration."""
    assert re.search(r"\b\d+[smhd]\b", OPTIONS[name].help), OPTIONS[name].help


@pytest.mark.parametrize(
    "name", [name for name, option in OPTIONS.items() if option.default not in NOTHING and option.kind is not list]
)
def test_a_default_is_shown(name: str) -> None:
    """By its value; for what is on by itself, how to turn it off."""
    option = OPTIONS[name]
    said = (
        f"--no-{option.name}"
        if option.default is True
        else f"{option.default:g}"
        if option.kind is float
        else option.default
    )
    assert str(said) in option.help, option.help


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, of in OPTIONS.items()
        if of.kind is not bool and (of.default in NOTHING or of.kind is list) and not of.positional
    ],
)
def test_what_is_so_without_it_is_said(name: str) -> None:
    """What happens when it is not given, or that it must be."""
    assert WITHOUT.search(OPTIONS[name].help), OPTIONS[name].help


@pytest.mark.parametrize(
    ("words", "default", "said"),
    [
        ("Lines to begin with.", 100, "Lines to begin with. Default: 100."),
        ("Seconds to wait.", 15.0, "Seconds to wait. Default: 15."),
        ("Watch afterwards.", True, "Watch afterwards. On by default: --no-watch leaves it out."),
        ("How: github or text.", "text", "How: github or text. Default: text."),
        ("Which one. Default: the last.", "last", "Which one. Default: the last."),
        ("Do it all the same.", False, "Do it all the same."),
        ("Several.", ["a"], "Several."),
        (None, 7, None),
    ],
)
def test_a_default_comes_after_the_words(words: str | None, default: object, said: str | None) -> None:
    """Once, by itself: nobody writes it twice, and so nobody forgets to change it."""
    assert said == described(words, "watch", default)


def test_it_is_what_people_read(tmp_path: Path) -> None:
    """The real thing, in 80 columns: options below each other, defaults at their end."""
    (tmp_path / "tasks.py").write_text("from deploytasks import namespace\n")
    command = [sys.executable, "-m", "invoke", "--help", "logs"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30).stdout
    assert "Follow the application's log on all hosts" in said
    assert "--lines=INT" in said
    assert "Default: 100." in " ".join(said.split())
