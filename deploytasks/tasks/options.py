"""The options of all tasks: their words in ``--help``, and how little they cost a command that runs none of them."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

from invoke import tasks
from invoke.exceptions import Exit
from invoke.parser.argument import Argument

if TYPE_CHECKING:
    from typing import Self

_HELP = {
    "env": "Which environment. Needed, but said once it travels along a chain.",
    "version": "Which version, as in 1.2.3. Default: what is checked out.",
    "hotfix": "A hotfix: recorded as such, with the shorter review.",
    "plan": "Print every call that would be made, in order, and change nothing.",
    "yes": "Consent to a change in a protected environment. Never travels along a chain.",
    "json": "One JSON object on stdout; people's text on stderr.",
    "wait": "Seconds to wait for somebody else's lease. Default: 0, which leaves at once with code 5.",
    "target": "The color that gets the release: blue or green. Default: the idle one.",
    "color": "blue, green, live or idle. Default: the live one.",
    "reason": "Why; recorded. Needed only with --exclude-host and --allow-older.",
    "redeploy": "Deploy although exactly this is live already (a changed configuration, say).",
    "force": "Do it all the same.",
    "allow_older": "Although the live version is newer. Needs --reason.",
    "plan_file": "Exactly this plan, written by `inv plan --out` and approved. Default: one that is made now.",
    "commit": "For which commit. Default: what is checked out.",
    "exclude_host": "A host to go on without; several times, or h3,h4. Needs --reason. Default: all hosts take part.",
}


_SPARES = {"flush": "event"}
"""Option → the one without whose value its task is fine, once it is given. Invoke itself knows only arguments that must
be there."""


def words(*names: str, **more: str) -> dict[str, str]:
    """Help for these options, and for those that only one task has."""
    return {**{name: _HELP[name] for name in names}, **more}


def described(words: str | None, name: str, default: Any) -> str | None:
    """Words of help with the default after them. One that is nothing, or no, is what the words are about."""
    if not words or default in (None, False, 0, "") or isinstance(default, list) or "default" in words.lower():
        return words
    if default is True:
        return f"{words} On by default: --no-{name} leaves it out."
    return f"{words} Default: {default:g}." if isinstance(default, float) else f"{words} Default: {default}."


class Option(Argument):
    """An argument of ours. Invoke copies all arguments of all tasks, deeply; a flat copy does as well, and sooner.

    ``spared``: another one that is not missing any more, once this one is given.
    """

    spared: Option | None
    words: str | None

    @property
    def help(self) -> str | None:  # type: ignore[override]  # nobody sets it, and it is made only when it is shown
        """Its words, and its default where those do not say it."""
        return described(self.words, str(self.name), self.default)

    @classmethod
    def of(cls, name: str, default: Any, words: str | None, *, positional: bool, several: bool) -> Self:
        """The option for a parameter: ``--exclude-host`` for ``exclude_host``, ``--for`` for ``for_``."""
        option = cls.__new__(cls)
        # One that may come without its name must be missing until it comes: Invoke takes an empty list for a value.
        none: list[str] | None = [] if several and not positional else None
        option.__dict__ = {
            "names": (name.strip("_").replace("_", "-"),),
            "kind": list if several else str if default is None else type(default),
            "raw_value": none,
            "_value": none,
            "default": none if several else default,
            "words": words,
            "positional": positional,
            "optional": False,
            "incrementable": False,
            "attr_name": name if "_" in name else None,
            "spared": None,
        }
        return option

    def __repr__(self) -> str:
        """Short: Invoke writes all of them into a message that only ``--debug`` shows."""
        return self.names[0]

    def set_value(self, value: Any, cast: bool = True) -> None:
        """As Invoke's; but what is no number leaves with code 2 and a sentence instead of a traceback."""
        if self.kind is list and self._value is None:
            self._value = []
        try:
            super().set_value(value, cast)
        except ValueError:
            raise Exit(f"--{self.name}: {value!r} is not a number", code=2) from None
        if self.spared is not None and self.spared.value is None:
            self.spared.set_value("")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A new one in the same state. Setting an argument replaces what it holds, and changes nothing in place."""
        option = self.__new__(type(self))
        option.__dict__ = self.__dict__.copy()
        if self.spared is not None:
            option.spared = deepcopy(self.spared, memo)
        return option


class Task(tasks.Task[Any]):
    """Invoke's task, with options. It stays itself where Invoke copies it into the collection of a task file."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """One option for each parameter, those in ``positional`` first. As Invoke's, for what our tasks have: every
        command makes the options of all tasks, and inspecting signatures would take longer than all the rest of it."""
        code, defaults = self.body.__code__, self.body.__defaults__ or ()
        names = code.co_varnames[1 : code.co_argcount]
        given = dict(zip(reversed(names), reversed(defaults), strict=False))
        left, made = dict(self.help), dict[str, Option]()
        for name in names:
            words = left.pop(name, None) or left.pop(name.strip("_").replace("_", "-"), None)
            positional, several = name in self.positional, name in self.iterable
            made[name] = Option.of(name, given.get(name), words, positional=positional, several=several)
        for name, other in _SPARES.items():
            if name in made and other in made:
                made[name].spared = made[other]
        if left:
            raise ValueError(f"there is help for options that do not exist: {', '.join(left)}")
        return [*(made.pop(name) for name in self.positional), *made.values()]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


task = partial(tasks.task, klass=Task, positional=(), auto_shortflags=False)
"""Invoke's decorator: options have long names, and only those in ``positional`` may come without theirs."""
