"""The questions of ``init``: few, each with an answer already."""

from __future__ import annotations

from collections.abc import Callable

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
        application=question("What is the application called, in messages and in the ledger?", choices.application),
    )
    if choices.template != "embedded":
        return choices._replace(tests=_tests(question, found))
    return choices._replace(
        start=question("Which command serves one color, in the foreground?", choices.start),
        health=question("Which page answers 200 when it can serve users?", choices.health),
        listen=question("Where do users come in on this machine?", choices.listen),
        tests=_tests(question, found),
    )


def _template(question: Callable[[str, str], str], say: Callable[[str], None], known: str) -> str:
    for name, words in TEMPLATES.items():
        say(f"  {name:<9} {words}")
    while True:
        given = question("Which of these?", known)
        if given in TEMPLATES:
            return given
        say(f"There is no {given!r}: say {', '.join(TEMPLATES)}.")


def _tests(question: Callable[[str, str], str], found: Found) -> str:
    given = question("Which command tests it? A deployment asks for that; `none` for none.", found.tests or "none")
    return "" if given == "none" else given
