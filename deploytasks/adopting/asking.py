"""The questions of ``init``: few, each with an answer already."""

from __future__ import annotations

from collections.abc import Callable

from ..settings.environment import safe_name
from ..settings.hosts import checked
from .choices import TEMPLATES, Choices
from .detecting import Found
from .ports import parsed

Ask = Callable[[str], str]
Question = Callable[..., str]
"""Words, the known answer, and what raises ``ValueError`` for a wrong one → an answer."""


def asked(choices: Choices, found: Found, ask: Ask, say: Callable[[str], None]) -> Choices:
    """The choices as a person wants them; Enter takes what stands in brackets."""

    def question(words: str, known: str, check: Callable[[str], object] = str) -> str:
        while True:
            given = ask(f"{words} [{known}] ").strip() or known
            try:
                check(given)
            except ValueError as error:
                say(f"{error}.")
            else:
                return given

    for line in found.summary:
        say(f"  found {line}")
    for name, words in TEMPLATES.items():
        say(f"  {name:<9} {words}")
    say("Enter takes what stands in brackets.")
    choices = choices._replace(
        template=question("Which of these?", choices.template, _template),
        application=question("What is it called, in messages and in the ledger?", choices.application, safe_name),
    )
    if choices.template == "embedded":
        choices = _embedded(choices, question)
    return choices._replace(tests=_tests(question, found))


def _embedded(choices: Choices, question: Question) -> Choices:
    choices = choices._replace(
        start=question("Which command serves one color, in the foreground?", choices.start, checked),
        health=question("Which page answers 200 when it can serve users?", choices.health, _page),
    )
    listen = question("Where do users come in on this machine?", choices.listen, parsed)
    return choices if listen == choices.listen else choices.listening(listen)


def _tests(question: Question, found: Found) -> str:
    given = question("Which command tests it? A deployment asks for that; `none` for none.", found.tests or "none")
    return "" if given == "none" else given


def _template(given: str) -> None:
    if given not in TEMPLATES:
        raise ValueError(f"There is no {given!r}: say {', '.join(TEMPLATES)}")


def _page(given: str) -> None:
    if not given.startswith("/"):
        raise ValueError(f"{given!r} is no page: it begins with /")
