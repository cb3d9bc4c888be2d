"""The files of a step in GitHub Actions: whole, within their limits, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from lab.runner import outputs

from deploytasks.ci import files
from deploytasks.ci.files import CUT, LARGEST, fitting, output, summarize, written


@pytest.fixture(autouse=True)
def _mentions_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_mentioned", set())


def test_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its name, several lines as they are; what is written later counts."""
    file = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    output({"code": 4, "why": "one\ntwo", "nothing": None})
    output({"code": 0})
    assert {"code": "0", "why": "one\ntwo", "nothing": ""} == outputs(file.read_text())


@given(
    st.text(st.characters(exclude_categories=("Cs",)).filter(lambda c: c != "\r")), st.text("<=\n endx0", max_size=40)
)
def test_no_value_becomes_another_output(first: str, second: str) -> None:
    """Whatever it looks like: the marks around it are new each time."""
    assert {"a": first + second, "b": "x"} == outputs(written("a", first + second) + written("b", "x"))
    assert written("a", "x") != written("a", "x")


def test_secrets_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of both files."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("SHOP_API_KEY", "correct-horse-battery")
    output({"why": "it said correct-horse-battery"})
    summarize("it said correct-horse-battery")
    assert "it said ***" == outputs((tmp_path / "output").read_text())["why"]
    assert "it said ***" == (tmp_path / "summary").read_text().strip()


def test_a_summary_is_never_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what several tasks say in one step, as much as there is room for, and a word about the rest."""
    file = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    for _ in range(6):
        summarize("ä one line\n" * 20_000)
    assert LARGEST - 1000 < file.stat().st_size <= LARGEST
    assert file.read_text().endswith(CUT)


@pytest.mark.parametrize("room", [-5, 0, len(CUT), len(CUT.encode()) + 7, 200])
def test_what_fits(room: int) -> None:
    """Whole lines, or nothing."""
    found = fitting("äöü\n" * 1000, room)
    assert len(found.encode()) <= max(0, room)
    assert set(found.removesuffix(CUT).splitlines()) <= {"äöü"}


def test_a_file_that_cannot_be_written_is_mentioned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And stops nobody."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "such" / "file"))
    for _ in range(3):
        output({"code": 0})
        summarize("x")
    told = capsys.readouterr().err.splitlines()
    assert ["what $GITHUB_OUTPUT names cannot be written: Is a directory",
            "what $GITHUB_STEP_SUMMARY names cannot be written: No such file or directory"] == told  # fmt: skip


def test_without_the_variables_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor told."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    output({"code": 0})
    summarize("x")
    assert [] == list(tmp_path.iterdir())
