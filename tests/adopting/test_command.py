"""`deploytasks init`, as it is typed: what it writes, says and leaves with."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from adopting.ground import django, git, lay
from pages import ROOT

from deploytasks.__main__ import main
from deploytasks.settings import load

CI = ROOT / "docs/ci"


def init(folder: Path, *more: str) -> int:
    """The exit code of ``deploytasks init``."""
    return main(["init", "--folder", str(folder), *more])


def section(folder: Path) -> dict[str, object]:
    """The ``deploy:`` section that was written."""
    return dict(yaml.safe_load((folder / "invoke.yaml").read_text())["deploy"])


def test_a_django_project_has_all_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tasks, configuration, settings of a release, and what git leaves alone; then it is said what comes next."""
    git(django(tmp_path), "init", "--quiet")
    assert 0 == init(tmp_path)
    assert {"tasks.py", "invoke.yaml", "shop/deployed.py", ".gitignore"} <= {
        str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")
    }
    said = capsys.readouterr().out
    assert "next: inv doctor --env development" in said
    assert "tests before each deployment: `tests: python manage.py test` in invoke.yaml" in said


def test_a_virtual_environment_is_no_part_of_a_release(tmp_path: Path) -> None:
    """Git is told to leave it alone, for what git has becomes the release."""
    git(lay(tmp_path, **{".venv__pyvenv_cfg": ""}), "init", "--quiet")
    init(tmp_path)
    assert ".deploy/\n.venv/\n" == (tmp_path / ".gitignore").read_text()


def test_without_git_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release is made of commits."""
    init(tmp_path)
    assert "next: a release is made of what git has: git init" in capsys.readouterr().out


@pytest.mark.parametrize("template", ["servers", "aws-alb", "aws-ecs"])
def test_another_template(tmp_path: Path, template: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It has an environment called production, no settings for this machine, and says that it wants filling in."""
    git(django(tmp_path), "init", "--quiet")
    assert 0 == init(tmp_path, "--template", template)
    assert ["production"] == list(section(tmp_path)["environments"])  # type: ignore[call-overload]  # as it is written
    assert not (tmp_path / "shop/deployed.py").exists()
    assert "fill in what stands in <…>; `inv validate --env production` says what is left" in capsys.readouterr().out


def test_users_come_in_where_it_was_said(tmp_path: Path) -> None:
    """With `--listen`, whoever else listens there; the colors are beside it."""
    init(tmp_path, "--listen", "127.0.0.1:23456")
    settings = load(section(tmp_path), "development")
    assert "127.0.0.1:23456" == settings.sections["traffic"].listen  # type: ignore[attr-defined]  # an Envoy's


@pytest.mark.parametrize("more", [(), ("--print",)])
def test_an_address_that_is_none(tmp_path: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage, in one line, and nothing is written."""
    assert 2 == init(tmp_path, "--listen", "9000", *more)
    assert "--listen '9000' is no address: say HOST:PORT" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody has deleted it from another terminal: code 2, and no traceback."""
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    for more in ((), ("--print",)):
        assert 2 == main(["init", "--yes", *more])
        assert "No such file or directory" in capsys.readouterr().err
    tmp_path.mkdir()
    monkeypatch.undo()


def test_a_taken_port_is_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where something else has the usual one, the next is taken and said."""
    monkeypatch.setattr("deploytasks.adopting.command.nearest", lambda _: "127.0.0.1:8083")
    init(tmp_path)
    assert "users come in at 127.0.0.1:8083: `listen` in invoke.yaml" in capsys.readouterr().out
    assert "127.0.0.1:8083" in (tmp_path / "invoke.yaml").read_text()


def test_it_can_be_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same text, and nothing is written."""
    django(tmp_path)
    assert 0 == init(tmp_path, "--print", "--listen", "127.0.0.1:23456")
    printed = capsys.readouterr().out
    assert not (tmp_path / "invoke.yaml").exists()
    init(tmp_path, "--listen", "127.0.0.1:23456")
    assert (tmp_path / "invoke.yaml").read_text() == printed


EXPECTED = {
    "github": {f".github/workflows/{file.name}": file for file in (CI / "github").iterdir()},
    "gitlab": {".gitlab-ci.yml": CI / "gitlab/gitlab-ci.yml"},
}


@pytest.mark.parametrize("hub", EXPECTED)
def test_workflows_lie_where_they_are_looked_for(tmp_path: Path, hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the documentation, for the hub of the remote; what they need besides is said."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", f"git@{hub}.com:acme/shop.git")
    assert 0 == init(tmp_path, "--ci")
    for place, file in EXPECTED[hub].items():
        assert file.read_text() == (tmp_path / place).read_text()
    assert "requirements-deploy.txt must name deploytasks" in capsys.readouterr().out


def test_no_hub_has_no_workflows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said that there are none, and what to do."""
    assert 0 == init(tmp_path, "--ci")
    assert "no workflows: neither GitHub nor GitLab is known here" in capsys.readouterr().out


def test_workflows_may_come_later(tmp_path: Path) -> None:
    """To a repository that has the rest already; then nothing of that is touched."""
    lay(tmp_path, tasks_py="mine", invoke_yaml="deploy: {}\n")
    (tmp_path / ".gitlab-ci.yml").write_text("mine")
    assert 0 == init(tmp_path, "--ci")
    (tmp_path / ".gitlab-ci.yml").unlink()
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "git@gitlab.com:acme/shop.git")
    assert 0 == init(tmp_path, "--ci")
    assert "mine" == (tmp_path / "tasks.py").read_text()
    assert (tmp_path / ".gitlab-ci.yml").exists()


def test_the_wheel_has_them_all(tmp_path: Path) -> None:
    """Who installs the package has every template and workflow: written by it, from its own files."""
    (tmp_path / "dist").mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = (tmp_path / "dist").iterdir()
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    shop = tmp_path / "shop"
    shop.mkdir()
    git(shop, "init", "--quiet")
    git(shop, "remote", "add", "origin", "git@github.com:acme/shop.git")
    run = [sys.executable, "-m", "deploytasks", "init", "--ci", "--template", "aws-ecs"]
    there = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    subprocess.run(run, cwd=shop, env=there, check=True, capture_output=True, timeout=60)
    assert set() == {place for place in EXPECTED["github"] if not (shop / place).is_file()}
    assert "kind: ecs" in (shop / "invoke.yaml").read_text()


class Sitting:
    """``init`` at a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.said = ""
        self.master, terminal = pty.openpty()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "deploytasks", "init"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, close_fds=True,
        )  # fmt: skip
        os.close(terminal)

    def until(self, words: str) -> None:
        """Read on until something was said, or to the end."""
        with suppress(OSError):  # Linux says so when the other side is closed
            while words not in self.said and (read := os.read(self.master, 4096)):
                self.said += read.decode()

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, then type."""
        self.until(question)
        assert question in self.said, self.said
        self.said = self.said.partition(question)[2]
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        """What a terminal sends at Ctrl-C; again when it came between the question and the wait for its answer."""
        while self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(2)

    def code(self) -> int:
        """How it ended; what it said last is in ``said``."""
        self.until("\0")
        os.close(self.master)
        return self.popen.wait(20)


def test_somebody_is_asked_at_a_terminal(tmp_path: Path) -> None:
    """Answers and Enter, through a real terminal."""
    django(tmp_path)
    sitting = Sitting(tmp_path)
    sitting.answer("Which of these? [embedded] ", "heroku\n")
    sitting.answer("Which of these? [embedded] ", "\n")
    sitting.answer("What is it called", "books\n")
    sitting.answer("Which command serves one color", "\n")
    sitting.answer("Which page answers 200", "\n")
    sitting.answer("Where do users come in", "127.0.0.1:23456\n")
    sitting.answer("Which command tests it", "\n")
    assert 0 == sitting.code(), sitting.said
    assert ("books", "python manage.py test") == (section(tmp_path)["application"], section(tmp_path)["tests"])
    assert "listen: 127.0.0.1:23456" in (tmp_path / "invoke.yaml").read_text()


@pytest.mark.parametrize("key", ["\x04", "\x03"], ids=["Ctrl-D", "Ctrl-C"])
def test_whoever_leaves_leaves_nothing(tmp_path: Path, key: str) -> None:
    """In the middle of the questions: code 130, in one line, and no file."""
    sitting = Sitting(tmp_path)
    sitting.answer("Which of these?", "\n")
    if key == "\x03":
        sitting.until("What is it called")
        sitting.interrupt()
    else:
        sitting.answer("What is it called", key)
    assert 130 == sitting.code()
    assert "nothing was written" in sitting.said
    assert "Traceback" not in sitting.said
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--yes", "--template=embedded"])
def test_who_has_decided_is_not_asked(tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal as well."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", None)
    assert 0 == init(tmp_path, option)
