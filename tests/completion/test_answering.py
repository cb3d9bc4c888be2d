"""What could stand in the place of the last word."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploytasks import namespace
from deploytasks.checklist import ITEMS
from deploytasks.completion.answering import answered
from deploytasks.completion.configured import block, environments
from deploytasks.completion.values import _OWN, _POSITIONAL

ENVIRONMENTS = ["development", "staging", "production"]
COLORS = ["blue", "green"]


def asked(line: str, project: Path, shell: str = "fish") -> list[str]:
    """What is offered, without its meaning; the last word of the line is begun, or empty."""
    return [each.partition("\t")[0] for each in answered(shell, line.split(" "), project)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("inv deploy --env ", ENVIRONMENTS),
        ("inv deploy --env s", ["staging"]),
        ("inv deploy --env=", [f"--env={name}" for name in ENVIRONMENTS]),
        ("inv deploy --env=p", ["--env=production"]),
        ("inv validate --env staging deploy --env ", ENVIRONMENTS),
        ("inv deploy --target ", COLORS),
        ("inv smoke --color ", [*COLORS, "live", "idle"]),
        ("inv rollback --to ", COLORS),
        ("inv shift --to ", ["10", "25", "50", "75", "100"]),
        ("inv shift ", ["10", "25", "50", "75", "100"]),
        ("inv deploy --version ", ["1.1.0", "1.2.0-rc.1"]),
        ("inv release-notes ", ["Unreleased", "1.2.0", "1.1.0"]),
        ("inv release-notes 1.2.0 --style g", ["github"]),
        ("inv maintenance-mode ", ["enable", "disable", "status"]),
        ("inv create-release m", ["major", "minor"]),
        ("inv notify-deployment roll", ["rolled-back"]),
        ("inv sign people.onc", ["people.oncall"]),
        ("inv override people.oncall,window.fr", ["people.oncall,window.freeze"]),
        ("inv deploy --env nowhere", []),
        ("inv deploy --reason ", []),
    ],
)
def test_values(line: str, offered: list[str], project: Path) -> None:
    """Where a value is wanted, the values that there are; where nobody knows them, nothing."""
    found = asked(line, project)
    assert sorted(offered) == sorted(found) if "--version" in line else offered == found


@pytest.mark.parametrize(
    ("line", "some", "not_these"),
    [
        ("inv ", ["deploy", "notify", "dig"], ["--env", "development"]),
        ("inv de", ["deploy", "deploy-blue-green"], ["dig"]),
        ("inv deploy --env staging ", ["status"], ["--env", "staging"]),
        ("inv deploy --plan ", ["status"], []),
        ("inv deploy --", ["--env", "--allow-older"], ["--list", "--color"]),
        ("inv rollback --", ["--watch", "--no-watch"], []),
        ("inv deploy --env staging smoke --c", ["--color"], []),
        ("inv dig --", ["--deep"], ["--env"]),
        ("inv --", ["--list", "--help"], ["--env"]),
        ("inv maintenance-mode enable ", ["deploy"], ["enable"]),
    ],
)
def test_tasks_and_options(line: str, some: list[str], not_these: list[str], project: Path) -> None:
    """Of the project's own task file, of the task that was named last; Invoke's own before any."""
    found = asked(line, project)
    assert [] == [each for each in some if each not in found]
    assert [] == [each for each in not_these if each in found]


def test_each_says_what_it_means(project: Path) -> None:
    """Where the shell can show it; bash cannot, and zsh wants colons escaped."""
    words = ["inv", "de"]
    said = "Deploy a release: back up, migrate, warm up, shift traffic, watch, verify."
    assert f"deploy\t{said}" in answered("fish", words, project)
    assert f"deploy:{said}" in answered("zsh", words, project)
    assert "deploy" in answered("bash", words, project)


@pytest.mark.parametrize("words", [["--env", "=", "s"], ["--env", "=", ""], ["--env", "="]])
def test_bash_takes_an_option_with_a_value_for_three_words(words: list[str], project: Path) -> None:
    """It replaces only what stands behind the `=`."""
    expected = ["staging"] if words[-1] == "s" else ENVIRONMENTS
    assert expected == answered("bash", ["inv", "deploy", *words], project)


def test_it_works_below_the_project(project: Path) -> None:
    """The task file is looked for upwards, as Invoke does."""
    assert ENVIRONMENTS == asked("inv status --env ", project / "sub")
    assert "dig" in asked("inv ", project / "sub")


@pytest.mark.parametrize(
    "text",
    [
        "deploy:\n  environments:\n    a:\n      traffic: {}\n    b: {x: 1}\n",
        "# x\ndeploy:\n    # x\n    application: x\n    environments:\n\n        a:\n        'b':\n    release: {}\n",
        "deploy:\n  environments: {a: {}, b: {}}\n",
        "deploy: {environments: {a: {}, b: {}}}\n",
        "deploy:\n  nested:\n    environments:\n      wrong:\n  environments: &all\n    a: *x\n    b:\n      c:\n",
    ],
)
def test_names_of_environments_however_they_are_written(text: str, tmp_path: Path) -> None:
    """In blocks, which takes no parser; in braces, which takes Invoke's."""
    (tmp_path / "invoke.yaml").write_text(text.replace("*x", "{}"))
    assert ["a", "b"] == list(environments(tmp_path))
    assert [] == block(text, "deploy", "no such key")


def test_a_configuration_in_json(tmp_path: Path) -> None:
    """Invoke reads that as well."""
    (tmp_path / "invoke.json").write_text('{"deploy": {"environments": {"a": {}, "b": {}}}}')
    assert ["a", "b"] == list(environments(tmp_path))


def test_the_items_are_those_of_the_checklist(project: Path) -> None:
    """They are found in the source, for importing it takes too long: all of them, and no others."""
    assert sorted(item.id for item in ITEMS) == sorted(asked("inv sign ", project))


def test_what_has_values_of_its_own_is_there() -> None:
    """A task or an option that is renamed is noticed here."""
    for task in (*_POSITIONAL, *_OWN):
        assert task in namespace.task_names or any(task in names for names in namespace.task_names.values()), task
    for task, options in _OWN.items():
        known = {f"--{option.name}" for option in namespace[task].get_arguments()}
        assert set(options) <= known, task


@pytest.mark.parametrize(
    "broken", ["raise RuntimeError('broken')", "import nothing_of_this_name", "raise SystemExit(3)"]
)
def test_nobody_is_told_of_errors(broken: str, tmp_path: Path) -> None:
    """Whoever presses Tab gets nothing, and no traceback between two words."""
    (tmp_path / "tasks.py").write_text(f"print('loud')\n{broken}\n")
    (tmp_path / "invoke.yaml").write_text("deploy: [")
    for line in (["inv", ""], ["inv", "deploy", "--env", ""], ["inv", "sign"], [], ["nothing"]):
        command = [sys.executable, "-m", "deploytasks", "complete", "bash", *line]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
        assert (0, "") == (done.returncode, done.stderr)
        assert "loud" not in done.stdout


def test_it_takes_no_time(project: Path) -> None:
    """150 ms are asked for; twice that on a machine that has other things to do. A value needs no Invoke at all."""
    for line, most in ((["deploy", "--env", ""], 0.15), (["dep"], 0.3)):
        command = [sys.executable, "-m", "deploytasks", "complete", "bash", "inv", *line]
        assert statistics.median(_took(command, project) for _ in range(5)) < most
    command = [sys.executable, "-X", "importtime", "-m", "deploytasks", "complete", "bash", "inv", "sign", ""]
    imported = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True, timeout=30).stderr
    assert not re.search(r"\| +(invoke|pydantic|rich|deploytasks\.(settings|checklist|tasks))$", imported, re.MULTILINE)


def _took(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=30)
    return time.perf_counter() - began
