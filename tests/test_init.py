from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploytasks.__main__ import main
from deploytasks.adopting.filling import FOLDER as TEMPLATES
from deploytasks.settings import load
from deploytasks.settings.environment import Application, Environment
from deploytasks.settings.kinds import GROUPS, KINDS
from deploytasks.settings.rollout import RollbackWhen, Rollout, WarnWhen


def init(folder: Path) -> int:
    """The exit code of ``deploytasks init`` for a folder."""
    return main(["init", "--folder", str(folder)])


def written(folder: Path) -> dict[str, Any]:
    """The configuration that stands in a folder."""
    config: dict[str, Any] = yaml.safe_load((folder / "invoke.yaml").read_text())
    return config


def test_both_files_are_written(tmp_path: Path) -> None:
    """A fresh repository gets its tasks and its configuration."""
    assert 0 == init(tmp_path)
    assert "from deploytasks import namespace" in (tmp_path / "tasks.py").read_text()
    assert "deploytasks.executor.ChainExecutor" == written(tmp_path)["tasks"]["executor_class"]


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    """What init writes passes its own validation, all parts of it."""
    init(tmp_path)
    assert load(written(tmp_path)["deploy"], "development").sections


def test_what_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    """Someone who takes a # away gets a valid configuration."""
    init(tmp_path)
    text = (tmp_path / "invoke.yaml").read_text()
    revealed, count = re.subn(r"^( +)# (\w+: \{|- \{)", r"\1\2", text, flags=re.MULTILINE)
    assert 15 == count
    settings = load(yaml.safe_load(revealed)["deploy"], "development")
    assert {"alerts", "database"} <= settings.sections.keys()


def test_every_key_of_an_environment_is_explained() -> None:
    """The template names each value and section that there is."""
    text = (TEMPLATES / "invoke.yaml").read_text()
    models = (Application, Environment, Rollout, RollbackWhen, WarnWhen)
    keys = {*GROUPS, *KINDS, *(name for model in models for name in model.model_fields)}
    assert [] == sorted(key for key in keys if not re.search(rf"\b{key}:", text))


def test_the_defaults_beside_the_short_values_are_true() -> None:
    """The comments that name defaults name the real ones."""
    lines = (TEMPLATES / "invoke.yaml").read_text().splitlines()
    commented = {line.split(":")[0].strip(): line.rpartition("# ")[2] for line in lines if line.count("#") == 2}
    named = {name: default for name, default in commented.items() if name in Rollout.model_fields}
    assert 9 == len(named)
    told = Rollout.model_validate({name: yaml.safe_load(value) for name, value in named.items()})
    assert Rollout() == told


@pytest.mark.parametrize(
    ("folder", "name"), [("shop", "shop"), ("My Shop (new)", "My-Shop-new"), ("…", "application"), ("_x_", "x")]
)
def test_the_application_is_called_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    """Whatever the folder is called, the name is one that passes validation."""
    (tmp_path / folder).mkdir()
    init(tmp_path / folder)
    assert name == load(written(tmp_path / folder)["deploy"], "development", ()).application


@pytest.mark.parametrize("taken", ["tasks.py", "tasks"])
def test_only_what_is_missing_is_written(tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository that has tasks keeps them, gets its configuration, and is told what to add."""
    (tmp_path / taken).write_text("mine")
    assert 0 == init(tmp_path)
    assert "mine" == (tmp_path / taken).read_text()
    assert (tmp_path / "invoke.yaml").exists()
    assert "add to it:  from deploytasks import namespace" in capsys.readouterr().out


def test_nothing_is_ever_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run leaves with 2 and changes nothing."""
    init(tmp_path)
    (tmp_path / "tasks.py").write_text("mine")
    assert 2 == init(tmp_path)
    assert "mine" == (tmp_path / "tasks.py").read_text()
    assert "nothing was written" in capsys.readouterr().err


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    """A link that leads nowhere is someone's link."""
    (tmp_path / "tasks.py").symlink_to(tmp_path / "elsewhere.py")
    init(tmp_path)
    assert not (tmp_path / "elsewhere.py").exists()


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong folder is wrong usage, in one line."""
    assert 2 == init(tmp_path / "nowhere")
    assert "nothing was written" in capsys.readouterr().err


def test_the_module_can_be_run(tmp_path: Path) -> None:
    """``python -m deploytasks init`` works in the current folder."""
    command = [sys.executable, "-m", "deploytasks", "init", "--folder", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=Path(__file__).parents[1])
    assert (tmp_path / "tasks.py").exists()
