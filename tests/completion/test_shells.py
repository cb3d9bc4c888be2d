"""Tab, pressed in real shells."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from completion.shells import BIN, offered, run
from lab.parts import program

from deploytasks.completion import SHELLS, script


@pytest.mark.parametrize("shell", SHELLS)
def test_tasks_environments_and_options(shell: str, project: Path, tmp_path: Path) -> None:
    """What is offered is what there is in this project."""
    for at, (line, expected) in enumerate({
        "inv dep": ["deploy", "deploy-blue-green"],
        "inv deploy --env ": ["development", "production", "staging"],
        "inv deploy --al": ["--allow-older"],
        "inv sign people.onc": ["people.oncall"],
    }.items()):  # fmt: skip
        (tmp_path / str(at)).mkdir()
        assert expected == sorted(offered(shell, line, project, tmp_path / str(at)))


def test_zsh_finds_it_as_a_file_of_its_own(project: Path, tmp_path: Path) -> None:
    """Named ``_inv`` in a folder of ``fpath``, and loaded when it is first needed."""
    assert ["development", "production", "staging"] == sorted(
        offered("zsh, by fpath", "inv deploy --env ", project, tmp_path)
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_value_behind_an_equals_sign(shell: str, project: Path, tmp_path: Path) -> None:
    """In bash the value alone is replaced, elsewhere the whole word."""
    expected = "production" if shell == "bash" else "--env=production"
    assert [expected] == offered(shell, "inv deploy --env=pr", project, tmp_path)


def test_an_inv_without_deploytasks_completes_as_before(project: Path, tmp_path: Path) -> None:
    """Another project's own, first on the PATH: Invoke's own answers are handed on."""
    other = tmp_path / "bin"
    other.mkdir()
    (other / "inv").write_text('#!/bin/sh\n[ "$1" = --complete ] && printf "clean\\ncheck\\nrun\\n"\n')
    (other / "inv").chmod(0o755)
    (tmp_path / "inv.bash").write_text(script("bash"))
    pressed = "COMP_WORDS=(inv c) COMP_CWORD=1; _deploytasks_inv; echo ${COMPREPLY[*]}"
    said = f"PATH={other}:$PATH; source {tmp_path}/inv.bash; {pressed}"
    assert "clean check\n" == run([program("bash"), "--norc", "-c", said], project).stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed_and_is_one(shell: str, project: Path) -> None:
    """By the command that people are told to type; the shell finds no mistake in it."""
    printed = run([str(BIN / "python"), "-m", "deploytasks", "completion", shell], project)
    assert (0, script(shell)) == (printed.returncode, printed.stdout)
    checked = run([program(shell), "-n"], project, given=printed.stdout)
    assert (0, "") == (checked.returncode, checked.stderr)


def test_an_unknown_shell_is_wrong_usage(project: Path) -> None:
    """Code 2, and which ones there are."""
    done = run([str(BIN / "python"), "-m", "deploytasks", "completion", "tcsh"], project)
    assert 2 == done.returncode
    assert all(shell in done.stderr for shell in SHELLS)


def test_beside_inv_there_is_the_command_that_answers() -> None:
    """The scripts look for it there."""
    assert shutil.which("deploytasks", path=str(BIN))
