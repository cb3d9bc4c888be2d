"""docs/ says what the code says: numbers of the verdict, events, steps."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import memory
import pytest
from pages import ROOT, headings, rows, table

from deploytasks import plans
from deploytasks.engine.plan import Situation
from deploytasks.errors import EXIT_CODES
from deploytasks.ports import Installed, Split
from deploytasks.verdict.evidence import ALPHA

DOCS = ROOT / "docs"


NUMBERS = table(DOCS / "how-it-judges.md", "number", "value", "in the code")


@pytest.mark.parametrize("line", NUMBERS, ids=lambda line: line[2])
def test_numbers_are_those_in_the_code(line: tuple[str, str, str]) -> None:
    """A number on the page is the constant that it names."""
    module, _, path = line[2].strip("`").partition(".")
    package = "steps" if module == "roll_out" else "verdict"
    assert float(line[1]) == _constant(f"deploytasks.{package}.{module}", path)


def _constant(module: str, path: str) -> float:
    """A module's number, or the default of a dataclass's field."""
    found = importlib.import_module(module)
    owner, _, field = path.rpartition(".")
    if not owner:
        return float(getattr(found, path))
    return float(getattr(found, owner).__dataclass_fields__[field].default)


def test_there_are_numbers() -> None:
    """The table is read at all."""
    assert 8 < len(NUMBERS)


def test_false_alarm_bounds_are_those_in_the_code() -> None:
    """The page names the α of each test, in the order of the code, and their sum."""
    lines = table(DOCS / "how-it-judges.md", "what", "limit", "α")
    assert [f"{100 * alpha:g} %" for alpha in ALPHA.values()] == [line[2] for line in lines]
    assert f"that is {100 * sum(ALPHA.values()):g} % per deployment" in (DOCS / "how-it-judges.md").read_text()


def recorded() -> set[str]:
    """The kinds of events that the code writes: `note(…)`, `spool.put(…)`, and what steps say they were."""
    found: set[str] = set()
    for file in (ROOT / "deploytasks").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in ("note", "put", "_record", "_spool") and node.args:
                found |= _texts(node.args[0])
            if isinstance(node, ast.FunctionDef) and node.name == "outcome" and file.parent.name == "steps":
                found |= {key for one in ast.walk(node) if isinstance(one, ast.Return) for key in _keys(one.value)}
    return found


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _texts(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def _keys(node: ast.expr | None) -> set[str]:
    """The keys of the outermost dict in an expression."""
    outer = next((one for one in ast.walk(node) if isinstance(one, ast.Dict)), None) if node else None
    return {text for key in (outer.keys if outer else ()) if key is not None for text in _texts(key)}


def test_every_kind_of_event_is_explained() -> None:
    """docs/ledger.md has each kind that is written, and no other."""
    lines = table(DOCS / "ledger.md", "kind", "says")
    assert recorded() == {kind.strip("` ") for line in lines for kind in line[0].split(",")}


def test_the_steps_of_a_deployment_are_those_of_the_plan(tmp_path: Path) -> None:
    """docs/architecture.md lists the steps in the order in which they are carried out."""
    world = memory.world(tmp_path, warm_up={"requests": 20})
    release, before = memory.release("1.1.0"), memory.release("1.0.0")
    stopped = Installed(before.name, before.digest, before.version, running=False)
    seen = Situation(Split.all_on("blue", None, "settled:before"), stopped, None)
    plan = plans.deploy(world.settings, seen, "20261123-101500-ab12cd", release=release)
    lines = table(DOCS / "architecture.md", "step", "does", "its undo")
    assert [step.name for step in plan.steps] == [line[0] for line in lines]


def test_the_runbook_explains_codes_that_exist() -> None:
    """docs/rollback.md has a line for every code that a rollback can leave with."""
    lines = table(DOCS / "rollback.md", "code", "after `inv rollback`", "do")
    codes = [int(line[0]) for line in lines]
    assert sorted(codes) == codes
    assert {code for code in EXIT_CODES if code not in (1, 130, 143)} == set(codes)


def test_the_runbook_has_what_the_switch_can_say() -> None:
    """Both events of the dead-man's switch are explained where one looks at night."""
    text = (DOCS / "rollback.md").read_text(encoding="utf-8")
    written = set(re.findall(r"deadman-\w+", (ROOT / "deploytasks/providers/watchdog/vigil.py").read_text()))
    assert written == set(re.findall(r"deadman-\w+", text))
    assert "Code 8: a person must act now" in headings(DOCS / "rollback.md")


def test_the_figures_are_rows_that_the_benchmark_prints() -> None:
    """Every row of the table can be had again from benchmarks/verdict.py, and none of its rows is left out."""
    spec = importlib.util.spec_from_file_location("benchmark_of_the_verdict", ROOT / "benchmarks" / "verdict.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = benchmark  # its dataclasses look themselves up there
    spec.loader.exec_module(benchmark)
    lines = [row.cells for row in rows(DOCS / "how-it-judges.md") if len(row.cells) == 8]
    assert {(cell.name, str(cell.rate)) for cell in benchmark.cells()} == {line[:2] for line in lines}
