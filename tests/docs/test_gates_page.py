"""docs/gates.md says what the gates do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from pages import ROOT, rows, table

from deploytasks.checklist import ITEMS
from deploytasks.checklist.item import LEVELS
from deploytasks.settings import load
from deploytasks.settings.windows import Window
from deploytasks.windows import is_open

PAGE = ROOT / "docs" / "gates.md"


def section(which: int = 0) -> dict[str, object]:
    """A configuration on the page: that of the examples, or the whole one to try."""
    texts = re.findall(r"```yaml\n(deploy:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, object] = yaml.safe_load(texts[which])["deploy"]
    return found


def test_each_level_names_its_items() -> None:
    """Every item stands beside its level, in bold when a hotfix must pass it; and only items of the checklist do."""
    shown = {level: names.split(", ") for level, names in table(PAGE, "level", "items")}
    assert list(shown) == list(LEVELS)
    for item in ITEMS:
        assert (f"**{item.id}**" if item.critical else item.id) in shown[item.level], item.id
    known = {row.cells[0].strip("`") for row in rows(ROOT / "docs" / "DEPLOYMENT_CHECKLIST.md")}
    assert set() == {name.strip("*") for names in shown.values() for name in names} - known


def test_the_configuration_is_one() -> None:
    """It loads, with the freezes as the page explains them."""
    gates = load(section(), "production", ("gates",)).gates
    assert (gates.branches, gates.after, gates.after_within) == (("main", "release/*"), ("staging",), 3 * 86400)
    assert [str(window) for window in (*gates.windows, *gates.migration_windows)] == [
        "mon-thu 09:00-16:00 Europe/Berlin",
        "fri 09:00-12:00 Europe/Berlin",
        "sun-thu 22:00-02:00 Europe/Berlin",
    ]
    holidays, sale = gates.freezes
    assert holidays.to == datetime(2027, 1, 2, 23, tzinfo=UTC)  # the second of January is frozen
    assert sale.to - sale.from_ == timedelta(days=3, hours=14)
    assert load(section(), "staging", ("gates",)).level == "staging"


def test_the_configuration_to_try_is_whole() -> None:
    """Both environments have all they need, and nothing that is not known; they share no address and no file."""
    staging, production = (load(section(1), name) for name in ("staging", "production"))
    assert (staging.level, production.level) == ("staging", "production")
    for part in ("traffic", "fleet", "database", "alerts", "store"):
        assert staging.sections[part] != production.sections[part], part


@pytest.mark.parametrize("line", table(PAGE, "window", "instant", "open", "why"), ids=lambda line: " ".join(line[:2]))
def test_windows_are_open_when_the_page_says(line: tuple[str, ...]) -> None:
    """Each example on the page is true."""
    days, clocks, zone = line[0].strip("`").split()
    begin, _, end = clocks.partition("-")
    window = Window(days=days, from_=begin, to=end, zone=zone)
    assert is_open([window], [], datetime.fromisoformat(line[1].strip("`"))) is (line[2] == "yes")
