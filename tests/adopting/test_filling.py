"""A template becomes a configuration: nothing is lost on the way, and what is left to a person is named."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploytasks.adopting.choices import TEMPLATES, Choices, proposed
from deploytasks.adopting.detecting import Found
from deploytasks.adopting.django import Django
from deploytasks.adopting.filling import FILES, FOLDER, deployed_module, deployed_settings, filled, replaced
from deploytasks.errors import SettingsError
from deploytasks.settings import load

PLAIN = Found("shop")
PROJECTS = {
    "plain": PLAIN,
    "django": Found(
        "shop", ".", Django("shop.settings", "shop.wsgi:application", "/", "file"), "shop.wsgi:application"
    ),
    "url": Found("shop", django=Django("shop.settings", "shop.wsgi:app", "/up", "url", "SHOP_DATABASE_URL")),
    "postgres": Found("shop", "back end", Django("settings", "wsgi:app", "/admin/login/", "postgres")),
    "alembic": Found("shop", alembic="backend/alembic.ini", callable="main:app", hub="github", repository="acme/shop"),
    "gitlab": Found("2024", hub="gitlab", repository="acme/shop", branch="feature/a,b"),
}
CASES = list(itertools.product(TEMPLATES, PROJECTS, ("", "python -m pytest -k 'a: b' # all")))
OTHERS = list(itertools.product(sorted(TEMPLATES.keys() - {"embedded"}), PROJECTS))
FILLED_IN = {
    "http": "https://www.example.org", "folder": "/srv/shop", "file": "/etc/shop.env", "systemd": "shop-{color}",
    "deploy@": "deploy@host", "image": "example.org/shop:{version}", "eu-central": "eu-central-1",
    "arn of the role": "arn:aws:iam::123456789012:role/deploy",
    "arn of the listener": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/a1/b2",
    "service of blue": "shop-blue", "service of green": "shop-green",
    "group of blue": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-blue/a1",
    "group of green": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-green/a2",
}  # fmt: skip
"""What somebody fills in, by a part of the placeholder's own words; ``shop`` and its words for all others."""


def chosen(project: str, template: str = "embedded", **more: Any) -> Choices:
    """What is proposed for one of the projects."""
    return proposed(PROJECTS[project])._replace(template=template, **more)


def read(project: str, template: str = "embedded", **more: Any) -> dict[str, Any]:
    """The ``deploy:`` section of what is written."""
    config: dict[str, Any] = yaml.safe_load(filled(chosen(project, template, **more), PROJECTS[project]))
    return dict(config["deploy"])


def environment(project: str, template: str = "embedded", **more: Any) -> dict[str, Any]:
    """The only environment of it."""
    (found,) = read(project, template, **more)["environments"].values()
    return dict(found)


def test_every_template_has_a_file() -> None:
    """What may be chosen can be written."""
    assert TEMPLATES.keys() == FILES.keys()
    assert [] == [file for file in FILES.values() if not (FOLDER / file).is_file()]


@pytest.mark.parametrize(("template", "project", "tests"), CASES)
def test_all_of_it_finds_its_place(template: str, project: str, tests: str) -> None:
    """Each template takes what is known of each project: it stays YAML, and has what was said."""
    found = PROJECTS[project]
    config = read(project, template, source=found.source, tests=tests)
    assert (found.application, found.source) == (config["application"], config["source"])
    assert tests == config.get("tests", "")
    assert "APPLICATION" not in str(config)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_embedded_one_is_whole(project: str) -> None:
    """Nothing is left to a person."""
    assert load(read(project), "development").sections


def test_a_change_without_a_place_is_a_defect() -> None:
    """A template that has lost a line does not lose it silently."""
    with pytest.raises(LookupError, match=r"no 'source: \."):
        replaced("application: shop\n", "source: .", "source: backend")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("b", "b        # why\nc"),
        ("bbbb", "bbbb     # why\nc"),
        ("b" * 20, f"{'b' * 20} # why\nc"),
        ("b\n c", "b\n c    # why\nc"),
    ],
)
def test_comments_stay_in_their_column(new: str, expected: str) -> None:
    """As long as there is room; a value of several lines moves nothing."""
    assert expected == replaced("aaaaa    # why\nc", "aaaaa", new)


def placeholders(value: object, path: str) -> Iterator[str]:
    """Paths of what is to be filled in."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from placeholders(one, f"{path}.{key}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from placeholders(one, f"{path}[{at}]")
    elif isinstance(value, str) and value.startswith("<"):
        yield f"{path}: {value} is to be filled in"


@pytest.mark.parametrize("template", sorted(TEMPLATES.keys() - {"embedded"}))
def test_what_is_left_is_named(template: str) -> None:
    """Validation names exactly what stands in <…>, with its path."""
    config = read("django", template)
    with pytest.raises(SettingsError) as refused:
        load(config, "production")
    said = [line.strip(" -") for line in str(refused.value).splitlines()]
    expected = list(placeholders(config, "deploy"))
    assert len(expected) > 4
    assert set() == {line for line in expected if not any(line in one for one in said)}
    assert len(expected) == sum("to be filled in" in line for line in said)


@pytest.mark.parametrize(("template", "project"), OTHERS)
def test_filled_in_it_is_whole(template: str, project: str) -> None:
    """Somebody who fills in what is asked for has a configuration."""
    text = filled(chosen(project, template), PROJECTS[project])
    config = yaml.safe_load(re.sub(r"<([^<>\n]+)>", _filled_in, text))
    assert load(config["deploy"], "production").sections


def _filled_in(placeholder: re.Match[str]) -> str:
    words = placeholder[1]
    known = next((value for part, value in FILLED_IN.items() if part in words), "shop")
    return f"{known}{placeholder.start()}" if known == "deploy@host" else known


def test_a_django_project_is_served_and_migrated() -> None:
    """Its server, its pages, its settings, and its database outside the release."""
    found = environment("django")
    assert "{python} -m gunicorn --bind {host}:{port} shop.wsgi:application" == found["fleet"]["start"]
    assert {"DJANGO_SETTINGS_MODULE": "shop.deployed", "DATABASE_FILE": "{shared}/db.sqlite3"} == found["fleet"][
        "environment"
    ]
    assert ".deploy/development/shared/db.sqlite3" == found["database"]["path"]
    assert "django" == found["database"]["preset"]


def test_a_database_behind_a_variable() -> None:
    """It is told where the data is by the variable that it reads."""
    assert "sqlite:///{shared}/db.sqlite3" == environment("url")["fleet"]["environment"]["SHOP_DATABASE_URL"]


def test_the_pages_are_asked_for() -> None:
    """Health, smoke test, warm-up and probes ask for a page that there is."""
    found = environment("postgres")
    pages = [
        found["fleet"]["health"],
        found["smoke"]["checks"][0]["path"],
        *found["warm_up"]["paths"],
        *found["probe"]["paths"],
    ]
    assert ["/admin/login/"] * 4 == pages
    servers = environment("postgres", "servers")
    assert ["/admin/login/"] * 2 == [servers["fleet"]["health"], *servers["probe"]["paths"]]


def test_alembic_is_called_with_its_configuration() -> None:
    """Where it does not lie at the top of the release, it is named."""
    assert 'preset: alembic, migrator: "{python} -m alembic -c backend/alembic.ini"}' in filled(
        chosen("alembic"), PROJECTS["alembic"]
    )
    in_the_release = PROJECTS["alembic"]._replace(source="backend")
    text = filled(proposed(in_the_release)._replace(template="servers"), in_the_release)
    assert "alembic" == yaml.safe_load(text)["deploy"]["environments"]["production"]["database"]["preset"]
    assert "migrator" not in text


def test_other_places_to_listen() -> None:
    """Users and colors are where it was said."""
    found = environment("plain", listen="127.0.0.1:9000", colors=("127.0.0.1:9021", "127.0.0.1:9022"))
    assert "127.0.0.1:9000" == found["traffic"]["listen"]
    assert {"blue": "127.0.0.1:9021", "green": "127.0.0.1:9022"} == found["fleet"]["colors"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [("shop.settings", "shop.deployed"), ("a.b.settings.dev", "a.b.settings.deployed"), ("settings", "deployed")],
)
def test_the_settings_of_a_release_stand_beside_the_others(settings: str, expected: str) -> None:
    """In the same package."""
    assert expected == deployed_module(settings)


def test_the_settings_of_a_release() -> None:
    """They are Python, take over what there is, and lie in the folder that becomes the release."""
    assert deployed_settings(PLAIN) is None
    path, text = deployed_settings(PROJECTS["django"]) or ("", "")
    assert "shop/deployed.py" == path
    compile(text, path, "exec")
    assert "DATABASE_FILE" in text
    path, text = deployed_settings(PROJECTS["postgres"]) or ("", "")
    assert "back end/deployed.py" == path
    compile(text, path, "exec")
    assert "DATABASE_FILE" not in text
