"""docs/DEPLOYMENT_CHECKLIST.md and the code say the same: items, levels, limits, steps, tasks, controls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import memory
import pytest
import yaml
from pages import ROOT, Row, blocks, headings, rows, spans, table

from deploytasks import plans
from deploytasks.checklist import ITEMS, Item, Subject
from deploytasks.checklist.advice import ADVICE
from deploytasks.checklist.controls import CONTROLS, STANDARDS, controls_of
from deploytasks.engine.plan import Situation
from deploytasks.ports import Installed, Split
from deploytasks.settings import load
from deploytasks.settings.base import fraction, seconds
from deploytasks.settings.rollout import Rollout

PAGE = ROOT / "docs" / "DEPLOYMENT_CHECKLIST.md"
HEADS = ("id", "what", "how it is checked", "from", "hotfix", "when it does not pass")
LINES = {line[0].strip("`"): dict(zip(HEADS, line, strict=True)) for line in table(PAGE, *HEADS)}
BY_ID = {item.id: item for item in ITEMS}


def test_every_check_has_its_line_and_every_line_its_check() -> None:
    """Ids and texts of the items are those of the document, in its order: none is left out, here or there."""
    assert [(item.id, item.text) for item in ITEMS] == [(name, line["what"]) for name, line in LINES.items()]


def test_no_item_stands_twice() -> None:
    """Neither on the page nor in the code."""
    assert len(LINES) == len(table(PAGE, *HEADS)) == len(BY_ID) == len(ITEMS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_level_and_hotfix_are_those_of_the_item(item: Item) -> None:
    """Who prepares a hotfix reads here what it must pass."""
    line = LINES[item.id]
    assert (item.level, "yes" if item.critical else "no") == (line["from"], line["hotfix"])


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_an_item_has_a_check_or_a_person(item: Item) -> None:
    """Where no machine can know, the line says that a person signs."""
    says_so = LINES[item.id]["how it is checked"].startswith("A person signs")
    assert (item.check is None) == says_so
    assert LINES[item.id]["when it does not pass"]


def test_items_stand_in_their_section() -> None:
    """The section of an item is the first part of its id."""
    assert [] == [row for row in _item_rows() if not row.heading.lower().startswith(_section(row.cells[0]))]


def test_signatures_that_last_say_how_long(tmp_path: Path) -> None:
    """30 and 90 days, by default."""
    of = Subject(memory.world(tmp_path), None)
    lasting = {item.id: days for item in ITEMS if (days := item.signature_lasts(of)) is not None}
    assert {"monitoring.rules": 90 * 86400.0, "people.runbook": 30 * 86400.0} == lasting
    for name, length in lasting.items():
        assert f"counts for {length / 86400:g} days" in LINES[name]["how it is checked"]


def _item_rows() -> list[Row]:
    return [row for row in rows(PAGE) if len(row.cells) == len(HEADS) and row.cells[0].strip("`") in LINES]


def _section(name: str) -> str:
    return name.strip("`").partition(".")[0]


def test_what_to_do_is_what_the_command_says() -> None:
    """The last column is what `inv checklist` tells of an item that is open."""
    assert {name: line["when it does not pass"] for name, line in LINES.items()} == dict(ADVICE)


# -- controls ---------------------------------------------------------------------------------------------------------


def test_the_table_of_controls_is_that_of_the_code() -> None:
    """What the page says of an item and a standard is what an export says."""
    lines = table(PAGE, "item", *STANDARDS.values())
    written = {line[0].strip("`"): [_controls(cell) for cell in line[1:]] for line in lines}
    assert {name: [list(given) for given in of] for name, of in CONTROLS.items()} == written


def _controls(cell: str) -> list[str]:
    return [] if cell == "–" else [each.strip().removeprefix("art. ") for each in cell.split(",")]


def test_every_item_serves_a_control() -> None:
    """Each has a line in the mapping, and the mapping has no item that does not exist."""
    assert list(BY_ID) == list(CONTROLS)
    assert all(any(controls_of(name).values()) for name in BY_ID)
    assert not any(controls_of("no.such").values())


def test_controls_look_like_those_of_their_standard() -> None:
    """No number stands in the column of another standard."""
    forms = {
        "soc2": r"(CC[1-9]|A1|C1|PI1|P[1-8])\.\d",
        "iso27001": r"[5-8]\.\d{1,2}",
        "pci_dss": r"\d{1,2}(\.\d{1,2}){1,3}",
        "gdpr": r"\d{1,2}",
    }
    odd = [
        (name, key, control)
        for name in CONTROLS
        for key, controls in controls_of(name).items()
        for control in controls
        if not re.fullmatch(forms[key], control)
    ]
    assert [] == odd


# -- limits, steps, tasks ---------------------------------------------------------------------------------------------


def test_limits_are_the_defaults() -> None:
    """What is watched, from where on it warns and takes back: as in the settings."""
    lines = table(PAGE, "metric", "warns", "rolls back", "keys")
    assert _defaults("warn_when") <= {key for line in lines for key in _keys(line[3])}
    for _, *limits, keys in lines:
        shown = [limit for limit in limits if limit != "–"]
        assert [_value(limit) for limit in shown] == [_default(key) for key in _keys(keys)]


def test_triggers_are_the_defaults() -> None:
    """The limits of a rollback stand among its triggers."""
    lines = [line for line in table(PAGE, "trigger", "limit", "key") if _keys(line[2])[:1]]
    known = {key: line[1] for line in lines for key in _keys(line[2]) if key.startswith("rollback_when")}
    assert _defaults("rollback_when") - {"rollback_when.p99_worse_from"} == set(known)
    assert {key: _default(key) for key in known} == {key: _value(limit) for key, limit in known.items()}


def _keys(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+):?`", cell)


def _defaults(group: str) -> set[str]:
    return {f"{group}.{name}" for name in getattr(Rollout(), group).model_dump()}


def _default(key: str) -> float:
    group, _, name = key.partition(".")
    return float(getattr(getattr(Rollout(), group), name))


def _value(limit: str) -> float:
    """``over 2 %``, ``2000 ms``, ``fails 3 times in a row``."""
    found = re.search(r"(\d+) ?(%|ms|s)?(?!\w)", limit)
    assert found is not None, limit
    number, unit = found.groups()
    if unit == "%":
        return float(fraction(f"{number}%"))
    return float(seconds(f"{number}{unit}")) if unit else float(number)


def test_steps_are_those_of_the_plan(tmp_path: Path) -> None:
    """What the page tells of a deployment is what a plan has."""
    world = memory.world(tmp_path, warm_up={"requests": 20})
    release, before = memory.release("1.1.0"), memory.release("1.0.0")
    stopped = Installed(before.name, before.digest, before.version, running=False)
    seen = Situation(Split.all_on("blue", None, "settled:before"), stopped, None)
    plan = plans.deploy(world.settings, seen, "20261123-101500-ab12cd", release=release)
    lines = table(PAGE, "step", "what happens", "who looks, and at what")
    assert [step.name for step in plan.steps] == [line[0] for line in lines]


def test_every_task_is_among_the_tools() -> None:
    """Each task of the README has its line, and no other is there."""
    readme = {line[0] for line in table(ROOT / "README.md", "task", "what it does")}
    assert readme == {line[1] for line in table(PAGE, "when", "task", "what it does")}


# -- what people read at night ----------------------------------------------------------------------------------------

EMERGENCIES = (
    "A critical bug in production",
    "A hotfix",
    "Database corruption",
    "Performance degradation",
    "Replication lag",
)


@pytest.mark.parametrize("heading", EMERGENCIES)
def test_an_emergency_is_a_list_of_commands(heading: str) -> None:
    """Numbered, and with commands to type."""
    part = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n#")[0]
    steps = re.findall(r"^\d+\. ", part, re.MULTILINE)
    assert len(steps) >= 5
    assert len(re.findall(r"`inv ", part)) >= 3


def test_every_part_is_there() -> None:
    """What a checklist on paper had."""
    wanted = [
        *("Before the deployment", "Code quality and tests", "Database", "Configuration and secrets"),
        *("Infrastructure", "Monitoring and alerting", "Window of the deployment"),
        *("The deployment, step by step", "Rollback", "After the deployment", "Metrics to watch", "Environments"),
        *("Emergency procedures", *EMERGENCIES, "Compliance and audit", "Tools", "Contacts"),
    ]
    found = headings(PAGE)
    assert wanted == [heading for heading in found if heading in wanted]


def test_its_environments_can_be_loaded() -> None:
    """The section that the commands speak of is a valid one."""
    shown = re.search(r"```yaml\n(deploy:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    deploy: Mapping[str, Any] = yaml.safe_load(shown[1])["deploy"]
    levels = {name: load(deploy, name).level for name in deploy["environments"]}
    assert {"staging": "staging", "production": "production"} == levels


def test_commands_that_change_name_what_for() -> None:
    """Whoever copies a rollback or an override from here gives a reason."""
    shown: Sequence[str] = [*blocks(PAGE), *spans(PAGE)]
    asked = [line for line in shown if re.match(r"\s*inv (rollback|override) ", line)]
    assert asked
    assert [] == [line for line in asked if "--reason " not in line]
