"""The options of all tasks: cheap to copy, and never mixed up by that."""

from __future__ import annotations

import inspect
from copy import deepcopy

import invoke
import pytest
from invoke import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import Argument, Parser

from deploytasks import namespace
from deploytasks.tasks.options import Option


def test_every_argument_of_every_task_is_copied_flat() -> None:
    """A task that is declared with Invoke's own decorator would make every command of everybody slower."""
    for context in Collection.from_module(_task_file()).to_contexts():
        if str(context.name).startswith("dev."):
            continue  # this repository's own, beside the toolkit's
        for argument in context.args.values():
            assert isinstance(argument, Option), (context.name, argument)


def test_options_are_those_that_invoke_would_make() -> None:
    """In the same order, with the same names, kinds, defaults and words; but a required one has no odd default, and is
    missing while it has not come, also where it may come several times."""
    for name in namespace.task_names:
        if name.startswith("dev."):
            continue  # this repository's own: another test may have loaded its task file
        task = namespace[name]
        theirs = invoke.Task(task.body, positional=task.positional, iterable=task.iterable, auto_shortflags=False)
        theirs.help = dict(task.help)
        expected = [_known(argument) for argument in theirs.get_arguments()]
        assert expected == [
            {name: getattr(option, name) for name in _KEPT}
            | {"default": option.default or None, "help": option.words}  # the default is added where it is shown
            for option in task.get_arguments()
        ]


_KEPT = tuple(vars(Argument("any")))


def _known(argument: Argument) -> dict[str, object]:
    default = None if argument.default is inspect.Signature.empty else argument.default or None
    missing = {"raw_value": None, "_value": None} if argument.positional else {}
    return {**vars(argument), "default": default, **missing}


def test_a_list_may_come_without_its_name() -> None:
    """``inv shift 25 --to 50``: the first percentage needs none; and without any it is missing."""
    parser = Parser(Collection.from_module(_task_file()).to_contexts())
    assert ["25", "50"] == parser.parse_argv(["shift", "25", "--to", "50"])[0].args["to"].value
    with pytest.raises(ParseError, match="'to'"):
        parser.parse_argv(["shift"])


def test_a_copy_takes_a_value_and_the_original_stays_as_it_was() -> None:
    """Invoke parses into copies: a flat one must not hand its value to the next task of the same name."""
    shift = next(context for context in namespace.to_contexts() if context.name == "shift")
    copy = deepcopy(shift)
    for value in ("25", "50"):
        copy.args["to"].value = value
    copy.args["plan"].value = True

    assert ["25", "50"] == copy.args["to"].value
    assert shift.args["to"].value is None
    assert not shift.args["plan"].value


def test_what_is_no_number_is_wrong_usage() -> None:
    """``--wait soon`` is code 2 and one sentence, not a traceback."""
    with pytest.raises(Exit, match="--wait: 'soon' is not a number") as caught:
        Parser(Collection.from_module(_task_file()).to_contexts()).parse_argv(["deploy", "--wait", "soon"])
    assert 2 == caught.value.code


@pytest.mark.parametrize(
    ("line", "items"),
    [
        (["sign", "people.oncall", "--note", "called"], "people.oncall"),
        (["sign", "people.oncall,people.announced", "--note", "x"], "people.oncall,people.announced"),
        (["override", "window.open", "--reason", "x"], "window.open"),
    ],
)
def test_an_item_comes_without_a_name(line: list[str], items: str) -> None:
    """``inv sign people.oncall --note …``, and the next task after it is a task."""
    signed, after = Parser(Collection.from_module(_task_file()).to_contexts()).parse_argv([*line, "status"])
    assert (items, "status") == (signed.args["items"].value, after.name)


@pytest.mark.parametrize(
    ("line", "event", "flush"),
    [(["failed"], "failed", False), (["--flush"], "", True), (["failed", "--flush"], "failed", True)],
)
def test_an_event_is_needed_unless_what_waits_is_told(line: list[str], event: str, *, flush: bool) -> None:
    """``inv notify-deployment --flush`` needs none, also in a chain and in a second command line of one process."""
    for _ in range(2):
        parser = Parser(Collection.from_module(_task_file()).to_contexts())
        told, after = parser.parse_argv(["notify-deployment", *line, "status"])
        assert (event, flush, "status") == (told.args["event"].value, told.args["flush"].value, after.name)
        with pytest.raises(ParseError, match="event"):
            Parser(Collection.from_module(_task_file()).to_contexts()).parse_argv(["notify-deployment"])


def test_one_process_can_parse_twice() -> None:
    """The words of ``--help`` are there each time, and no value comes from the time before."""
    first, second = (Parser(Collection.from_module(_task_file()).to_contexts()) for _ in range(2))
    parsed = first.parse_argv(["rollback", "--reason", "x"])

    assert "x" == parsed[0].args["reason"].value
    assert second.parse_argv(["rollback"])[0].args["reason"].value is None
    for parser in (first, second):
        assert "recorded" in parser.contexts["rollback"].args["reason"].help


def test_only_what_is_meant_to_comes_without_its_name() -> None:
    """``inv maintenance-mode enable``, ``inv sign people.oncall``; everything else is named."""
    nameless = {
        context.name: [argument.name for argument in context.positional_args]
        for context in namespace.to_contexts()
        if context.positional_args
    }

    assert {
        "approve": ["file"],
        "create-release": ["bump", "message"],
        "maintenance-mode": ["action"],
        "note": ["text"],
        "notify-deployment": ["event"],
        "override": ["items"],
        "release-notes": ["version"],
        "shift": ["to"],
        "sign": ["items"],
    } == nameless


def _task_file() -> object:
    """What ``tasks.py`` of a repository is, once imported."""
    from types import ModuleType

    module = ModuleType("tasks")
    module.namespace = namespace  # type: ignore[attr-defined]
    return module
