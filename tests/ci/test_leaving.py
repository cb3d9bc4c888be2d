"""The exit code as an output, and errors as annotations, whichever task it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import Collection, Context, Program
from invoke.tasks import task
from lab.runner import obeyed, outputs

from deploytasks.ci import files
from deploytasks.ci.leaving import left
from deploytasks.errors import GateRefused
from deploytasks.executor import ChainExecutor


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of a job in GitHub Actions: its output file."""
    monkeypatch.setattr(files, "_mentioned", set())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITLAB_CI", raising=False)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return tmp_path / "output"


@task
def refuse(c: Context) -> None:
    """A gate that refuses."""
    raise GateRefused("2 items are open:\n::set-output name=code::0", do="see `inv checklist`, 50 %")


@task
def told(c: Context) -> None:
    """One that has told people already."""
    error = GateRefused("x")
    error.told = True
    raise error


@task
def fine(c: Context) -> None:
    """All is well."""


def run(name: str) -> int:
    """The exit code of a chain."""
    program = Program(namespace=Collection(refuse, told, fine), executor_class=ChainExecutor)
    with pytest.raises(SystemExit) if name != "fine" else pytest.MonkeyPatch.context() as caught:
        program.run(["inv", name])
    return getattr(getattr(caught, "value", None), "code", 0) or 0


def test_an_error(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once as an annotation with the meaning of its code, once as the text that it is; obeyed is only ours."""
    assert 3 == run("refuse")
    err = capsys.readouterr().err
    (found,) = obeyed(err)
    assert ("error", {"title": "exit code 3: a gate refused"}) == (found.name, found.properties)
    assert found.text.endswith("do:    see `inv checklist`, 50 %")
    assert ": :set-output" in err
    assert {"code": "3"} == outputs(step.read_text())


def test_one_that_was_told_has_a_code_alone(step: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its annotation is there already."""
    assert 3 == run("told")
    assert [] == obeyed(capsys.readouterr().err)
    assert {"code": "3"} == outputs(step.read_text())


def test_when_all_is_well(step: Path) -> None:
    """The code is there as well."""
    assert 0 == run("fine")
    assert {"code": "0"} == outputs(step.read_text())


def test_elsewhere_nothing_changes(
    step: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At GitLab the text is harmless there, on a person's machine it is as it was."""
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::error::" == left(3, "::error::")
    monkeypatch.setenv("GITLAB_CI", "true")
    assert "section_start :1:a" == left(3, "section_start:1:a")
    assert "" == capsys.readouterr().err
    assert not step.exists()
