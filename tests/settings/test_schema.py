"""What editors are told about invoke.yaml is what the models accept."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from pages import PAGES, ROOT, name

from deploytasks.__main__ import main
from deploytasks.errors import SettingsError
from deploytasks.settings import load
from deploytasks.settings.keys import keys, parts
from deploytasks.settings.schema import schema

PUBLISHED = ROOT / "docs/schema/invoke.schema.json"
TEMPLATES = sorted((ROOT / "deploytasks/templates").glob("*.yaml"))


class Texts(yaml.SafeLoader):
    """YAML as a JSON Schema sees it: a day is a text."""


Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(schema())


def mistakes(config: Any) -> list[tuple[str, str]]:
    """Path and message of each."""
    return [(".".join(map(str, one.absolute_path)), one.message) for one in validator().iter_errors(config)]


def read(text: str) -> Any:
    return yaml.load(text, Loader=Texts)


def sections(page: Path) -> list[Any]:
    """Whole `deploy:` sections of a page, but for those whose environments are left out (`…`)."""
    texts = re.findall(r"```yaml[^\n]*\n(deploy:\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [read(text) for text in texts if "…" not in text]


def test_it_is_a_schema() -> None:
    """Of the draft that it names."""
    Draft7Validator.check_schema(schema())


def test_what_is_published_is_what_the_models_say(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m deploytasks schema > docs/schema/invoke.schema.json` writes it anew."""
    assert 0 == main(["schema"])
    assert capsys.readouterr().out == PUBLISHED.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [ROOT / "invoke.yaml", *TEMPLATES], ids=lambda file: file.name)
def test_whole_files_pass(file: Path) -> None:
    """The sample environment, and each template but for what is to be filled in."""
    found = mistakes(read(file.read_text(encoding="utf-8")))
    assert [] == [each for each in found if not re.search(r"'[^']*<[^<>]+>", each[1])]


@pytest.mark.parametrize("page", [page for page in PAGES if sections(page)], ids=name)
def test_what_pages_show_passes(page: Path) -> None:
    """Each section, though it may leave out what its page does not speak of."""
    found = [each for section in sections(page) for each in mistakes(section)]
    assert [] == [each for each in found if not each[1].endswith("is a required property")]


@pytest.fixture(scope="module")
def sound() -> dict[str, Any]:
    """A configuration that is fine."""
    found: dict[str, Any] = read((ROOT / "deploytasks/templates/invoke.yaml").read_text(encoding="utf-8"))
    assert load(found["deploy"], "development").sections
    return found


WRONG: dict[str, tuple[str, Any, str]] = {
    "a key that nobody knows": ("stagse", [100], "deploy.environments.development"),
    "a duration in words": ("watch", "five minutes", "deploy.environments.development.watch"),
    "a share in words": (
        "rollback_when", {"errors": "two percent"}, "deploy.environments.development.rollback_when.errors",
    ),
    "a kind that there is not": ("metrics", {"kind": "graphite"}, "deploy.environments.development.metrics.kind"),
    "a key of another kind": (
        "store", {"kind": "directory", "bucket": "b"}, "deploy.environments.development.store",
    ),
    "a list where there is one": ("store", [{"kind": "directory"}], "deploy.environments.development.store"),
    "a section without its kind": ("deadman", {"grace": "10s"}, "deploy.environments.development.deadman"),
    "one of several": (
        "messages", [{"kind": "console"}, {"kind": "slack", "channel": 7}],
        "deploy.environments.development.messages.1.channel",
    ),
    "a truth that is none": ("protected", "perhaps", "deploy.environments.development.protected"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_found_where_they_are(sound: dict[str, Any], what: str) -> None:
    """And the models find them, too."""
    key, value, path = WRONG[what]
    wrong = deepcopy(sound)
    wrong["deploy"]["environments"]["development"][key] = value
    assert path in {each[0] for each in mistakes(wrong)}
    with pytest.raises(SettingsError):
        load(wrong["deploy"], "development")


def test_each_key_is_explained() -> None:
    """By the sentence below its field."""
    text = PUBLISHED.read_text(encoding="utf-8")
    said = {one["description"] for one in _objects(json.loads(text)) if isinstance(one.get("description"), str)}
    missing = [
        f"{heading}: {key.path}"
        for heading, models in parts().items()
        for model in models
        for key in keys(model)
        if "." not in key.path and key.sentence and key.sentence not in said
    ]
    assert [] == missing


def _objects(of: Any) -> list[dict[str, Any]]:
    inside = list(of.values()) if isinstance(of, dict) else of if isinstance(of, list) else []
    return [*([of] if isinstance(of, dict) else []), *(one for each in inside for one in _objects(each))]
