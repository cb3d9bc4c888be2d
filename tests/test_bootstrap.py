"""The real ``bootstrap.py`` in a project of its own, whose build backend needs no network."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[1] / "bootstrap.py"

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "sample"
version = "1"
[project.optional-dependencies]
local = []
test = []
dev = []
checks = []
"""

BACKEND = """
import os, zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    with open("installed.log", "a") as log:
        log.write(os.environ.get("PIP_DEFAULT_TIMEOUT", "") + "\\n")
    if os.path.exists("broken"):
        raise SystemExit("the backend is broken")
    name = "sample-1-py3-none-any.whl"
    info = "sample-1.dist-info/"
    metadata = "Metadata-Version: 2.1\\nName: sample\\nVersion: 1\\n"
    metadata += "".join(f"Provides-Extra: {extra}\\n" for extra in ("local", "test", "dev", "checks"))
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        wheel.writestr(info + "METADATA", metadata)
        tags = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(info + "WHEEL", tags)
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nsay = sample:say\\n")
        say = "def say():\\n    import sys\\n    print(sys.prefix, *sys.argv[1:])\\n    sys.exit(5)\\n"
        wheel.writestr("sample.py", say)
        wheel.writestr(info + "RECORD", "")
    return name
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a path with spaces, installed once with an empty HOME."""
    project = _project(tmp_path_factory.mktemp("a project with spaces"))
    done = run(project, "say", "hello", "big world")
    assert (5, f"{project / '.venv'} hello big world\n") == (done.returncode, done.stdout), done.stderr
    return project


def _project(folder: Path) -> Path:
    shutil.copy(SOURCE, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "home").mkdir()
    return folder


def start(project: Path, *command: str, **more: str) -> subprocess.Popen[str]:
    """Start ``python bootstrap.py COMMAND`` with nothing but HOME, PATH and ``more`` in the environment."""
    return subprocess.Popen(
        [sys.executable, str(project / "bootstrap.py"), *command],
        env={"HOME": str(project / "home"), "PATH": os.environ["PATH"], **more},
        cwd=project.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    with start(project, *command, **more) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def installs(project: Path) -> int:
    """How often the project was installed."""
    return len((project / "installed.log").read_text().splitlines())


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    """The file as a module, for what needs another Python than this one."""
    spec = importlib.util.spec_from_file_location("bootstrap", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_second_run_is_quiet_and_installs_nothing(prepared: Path) -> None:
    """What is up to date is left alone, and the command's output is all there is."""
    before = installs(prepared)
    done = run(prepared, "python", "-c", "import sys; print(sys.prefix)")
    assert (0, f"{prepared / '.venv'}\n", "") == (done.returncode, done.stdout, done.stderr)
    assert before == installs(prepared)


def test_the_commands_folder_comes_first_on_path(prepared: Path) -> None:
    """A command that starts another one finds the same environment."""
    done = run(prepared, "sh", "-c", "command -v python; echo $VIRTUAL_ENV")
    assert f"{prepared}/.venv/bin/python\n{prepared}/.venv\n" == done.stdout


def test_an_unknown_command(prepared: Path) -> None:
    """A command that is not there leaves with 127, as in a shell."""
    done = run(prepared, "no-such-command")
    assert (127, "") == (done.returncode, done.stdout)
    assert "no command no-such-command" in done.stderr


def test_without_a_command_it_prepares(prepared: Path) -> None:
    """Alone, it says that all is ready."""
    done = run(prepared)
    assert (0, True) == (done.returncode, done.stdout.startswith("ready"))


def test_a_changed_project_is_installed_once_by_two(prepared: Path) -> None:
    """After a change of pyproject.toml, of two that start at once one installs and both go on."""
    before = installs(prepared)
    with (prepared / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    with start(prepared, "python", "-c", "print(1)") as one, start(prepared, "python", "-c", "print(2)") as two:
        assert ["1\n", "2\n"] == [process.communicate(timeout=120)[0] for process in (one, two)]
    assert before + 1 == installs(prepared)


def test_a_failing_installation_tells_why(prepared: Path) -> None:
    """Pip's own words are shown, the command does not run, and the next run tries again."""
    (prepared / "broken").touch()
    with (prepared / "pyproject.toml").open("a") as file:
        file.write("# changed again\n")
    done = run(prepared, "python", "-c", "print(1)")
    (prepared / "broken").unlink()
    assert (2, "") == (done.returncode, done.stdout)
    assert "the backend is broken" in done.stderr
    assert 0 == run(prepared, "python", "-c", "print(1)").returncode


def test_pip_variables_are_honored(prepared: Path) -> None:
    """PIP_* reaches pip, so that a mirror or a proxy works."""
    with (prepared / "pyproject.toml").open("a") as file:
        file.write("# and again\n")
    run(prepared, "python", "-c", "", PIP_DEFAULT_TIMEOUT="33", PIP_USER="1")
    assert "33" == (prepared / "installed.log").read_text().splitlines()[-1]


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    """Killed on the way, the next run begins anew."""
    project = _project(tmp_path)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / ".bootstrap").write_text("unfinished\n")
    (project / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    assert 0 == run(project, "python", "-c", "import sample").returncode


def test_someone_elses_broken_environment_is_not_deleted(tmp_path: Path) -> None:
    """A .venv that we did not make and cannot use stays as it is."""
    project = _project(tmp_path)
    (project / ".venv").mkdir()
    (project / ".venv" / "precious").touch()
    done = run(project, "python", "-c", "")
    assert 2 == done.returncode
    assert "is not mine" in done.stderr
    assert (project / ".venv" / "precious").exists()


def test_an_old_python_is_told(bootstrap: ModuleType) -> None:
    """Which Python is needed and which one this is."""
    assert "Python 3.11 or newer is needed, and this is 3.9" in bootstrap._too_old((3, 9, 18))


def test_a_python_without_venv_is_told_the_package(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Debian the module comes in a package of its own; its name is said."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert f"apt install python3.{sys.version_info[1]}-venv" in bootstrap._create()
