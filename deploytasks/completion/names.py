"""Names of tasks and of options, from the task file and from Invoke."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke import Collection, Config, FilesystemLoader

from . import Offer

if TYPE_CHECKING:
    from invoke.parser.context import ParserContext


def names(before: Sequence[str], current: str, folder: Path) -> list[Offer]:
    """The tasks; behind a ``-``, the options of the task that was named last, or Invoke's own. Nothing where an option
    wants a value: the shell offers files."""
    module, _ = FilesystemLoader(config=Config(), start=str(folder)).load("tasks")
    collection = Collection.from_module(module)
    contexts = {name: one for one in collection.to_contexts() for name in (one.name, *one.aliases)}
    task = next((contexts[word] for word in reversed(before) if word in contexts), None)
    if current.startswith("-"):
        return _options(task) if task is not None else _core()
    if before and before[-1].startswith("--") and task is not None and _takes_value(task, before[-1]):
        return []
    return _tasks(collection)


def _takes_value(task: ParserContext, flag: str) -> bool:
    return flag in task.flags and bool(task.flags[flag].takes_value)


def _options(task: ParserContext) -> list[Offer]:
    found = {**task.flags, **{name: task.flags[flag] for name, flag in task.inverse_flags.items()}}
    return [Offer(flag, str(of.help or "")) for flag, of in sorted(found.items()) if flag.startswith("--")]


def _tasks(collection: Collection) -> list[Offer]:
    found = []
    for name, aliases in sorted(collection.task_names.items()):
        said = (inspect.getdoc(collection[name].body) or "").partition("\n")[0]
        found += [Offer(each, said) for each in (name, *aliases)]
    return found


def _core() -> list[Offer]:
    from invoke import Program

    program = Program()
    arguments = [*program.core_args(), *program.task_args()]
    return [Offer(f"--{of.name}", of.help or "") for of in arguments if len(of.name or "") > 1]
