"""docs/configuration.md has a place for every key that the models of deploytasks/settings have, and writes none."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
import yaml
from pages import ROOT, anchors, headings, table
from reference.keys_tables import MARK, filled

from deploytasks.settings.hosts import PLACEHOLDERS
from deploytasks.settings.keys import Key, keys, parts
from deploytasks.settings.kinds import DEFAULTS, KINDS, REQUIRED

PAGE = ROOT / "docs" / "configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")
KEYS = [(heading, key) for heading, models in parts().items() for of in models for key in keys(of)]


def patterns() -> dict[str, list[str]]:
    """Heading → what its marks ask for."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in TEXT.split("\n"):
        heading = line.lstrip("# ").strip() if line.startswith("#") else heading
        if mark := MARK.match(line):
            found.setdefault(heading, []).extend((mark["patterns"] or "*").split())
    return found


def test_every_part_has_its_heading() -> None:
    """No part of the configuration is missing on the page, and none is there that the models do not know."""
    written = [heading for heading in headings(PAGE) if heading.startswith("`")]
    assert sorted(parts()) == sorted(written)


def test_every_key_is_shown_once() -> None:
    """Each key is asked for by exactly one mark below its heading: none is left out, none stands there twice."""
    asked = patterns()
    wrong = [
        (heading, key.path)
        for heading, key in KEYS
        if 1 != sum(fnmatchcase(key.path, one) for one in asked.get(heading, ()))
    ]
    assert [] == wrong


def test_no_table_of_keys_is_written_by_hand() -> None:
    """What stands in a model stands nowhere else."""
    assert "| key | type |" not in TEXT
    assert "| key | type | default | meaning |" in filled(TEXT)


@pytest.mark.parametrize(("heading", "key"), KEYS, ids=lambda one: one.path if isinstance(one, Key) else one)
def test_every_key_has_a_sentence(heading: str, key: Key) -> None:
    """It begins like one and ends like one; what it names in docs/ is there."""
    assert re.match(r"[A-Z0-9`]", key.sentence), f"{heading} {key.path}: no sentence below the field"
    assert key.sentence.endswith(".")
    for page, anchor in re.findall(r"docs/([\w-]+\.md)(?:#([\w-]+))?", key.sentence):
        assert (PAGE.parent / page).exists()
        assert not anchor or anchor in anchors(PAGE.parent / page)


def test_sections_are_as_they_are_loaded() -> None:
    """The table of sections says what is needed and which kinds there are."""
    lines = {line[0].strip("`"): line[1:3] for line in table(PAGE, "section", "needed", "kinds", "without it")}
    expected = {
        section: ("yes" if section in REQUIRED else "no", ", ".join(f"`{kind}`" for kind in sorted(known)))
        for section, known in KINDS.items()
    }
    assert expected == lines


def test_the_default_store_is_named() -> None:
    """A section that is needed and need not be written says what it is then."""
    lines = {line[0].strip("`"): line[3] for line in table(PAGE, "section", "needed", "kinds", "without it")}
    for section, default in DEFAULTS.items():
        assert default == yaml.safe_load(lines[section].removeprefix("it is ").strip("`"))


def test_every_placeholder_is_named() -> None:
    """What a command may name in braces stands in the table of words."""
    (meaning,) = [line[1] for line in table(PAGE, "word", "what may be written") if line[0] == "command"]
    assert set() == {f"{{{name}}}" for name in PLACEHOLDERS} - set(meaning.replace("`", " ").replace(",", " ").split())
