"""docs/prometheus.md shows what works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.parts import program
from pages import ROOT, table

from deploytasks.providers.prometheus.feeds import feeds
from deploytasks.providers.prometheus.presets import COUNTS, LATENCIES, LEVELS
from deploytasks.settings.kinds import KINDS, model
from deploytasks.settings.mistakes import check

PAGE = ROOT / "docs" / "prometheus.md"


def blocks(language: str) -> list[str]:
    """The fenced code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


SHOWN: list[dict[str, Any]] = [yaml.safe_load(block) for block in blocks("yaml")]


@pytest.mark.parametrize(("top", "kind"), [("scrape_configs", "config"), ("groups", "rules")])
def test_prometheus_takes_its_configuration(top: str, kind: str, tmp_path: Path) -> None:
    """Scrape configuration and rules are as Prometheus wants them."""
    (shown,) = [each for each in SHOWN if top in each]
    file = tmp_path / "shown.yml"
    file.write_text(yaml.safe_dump(shown))
    done = subprocess.run([program("promtool"), "check", kind, file], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


SECTIONS = [(name, section) for each in SHOWN for name, section in each.items() if name in ("metrics", "alerts")]


@pytest.mark.parametrize(("name", "section"), SECTIONS)
def test_sections_are_valid(name: str, section: dict[str, Any]) -> None:
    """What is copied from the page into invoke.yaml is accepted."""
    mistakes: list[str] = []
    checked = check(model(KINDS[name][section["kind"]]), section, name, mistakes)
    assert [] == mistakes
    if name == "metrics":
        assert feeds(checked, "library")  # type: ignore[arg-type]  # the model of this kind


def test_there_are_sections() -> None:
    """The page is read at all."""
    assert ["metrics"] * 3 + ["alerts"] == [name for name, _ in SECTIONS]


def test_the_presets_are_those_in_the_code() -> None:
    """Every preset, with the metrics that it counts and what it calls an error."""
    lines = table(PAGE, "preset", "selector", "errors", "whose")
    assert sorted(COUNTS) == sorted(line[0].strip("`") for line in lines)
    for name, selector, errors, whose in lines:
        preset = COUNTS[name.strip("`")]
        assert list(preset.names) == re.findall(r"`([^`]+)`", selector)
        label, value = next(iter(preset.errors.items()))
        assert errors.startswith(f"`{label}` is `{value}`")
        assert f"`{preset.color_label}`" in whose
    known = {line[0].strip("`"): line[1:] for line in table(PAGE, "preset of `latency`", "buckets", "bounds")}
    assert known == {
        name: (f"`{preset.name}`", "milliseconds" if preset.milliseconds else "seconds")
        for name, preset in LATENCIES.items()
    }


def test_the_queries_are_those_in_the_code() -> None:
    """Every level of every preset, word by word."""
    lines = {tuple(cell.strip("`") for cell in line) for line in table(PAGE, "level", "preset", "query")}
    assert lines == {(level, preset, query) for preset, found in LEVELS.items() for level, query in found.items()}


def test_the_buckets_have_a_bound_at_each_limit() -> None:
    """0.5, 1 and 2 s: the defaults of `warn_when` and `rollback_when`."""
    (code,) = blocks("python")
    assert {0.5, 1, 2} <= set(eval(code.partition("=")[2]))
