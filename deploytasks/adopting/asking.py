"""The questions of ``init``: few, each with an answer already."""

from __future__ import annotations

from collections.abc import Callable

from ..settings.environment import safe_name
from .choices import TEMPLATES, Choices
from .detecting import Found

Ask = Callable[[str], str]


def asked(choices: Choices, found: Found, ask: Ask, say: Callable[[str], None]) -> Choices:
    """The choices as a person wants them; Enter takes what stands in brackets."""

    def question(words: str, known: str) -> str:
        return ask(f"{words} [{known}] ").strip() or known

    for line in found.summary:
        say(f"  found {line}")
    say("Enter takes what stands in brackets.")
    choices = choices._replace(
        template=_template(question, say, choices.template),
        application=_application(question, say, choices.application),
    )
    if choices.template != "embedded":
        return choices._replace(tests=_tests(question, found))
    choices = choices._replace(
        start=question("Which command serves one color, in the foreground?", choices.start),
        health=question("Which page answers 200 when it can serve users?", choices.health),
    )
    return _listening(question, say, choices)._replace(tests=_tests(question, found))


def _template(question: Callable[[str, str], str], say: Callable[[str], None], known: str) -> str:
    for name, words in TEMPLATES.items():
        say(f"  {name:<9} {words}")
    while True:
        given = question("Which of these?", known)
        if given in TEMPLATES:
            return given
        say(f"There is no {given!r}: say {', '.join(TEMPLATES)}.")


def _application(question: Callable[[str, str], str], say: Callable[[str], None], known: str) -> str:
    while True:
        try:
            return safe_name(question("What is the application called, in messages and in the ledger?", known))
        except ValueError as error:
            say(f"{error}.")


def _listening(question: Callable[[str, str], str], say: Callable[[str], None], choices: Choices) -> Choices:
    while True:
        given = question("Where do users come in on this machine?", choices.listen)
        try:
            return choices if given == choices.listen else choices.listening(given)
        except ValueError as error:
            say(f"{error}.")


def _tests(question: Callable[[str, str], str], found: Found) -> str:
    given = question("Which command tests it? A deployment asks for that; `none` for none.", found.tests or "none")
    return "" if given == "none" else given
