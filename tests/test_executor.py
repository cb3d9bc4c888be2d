from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection, Program, call, task
from invoke.exceptions import Exit, UnexpectedExit
from invoke.runners import Result

from deploytasks.errors import GateRefused, Interrupted
from deploytasks.executor import ChainExecutor, require

Seen = list[tuple[Any, ...]]


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def tasks(seen: Seen) -> Collection:
    """A small world of tasks that write down what they were called with."""

    @task
    def clean(c, deep=False):
        seen.append(("clean", deep))

    @task(pre=[clean])
    def validate(c, env=None, plan=False):
        seen.append(("validate", env, plan))

    @task
    def build(c, env=None, version=None):
        seen.append(("build", env, version))

    @task
    def tell(c, env=None, yes=False, hotfix=False):
        seen.append(("tell", env, yes, hotfix))

    @task(pre=[validate, build], post=[tell])
    def deploy(c, env=None, version=None, hotfix=False, plan=False, yes=False):
        seen.append(("deploy", env, version, hotfix, plan, yes))

    @task
    def smoke(c, env=None):
        seen.append(("smoke", env))

    @task(pre=[call(smoke, "fixed")])
    def pinned(c, env=None):
        seen.append(("pinned", env))

    @task(pre=[smoke])
    def nightly(c):
        seen.append(("nightly",))

    return Collection(clean, validate, build, tell, deploy, smoke, pinned, nightly)


def inv(tasks: Collection, line: str) -> int:
    """The exit code of a command line, run in this process."""
    try:
        Program(namespace=tasks, executor_class=ChainExecutor).run(f"inv {line}")
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def raising(error: BaseException) -> Collection:
    """One task, ``fail``, that raises ``error``."""

    @task
    def fail(c):
        raise error

    return Collection(fail)


def test_env_travels_along_the_chain(tasks: Collection, seen: Seen) -> None:
    """One --env is enough for all tasks of a command line, wherever it stands."""
    assert inv(tasks, "smoke build --env staging") == 0
    assert [("smoke", "staging"), ("build", "staging", None)] == seen


def test_a_task_hands_down_to_its_pre_and_post_tasks(tasks: Collection, seen: Seen) -> None:
    """Env, plan, version and hotfix reach pre-tasks, their pre-tasks and post-tasks; consent does not."""
    assert inv(tasks, "deploy --env staging --version 1.2.0 --hotfix --plan --yes") == 0
    assert [
        ("clean", False),
        ("validate", "staging", True),
        ("build", "staging", "1.2.0"),
        ("deploy", "staging", "1.2.0", True, True, True),
        ("tell", "staging", False, True),
    ] == seen


def test_only_env_travels_between_neighbors(tasks: Collection, seen: Seen) -> None:
    """Version and plan of one task are nobody else's business on the same command line."""
    assert inv(tasks, "build --version 9.9.9 deploy --env staging") == 0
    assert ("build", "staging", "9.9.9") in seen
    assert ("build", "staging", None) in seen


def test_two_envs_and_a_task_without_one_are_refused(
    tasks: Collection, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between two environments nobody guesses: code 2, and nothing has run."""
    assert inv(tasks, "smoke --env staging build --env production validate") == 2
    assert not seen
    assert "validate: which --env? production and staging are both given" in capsys.readouterr().err


def test_two_explicit_envs_are_fine(tasks: Collection, seen: Seen) -> None:
    """Each task keeps its own environment, and so do its pre-tasks."""
    assert inv(tasks, "deploy --env staging deploy --env production") == 0
    assert ["staging", "production"] == [one[1] for one in seen if one[0] == "validate"]


def test_what_a_call_fixes_is_not_overwritten(tasks: Collection, seen: Seen) -> None:
    """An argument given in code to a pre-task wins over what would be inherited."""
    assert inv(tasks, "pinned --env staging") == 0
    assert [("smoke", "fixed"), ("pinned", "staging")] == seen


def test_env_passes_through_a_task_that_does_not_take_it(tasks: Collection, seen: Seen) -> None:
    """A task without --env still lets the chain's environment through to its own pre-tasks."""
    assert inv(tasks, "nightly build --env staging") == 0
    assert ("smoke", "staging") in seen


def test_a_pre_task_with_defaults_runs_once(tasks: Collection, seen: Seen) -> None:
    """Named on the command line or reached as a pre-task, equal arguments are one run."""
    assert inv(tasks, "clean validate deploy --env staging") == 0
    assert 1 == seen.count(("clean", False))


def test_a_task_named_twice_runs_twice(tasks: Collection, seen: Seen) -> None:
    """What a person types is done as often as it is typed."""
    assert inv(tasks, "smoke smoke --env staging") == 0
    assert 2 == seen.count(("smoke", "staging"))


def test_same_named_tasks_of_two_collections_both_run(seen: Seen) -> None:
    """Two tasks that look alike are two tasks, unlike in Invoke, which compares names and code."""

    def member(key: str) -> Any:
        @task
        def check(c):
            seen.append((c.key,))

        collection = Collection(key, check)
        collection.configure({"key": key})
        return collection, check

    (one, first), (two, second) = member("one"), member("two")

    @task(pre=[first, second])
    def both(c):
        seen.append(("both",))

    assert inv(Collection(both, one, two), "both") == 0
    assert [("one",), ("two",), ("both",)] == seen


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (GateRefused("the window is closed", state="nothing changed", do="wait"), 3, "state: nothing changed"),
        (Interrupted(143), 143, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted by Ctrl-C"),
        (ZeroDivisionError("over\nthere"), 1, "unforeseen: ZeroDivisionError: over; run again with --debug"),
        (Exit("told", code=42), 42, "told"),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error leaves with its code and its sentence on stderr, and without a traceback."""
    assert inv(raising(error), "fail") == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert not captured.out


def test_a_failing_command_keeps_invokes_own_code() -> None:
    """A task of a user's own that runs a failing command leaves with that command's code, as always."""
    assert inv(raising(UnexpectedExit(Result(exited=7))), "fail") == 7


@pytest.mark.parametrize("line", ["--debug fail", "fail --debug"])
def test_debug_shows_the_traceback_and_keeps_the_code(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With --debug, before or after the task, one sees where it came from."""
    assert inv(raising(GateRefused("no")), line) == 3
    assert "Traceback" in capsys.readouterr().err


def test_invoke_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The environment variable does what the flag does, for CI."""
    monkeypatch.setenv("INVOKE_DEBUG", "1")
    assert inv(raising(GateRefused("no")), "fail") == 3
    assert "Traceback" in capsys.readouterr().err


def test_autoprint_still_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Completing a call's arguments does not hide its result."""

    @task(autoprint=True)
    def answer(c, env=None):
        return f"42 in {env}"

    assert inv(Collection(answer), "answer --env staging") == 0
    assert capsys.readouterr().out == "42 in staging\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Someone else's repository, with tasks of its own that ask for our executor."""
    (tmp_path / "tasks.py").write_text(
        "from invoke import task\n"
        "from deploytasks.executor import require\n"
        "@task\n"
        "def check(c, env=None):\n"
        "    require()\n"
        "    print('check', env)\n"
        "@task(pre=[check])\n"
        "def ship(c, env=None):\n"
        "    print('ship', env)\n"
    )
    return tmp_path


def _stock_inv(folder: Path, *line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *line],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_stock_inv_uses_it_from_invoke_yaml(repository: Path) -> None:
    """One line in another repository's invoke.yaml is enough."""
    (repository / "invoke.yaml").write_text("tasks: {executor_class: deploytasks.executor.ChainExecutor}\n")
    done = _stock_inv(repository, "ship", "--env", "staging")
    assert (0, "check staging\nship staging\n") == (done.returncode, done.stdout)


def test_no_dedupe_is_respected(repository: Path) -> None:
    """Invoke's own switch still turns the removal of repeated pre-tasks off."""
    (repository / "invoke.yaml").write_text("tasks: {executor_class: deploytasks.executor.ChainExecutor}\n")
    once = _stock_inv(repository, "check", "ship", "--env", "staging")
    twice = _stock_inv(repository, "--no-dedupe", "check", "ship", "--env", "staging")
    assert (1, 2) == (once.stdout.count("check"), twice.stdout.count("check"))


def test_without_it_a_task_says_what_is_missing(repository: Path) -> None:
    """A repository that forgot the line reads which one, with code 2, before anything happens."""
    done = _stock_inv(repository, "ship", "--env", "staging")
    assert (2, "") == (done.returncode, done.stdout)
    assert "executor_class: deploytasks.executor.ChainExecutor" in done.stderr
    assert "Traceback" not in done.stderr


def test_require_outside_of_a_run() -> None:
    """A task's body called from code, without any executor, is told too."""
    with pytest.raises(Exit, match="executor_class"):
        require()


@pytest.mark.parametrize(
    "error", [GateRefused("denied for hunter2-hunter2"), ValueError("x" * 285 + "hunter2-hunter2")]
)
def test_no_error_text_shows_a_secret(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever an error quotes, a secret of the environment is not shown: not in one line, not in a traceback."""
    monkeypatch.setenv("MESSAGES_TOKEN", "hunter2-hunter2")
    for line in ("fail", "-d fail"):
        inv(raising(error), line)
    said = "".join(capsys.readouterr())
    assert "hunter2" not in said
    assert "***" in said
