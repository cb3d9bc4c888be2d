"""What is secret is not shown."""

from __future__ import annotations

import pytest

from deploytasks import redaction


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_told", set())


def test_variables_are_secret_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of a variable whose name says so is replaced, however deep it lies; another one's is not."""
    monkeypatch.setenv("SOME_API_KEY", "abc-123")
    monkeypatch.setenv("SOME_CITY", "Lisbon")
    assert {"a": ["in Lisbon: ***"]} == redaction.clean({"a": ("in Lisbon: abc-123",)})


def test_what_was_hidden_is_secret() -> None:
    """A value that came from elsewhere is replaced once somebody said that it is secret."""
    assert redaction.clean("password hunter22") == "password hunter22"
    redaction.hide("hunter22")
    assert redaction.clean("password hunter22") == "password ***"


def test_short_values_are_left() -> None:
    """Hiding a word of five letters or fewer would blacken ordinary text."""
    redaction.hide("admin", "")
    assert redaction.clean("the admin") == "the admin"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("psql postgresql://ann:s3cr3t@db/lib -c 1", "psql postgresql://ann:***@db/lib -c 1"),
        ("redis://:pw@cache:6379/0", "redis://:***@cache:6379/0"),
        ("psql postgresql://ann:$PGPASSWORD@db/lib", "psql postgresql://ann:$PGPASSWORD@db/lib"),
        ("http://web1:8101/a@b and ssh://deploy@web1:22", "http://web1:8101/a@b and ssh://deploy@web1:22"),
    ],
)
def test_a_password_in_a_url_is_secret_whoever_wrote_it(given: str, shown: str) -> None:
    """Nobody told us of it: somebody typed it into a command. Ports and plain names are left."""
    assert shown == redaction.clean(given)
