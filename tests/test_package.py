from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import deploytasks
from deploytasks.errors import UsageError
from deploytasks.providers import EXTRAS, KINDS, open_provider
from deploytasks.providers.site import Site
from deploytasks.settings.messages import ConsoleSettings

ROOT = Path(__file__).parents[1]
SITE = Site("library", "development", ROOT, ROOT, None, "ann@host")

HEAVY = {
    "asyncio", "boto3", "fabric", "http.client", "keepachangelog", "paramiko", "pydantic", "redis", "requests", "rich",
    "semver", "sqlite3",
}  # fmt: skip

TASKS = {
    "backup-database", "build", "check-error-rate", "check-latency", "checklist", "deploy", "deploy-blue-green",
    "doctor", "down", "history", "install", "maintenance-mode", "migrate", "report", "restore-database", "resume",
    "retire", "rollback", "shift", "smoke", "status", "test", "validate", "warmup", "watch",
}  # fmt: skip


def project() -> dict[str, Any]:
    """The ``project`` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def built(target: str, folder: Path) -> Path:
    """The wheel or sdist of the working tree."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (archive,) = folder.iterdir()
    return archive


def test_the_wheel_is_typed_and_whole(tmp_path: Path) -> None:
    """The wheel has the marker, the templates and all modules, and nothing beside the package."""
    names = set(zipfile.ZipFile(built("wheel", tmp_path)).namelist())
    needed = {str(path.relative_to(ROOT)) for path in (ROOT / "deploytasks").rglob("*.py")}
    needed |= {"deploytasks/py.typed", "deploytasks/templates/invoke.yaml"}
    assert set() == needed - names
    assert {"deploytasks"} == {name.partition("/")[0] for name in names if ".dist-info" not in name}


def test_the_sdist_can_be_tested(tmp_path: Path) -> None:
    """The source archive has tests and the sample application, and no state of anyone's machine."""
    names = {name.partition("/")[2] for name in _members(built("sdist", tmp_path))}
    assert {"tests/test_package.py", "bootstrap.py", "LICENSE", "pyproject.toml"} <= names
    assert [] == [name for name in names if ".deploy/" in name or "__pycache__" in name or name.startswith(".venv")]


def _members(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return opened.getnames()


def test_the_version_is_the_installed_one() -> None:
    """One place says the version."""
    assert project()["version"] == deploytasks.__version__


def test_an_unknown_attribute() -> None:
    """What is not there is not there."""
    with pytest.raises(AttributeError, match="nonsense"):
        _ = deploytasks.nonsense


def test_every_task_is_in_the_namespace() -> None:
    """One import brings every task that the design names, with its aliases."""
    names = deploytasks.namespace.task_names
    assert set() == TASKS - names.keys()


def test_importing_the_namespace_imports_nothing_heavy() -> None:
    """`inv --list` pays for Invoke and for our own few lines, and for nothing else."""
    code = (
        "import sys, invoke\nfrom invoke import Collection, Context, task, program\nbefore = set(sys.modules)\n"
        "from deploytasks import namespace\nprint(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert set() == HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("target", sorted({one for kinds in KINDS.values() for one in kinds.values()}))
def test_every_provider_is_there(target: str) -> None:
    """Each entry of the table names a class."""
    module, _, name = target.partition(":")
    assert isinstance(getattr(importlib.import_module(module), name), type)


def test_an_unknown_kind_lists_the_known_ones() -> None:
    """A kind that no provider has is wrong usage."""
    with pytest.raises(UsageError, match=r"choose one of: .*envoy"):
        open_provider("traffic", ConsoleSettings(), SITE)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not installed an extra reads the command that does."""
    monkeypatch.setitem(KINDS, "alerts", {"console": "tests_need_boto3:Alerts"})
    monkeypatch.setattr("deploytasks.providers.import_module", _missing("boto3.session"))
    with pytest.raises(UsageError, match=r"pip install 'deploytasks\[aws\]'"):
        open_provider("alerts", ConsoleSettings(), SITE)


def test_a_bug_in_a_provider_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is missing for another reason is told as it is."""
    monkeypatch.setitem(KINDS, "alerts", {"console": "x:Alerts"})
    monkeypatch.setattr("deploytasks.providers.import_module", _missing("deploytasks.providers.x"))
    with pytest.raises(ModuleNotFoundError):
        open_provider("alerts", ConsoleSettings(), SITE)


def _missing(name: str) -> Any:
    def import_module(_: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return import_module


def test_extras_exist() -> None:
    """An extra that an error message names is one that can be installed."""
    assert set(EXTRAS.values()) <= project()["optional-dependencies"].keys()


@pytest.mark.parametrize("variable", ["TEST_COMMAND", "MAIN_COMMAND"])
def test_ci_runs_what_the_readme_says(variable: str) -> None:
    """The commands of the README are the commands that are tested."""
    match = re.search(rf'^{variable}="(.+)"$', (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert match is not None
    assert match[1] in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("script", ["run", "parts"])
def test_ci_is_valid_bash(script: str) -> None:
    """The scripts parse, also on a day when nobody runs them."""
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / script)], check=True, timeout=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child subreapers")
def test_ci_sees_what_a_test_leaves_running() -> None:
    """A process that outlived its parent, detached, fails the step with its command line, and is ended."""
    assert (3, "") == counted("(sleep 0.3 &) ; exit 3")
    code, said = counted("setsid sleep 77 >/dev/null 2>&1 &")
    assert 1 == code
    left = re.fullmatch(r"leftovers: process (\d+): sleep 77\n", said)
    assert left is not None
    assert not Path(f"/proc/{left[1]}").exists()


def counted(script: str) -> tuple[int, str]:
    """Exit code and complaints of CI's count of what a shell script leaves behind."""
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "leftovers.py"), "sh", "-c", script],
        env={**os.environ, "LEFTOVERS_GRACE": "1"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr
