"""The questions of `init`: few, and each has an answer already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploytasks.adopting.asking import asked
from deploytasks.adopting.choices import TEMPLATES, Choices, proposed
from deploytasks.adopting.detecting import Found

FOUND = Found("shop", tests="python -m pytest", hub="github", repository="acme/shop")


class Person:
    """Answers one after the other, and remembers what was said."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.questions: list[str] = []
        self.told: list[str] = []

    def ask(self, question: str) -> str:
        """The next answer; Enter when there is none."""
        self.questions.append(question)
        return next(self._answers, "")

    def decides(self, found: Found = FOUND) -> Choices:
        """What comes of it."""
        return asked(proposed(found), found, self.ask, self.told.append)


def test_enter_takes_what_was_found() -> None:
    """Also the tests, which nobody has to type."""
    person = Person()
    assert proposed(FOUND)._replace(tests="python -m pytest") == person.decides()
    assert 6 == len(person.questions)
    assert all(question.endswith("] ") for question in person.questions)


def test_what_was_found_is_said_first() -> None:
    """And what the templates are for."""
    person = Person()
    person.decides()
    assert ["  found tests: python -m pytest", "  found github: acme/shop"] == person.told[:2]
    assert set() == {name for name in TEMPLATES if not any(name in line for line in person.told)}


def test_answers_are_taken() -> None:
    """Each in its place, without the blanks around it."""
    person = Person("", " Shop-2 ", "{python} serve.py {port}", "/up", "127.0.0.1:9000", "make test")
    choices = person.decides()
    assert ("Shop-2", "{python} serve.py {port}", "/up", "127.0.0.1:9000", "make test") == (
        choices.application, choices.start, choices.health, choices.listen, choices.tests,
    )  # fmt: skip
    assert "127.0.0.1:9000" not in choices.colors


def test_none_is_no_tests() -> None:
    """A word says that there are none."""
    assert "" == Person("", "", "", "", "", "none").decides().tests
    assert "" == Person().decides(Found("shop")).tests


@pytest.mark.parametrize("template", sorted(TEMPLATES.keys() - {"embedded"}))
def test_servers_are_asked_less(template: str) -> None:
    """What stands in <…> is filled in where everybody can read it, not in a dialog."""
    person = Person(template, "", "make test")
    choices = person.decides()
    assert (template, "shop", "make test") == (choices.template, choices.application, choices.tests)
    assert 3 == len(person.questions)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["heroku"], "There is no 'heroku': say embedded, servers, aws-alb, aws-ecs."),
        (["", "my shop"], "'my shop' must be letters, digits, - and _, beginning with a letter or a digit."),
        (["", "", "", "", "nine"], "'nine' is no address: say HOST:PORT, such as 127.0.0.1:8080."),
        (["", "", "", "health"], "'health' is no page: it begins with /."),
        (["", "", "gunicorn {prot}"], "{prot} is no placeholder"),
    ],
)
def test_a_wrong_answer_is_asked_for_again(answers: list[str], said: str) -> None:
    """With the reason; then Enter will do."""
    person = Person(*answers)
    assert proposed(FOUND)._replace(tests="python -m pytest") == person.decides()
    assert [] != [line for line in person.told if line.startswith(said)]
    assert 7 == len(person.questions)


@pytest.mark.parametrize("gone", [KeyboardInterrupt, EOFError])
def test_whoever_leaves_is_let_go(gone: type[BaseException]) -> None:
    """Ctrl-C and Ctrl-D end the questions."""

    def ask(_: str) -> str:
        raise gone

    with pytest.raises(gone):
        asked(proposed(FOUND), FOUND, ask, print)
