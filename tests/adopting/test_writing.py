"""Files are written where none are, all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploytasks.adopting.writing import write

FILES = {"tasks.py": "from deploytasks import namespace\n", "a/b/c.yml": "c\n"}


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_all_of_them_are_written(tmp_path: Path) -> None:
    """With the folders they need, and with what git is to leave alone."""
    done = write(tmp_path, FILES, (".deploy/",))
    assert {**FILES, ".gitignore": ".deploy/\n"} == contents(tmp_path)
    assert ["wrote", "wrote", "wrote"] == [each.how for each in done]


def test_what_is_there_stays(tmp_path: Path) -> None:
    """And it is said what to add."""
    (tmp_path / "tasks.py").write_text("mine")
    (tmp_path / ".gitignore").write_text(".deploy/\n")
    done = write(tmp_path, FILES, (".deploy/",))
    assert "mine" == (tmp_path / "tasks.py").read_text()
    assert [f"kept  {tmp_path / 'tasks.py'}: add to it:  from deploytasks import namespace", "wrote"] == [
        str(done[0]), done[1].how
    ]  # fmt: skip


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Git takes no lines from a link, and what it leads to is nobody's business here."""
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    here.mkdir()
    elsewhere.write_text("theirs\n")
    (here / ".gitignore").symlink_to(elsewhere)
    *_, done = write(here, FILES, (".deploy/",))
    assert ("kept", True) == (done.how, done.advice.endswith("add to it:  .deploy/"))
    assert "theirs\n" == elsewhere.read_text()


@pytest.mark.parametrize("name", ["invoke.yml", "invoke.json", "invoke.py"])
def test_configuration_under_another_name(tmp_path: Path, name: str) -> None:
    """Invoke would read both, so theirs stays alone."""
    (tmp_path / name).write_text("")
    assert ["kept"] == [each.how for each in write(tmp_path, {"invoke.yaml": "deploy: {}\n"})]


@pytest.mark.parametrize("in_the_way", ["a", ".gitignore"])
def test_all_or_nothing(tmp_path: Path, in_the_way: str) -> None:
    """What was written before something could not be is taken away again, with its folders."""
    there = tmp_path / in_the_way
    there.write_text("mine") if in_the_way == "a" else there.mkdir()
    with pytest.raises(OSError, match=in_the_way):
        write(tmp_path, FILES, (".deploy/",))
    assert [there] == list(tmp_path.iterdir())


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    """What cannot be written to its end leaves nothing, neither of it nor of the others."""
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path, {**FILES, "a/b/c.yml": "\ud800"})
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("*.pyc\n", "*.pyc\n.deploy/\n"),
        ("*.pyc", "*.pyc\n.deploy/\n"),
        ("", ".deploy/\n"),
        (".deploy\n", ".deploy\n"),
        ("/.deploy/\n*.pyc", "/.deploy/\n*.pyc"),
    ],
)
def test_git_is_told_once(tmp_path: Path, before: str, after: str) -> None:
    """On a line of its own, unless it knows already."""
    (tmp_path / ".gitignore").write_text(before)
    for _ in range(2):
        write(tmp_path, {}, (".deploy/",))
    assert after == (tmp_path / ".gitignore").read_text()


def test_a_strange_gitignore(tmp_path: Path) -> None:
    """Bytes that are no text stay as they are."""
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")
    write(tmp_path, {}, (".deploy/",))
    assert b"caf\xe9\n.deploy/\n" == (tmp_path / ".gitignore").read_bytes()
