"""What every page has in common: nothing gets out, nothing gets in, and no text can do harm."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from jinja2 import DictLoader, UndefinedError
from markupsafe import escape

from deploytasks.view.html import page, words


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> object:
    """A template of one line below the real base."""
    made = page._templates().overlay()
    said = '{% extends "base.html" %}{% block title %}t{% endblock %}{% block kicker %}k{% endblock %}'
    there = DictLoader({"one.html": said + "{% block main %}[{{ words }}]{% endblock %}"})
    from jinja2 import ChoiceLoader

    made.loader = ChoiceLoader([page._templates().loader, there])  # type: ignore[list-item]
    monkeypatch.setattr(page, "_templates", lambda: made)
    return lambda **values: page.rendered("one.html", **values)


def test_the_policy_lets_only_the_pages_own_script_run(shown: object) -> None:
    """Its digest is that of exactly what stands between the tags."""
    found = shown(words="x")  # type: ignore[operator]
    scripts = re.findall(r"(?s)<script>(.*?)</script>", found)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', found)[0].replace("&#39;", "'")
    assert 1 == len(scripts)
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


def test_nothing_in_it_comes_from_elsewhere(shown: object) -> None:
    """No address of anything that a browser would fetch, and no handler in an attribute."""
    found = shown(words="x")  # type: ignore[operator]
    assert [] == re.findall(r"""(?:src|href)=["'](?!#|data:)""", found)
    assert [] == re.findall(r"\son\w+=", found.partition("<script>")[0])
    assert "@import" not in found
    assert "url(" not in found


def test_words_are_escaped_and_lose_what_turns_them_around(shown: object) -> None:
    """Markup is text; control characters and those that change the direction are gone."""
    said = "<b>\u202eabc\u202c</b> & \x1b[31m\x00'\""
    assert f"[{escape('<b>abc</b> & [31m')}&#39;&#34;]" in shown(words=said)  # type: ignore[operator]


def test_a_secret_is_blackened_wherever_it_comes_in(shown: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when nobody has cleaned the values."""
    monkeypatch.setenv("THE_PASSWORD", "correct horse battery")
    assert "[***]" in shown(words="correct horse battery")  # type: ignore[operator]


def test_what_a_template_names_must_be_there(shown: object) -> None:
    """A page with a hole in it is a bug."""
    with pytest.raises(UndefinedError):
        shown()  # type: ignore[operator]


def test_a_long_text_is_cut_and_says_so() -> None:
    """A page stays a page, whatever was written; a number keeps its unit beside it."""
    assert f"{'a' * 10}… (90 more characters: the ledger has them)" == words.brief("a" * 100, 10)
    assert "5\u00a0% in 3\u00a0min, 5 minutes" == words.brief("5 % in 3 min, 5 minutes")


def test_instants_are_written_for_people_and_for_machines() -> None:
    """In UTC; what is none is empty, or a dash."""
    at = "2026-11-23T11:15:42.5+01:00"
    assert "2026-11-23T10:15:42+00:00" == words.iso(at)
    assert "2026-11-23 10:15:42" == words.to_the_second(at)
    assert "23 November 2026" == words.day(at)
    assert ("", "–") == (words.iso("soon"), words.to_the_second("soon"))
