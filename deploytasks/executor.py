"""How a chain of tasks is run: arguments that travel, each pre- and post-task once, errors as exit codes.

Named in ``invoke.yaml`` (``tasks: {executor_class: deploytasks.executor.ChainExecutor}``), so that plain
``inv`` uses it. Invoke imports it just before tasks run; ``inv --list`` does not load it.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, NoReturn

from invoke.exceptions import Exit, ParseError, UnexpectedExit
from invoke.executor import Executor
from invoke.tasks import Call, Task

from . import interrupt, outcries
from .errors import EXIT_CODES, DeployError, Interrupted

ALONG_THE_CHAIN = ("env",)
"""What a task on the command line takes from the others on it."""
TO_PRE_AND_POST = ("env", "plan", "plan_file", "version", "hotfix", "allow_older", "exclude_host", "reason")
"""What a task hands down to its own pre- and post-tasks. Consent (``yes``) never travels."""
NAME = "deploytasks.executor.ChainExecutor"

_is_running: ContextVar[bool] = ContextVar("deploytasks.executor", default=False)
_endings: list[Callable[[], None]] = []
_remainder: ContextVar[str] = ContextVar("deploytasks.executor.remainder", default="")


def remainder() -> str:
    """What stands after ``--`` on the command line, its words joined by blanks, as ssh joins them."""
    return _remainder.get()


def at_the_end(work: Callable[[], None]) -> None:
    """Have something done when the whole chain is over, however it ended. What it raises changes no exit code."""
    if work not in _endings:
        _endings.append(work)


def _end() -> None:
    while _endings:
        with suppress(Exception, KeyboardInterrupt):
            _endings.pop(0)()


def require() -> None:
    """Leave with code 2 unless this executor runs the tasks.

    Without it ``--env`` would not reach the pre-tasks and errors would end in tracebacks; a task that
    is about to change something asks first.
    """
    if not _is_running.get():
        message = f"the tasks must be run by {NAME}\n  do:    add to invoke.yaml:  tasks: {{executor_class: {NAME}}}"
        raise Exit(message, code=2)


class ChainExecutor(Executor):
    """Invoke's executor, with arguments that travel and with the exit codes of ``errors.EXIT_CODES``."""

    _named: Sequence[Call] = ()
    """The calls of the command line."""
    _shared: Mapping[str, object] = {}
    """What the whole chain shares."""

    def execute(self, *tasks: Any) -> dict[Task[Any], Any]:
        """Run the tasks and what belongs to them. Every error of ours leaves as ``Exit`` with its own code."""
        _collect_rarely()
        outcries.cleaned()
        token = _is_running.set(True)
        _remainder.set(str(getattr(self.core, "remainder", "") or ""))
        try:
            with interrupt.caught():
                results: dict[Task[Any], Any] = super().execute(*tasks)
            _told_the_ci(0, "")
            return results
        except (Exit, ParseError, UnexpectedExit) as error:
            _clean(error)
            raise  # Invoke has its own way with these
        except DeployError as error:
            self._leave(error, "" if error.told else str(error), error.exit_code)
        except KeyboardInterrupt as error:
            code = error.exit_code if isinstance(error, Interrupted) else 130
            self._leave(error, str(error) or EXIT_CODES[code].partition(",")[0], code)
        except Exception as error:  # noqa: BLE001  # the last door: whatever is left is a bug, told in one line
            self._leave(error, _in_one_line(error), 1)
        finally:
            _is_running.reset(token)
            _end()

    def _leave(self, error: BaseException, message: str, code: int) -> NoReturn:
        if self._is_debugging():
            sys.stderr.write(outcries.told(error))
        said = _told_the_ci(code, _cleaned(message))
        if _endings and said:  # before what is done at the end, which may take its time
            sys.stderr.write(f"{said}\n")
            said = ""
        raise Exit(said, code=code) from error

    def _is_debugging(self) -> bool:
        # `inv -d`, before or after a task's name; INVOKE_DEBUG is what Invoke itself reads, at import.
        asked = self.core is not None and bool(self.core[0].args.debug.value)
        return asked or bool(os.environ.get("INVOKE_DEBUG"))

    def normalize(self, tasks: tuple[Any, ...]) -> list[Call]:
        """The calls of the command line, with what they share and every default spelled out."""
        calls = super().normalize(tasks)
        self._shared = {name: value for name in ALONG_THE_CHAIN if (value := _share(name, calls)) is not None}
        self._named = [self._complete(call) for call in calls]
        return list(self._named)

    def expand_calls(self, calls: list[Call]) -> list[Call]:
        """Each call between its pre- and post-tasks, theirs around them, all with what is handed down."""
        return [one for call in calls for one in self._around(call, self._shared)]

    def _around(self, call: Call, inherited: Mapping[str, object]) -> Iterable[Call]:
        handed = {**inherited, **_handed_down(call)}
        for task in call.pre:
            yield from self._around(self._complete(_as_call(task), handed), handed)
        yield call
        for task in call.post:
            yield from self._around(self._complete(_as_call(task), handed), handed)

    def _complete(self, call: Call, inherited: Mapping[str, object] | None = None) -> Call:
        """The call with every argument spelled out, so that equal calls compare equal, and with its name.

        Invoke gives a task of the command line all its defaults and a pre-task none; and it loads the
        configuration of a nested collection only for a call that knows its name.
        """
        signature = call.task.argspec(call.task.body)
        bound = signature.bind_partial(*call.args, **call.kwargs)
        for name, value in (inherited or {}).items():
            if name in signature.parameters:
                bound.arguments.setdefault(name, value)
        bound.apply_defaults()
        return Call(call.task, call.called_as or self._name_of(call.task), kwargs=dict(bound.arguments))

    def _name_of(self, task: Task[Any]) -> str | None:
        names = (name for name in self.collection.task_names if self.collection[name] is task)
        return next(names, None)

    def dedupe(self, calls: list[Call]) -> list[Call]:
        """Pre- and post-tasks once per task and arguments; what the command line names runs as often as named."""
        kept: list[Call] = []
        for call in calls:
            named = any(call is one for one in self._named)
            if named or not any(_same(call, one) for one in kept):
                kept.append(call)
        return kept


def _told_the_ci(code: int, message: str) -> str:
    """The message as the log of a CI may have it, after it was told what came of all this."""
    if not (os.environ.get("GITHUB_ACTIONS") or os.environ.get("GITLAB_CI")):
        return message
    from .ci.leaving import left

    return left(code, message)


def _cleaned(text: Any) -> Any:
    from . import redaction  # see outcries

    return redaction.clean(text)


def _clean(error: Exit | ParseError | UnexpectedExit) -> None:
    """What Invoke is going to print of it."""
    if isinstance(error, Exit):
        error.message = _cleaned(error.message)
    elif isinstance(error, UnexpectedExit):
        said = error.result
        said.command, said.stdout, said.stderr = map(_cleaned, (said.command, said.stdout, said.stderr))
    else:
        error.args = tuple(map(_cleaned, error.args))


def _collect_rarely() -> None:
    """Most of what a command makes is what it imports. Python looks through that again and again, and once more at
    its end, for what could be freed: in a rollback, nothing, for 30 ms."""
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)


def _share(name: str, calls: Sequence[Call]) -> object:
    """Give a value that the command line names to every call that takes it and has none; return it.

    Two values are fine as long as each task that takes one has its own; then nothing is shared.
    """
    given = {call.kwargs[name] for call in calls if call.kwargs.get(name) is not None}
    takers = [call for call in calls if _takes(call, name) and call.kwargs.get(name) is None]
    if len(given) > 1:
        if takers:
            names = " and ".join(sorted(map(str, given)))
            raise Exit(f"{takers[0].called_as}: which --{name}? {names} are both given: give one to each task", code=2)
        return None
    value = next(iter(given), None)
    for call in takers:
        call.kwargs[name] = value
    return value


def _handed_down(call: Call) -> dict[str, object]:
    return {name: call.kwargs[name] for name in TO_PRE_AND_POST if call.kwargs.get(name) is not None}


def _takes(call: Call, name: str) -> bool:
    return name in call.task.argspec(call.task.body).parameters


def _as_call(task: Task[Any] | Call) -> Call:
    return Call(task) if isinstance(task, Task) else task


def _same(one: Call, other: Call) -> bool:
    # By identity: Invoke takes tasks of two modules with the same name and code for the same.
    return one.task is other.task and one.args == other.args and one.kwargs == other.kwargs


def _in_one_line(error: Exception) -> str:
    text = (_cleaned(str(error)).strip().splitlines() or [""])[0]  # before it is cut: a part is a secret, too
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"unforeseen: {said[:300]}; run again with --debug"
