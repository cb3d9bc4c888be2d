"""Every task with its options, from the collection that `inv` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploytasks import namespace

from .tables import table

if TYPE_CHECKING:
    from invoke import Task
    from invoke.parser.argument import Argument

HEAD = """# Tasks

`inv TASK --env development`, one or several in a row. `--env` is said once and travels along the chain; consent
(`--yes`) never does. `--plan` prints every call that a task would make, and changes nothing; `--json` prints one JSON
object. With which code a task leaves stands in [Exit codes](exit-codes.md).

"""
TAKES = {str: "text", float: "number", int: "whole number", list: "text, several times"}


def page() -> str:
    """The whole page: an index, then a section for each task."""
    tasks = [namespace.tasks[name] for name in sorted(namespace.tasks)]
    index = table(("task", "what it does"), ((f"[`{_name(one)}`](#{_name(one)})", _words(one)) for one in tasks))
    return f"{HEAD}{index}\n" + "\n".join(section(one) for one in tasks)


def section(one: Task[object]) -> str:
    """A task: what it does, what goes before and after it, its options."""
    name = _name(one)
    also = ", ".join(f"`{alias}`" for alias in sorted(one.aliases))
    lines = [f"## {name}", "", _words(one), ""]
    lines += [f"Also called {also}.", ""] if also else []
    for when, others in (("Before it", one.pre), ("After it, when it went well", one.post)):
        if others:
            lines += [f"{when}: {', '.join(_link(other) for other in others)}.", ""]
    options = one.get_arguments()
    usage = " ".join(argument.name.upper() for argument in options if argument.positional)
    lines += ["```text", f"inv {name} {usage + ' ' if usage else ''}[--option …]", "```", "", ""]
    return "\n".join(lines) + table(("option", "takes", "default", "meaning"), map(_option, options))


def _option(one: Argument) -> tuple[str, str, str, str]:
    named = one.name.upper() if one.positional else f"--{one.name}"
    if one.positional:
        named += f"`, `--{one.name}"
    takes = "–" if one.kind is bool else TAKES[one.kind]
    default = "–" if one.default in (None, False, []) else f"`{_plain(one.default)}`"
    if one.kind is bool and one.default:
        named, default = f"--no-{one.name}", "–"
    return f"`{named}`", takes, default, getattr(one, "words", one.help) or ""


def _plain(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _name(one: Task[object]) -> str:
    return (one.name or "").replace("_", "-")


def _words(one: Task[object]) -> str:
    return " ".join((one.__doc__ or "").split())


def _link(other: object) -> str:
    name = _name(getattr(other, "task", other))  # type: ignore[arg-type]  # a call of a task, or the task itself
    return f"[`{name}`](#{name})"
