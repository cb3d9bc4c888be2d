"""Every command that the documentation shows can be typed."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
import yaml
from invoke import Collection, Program
from invoke.parser import Parser
from pages import PAGES, ROOT, blocks, links, name, spans

from deploytasks.__main__ import main

_COMMAND = re.compile(r"^(?:\$ )?(?:python3 bootstrap\.py )?inv(?= |$)")
_INIT = re.compile(r"^python -m deploytasks(?= |$)")


class Shown(NamedTuple):
    """A command on a page."""

    page: str
    line: str


def shown(pattern: re.Pattern[str]) -> Iterator[Shown]:
    """The commands on all pages that begin like this, without what comes before their arguments and after them."""
    for page in PAGES:
        for line in (*blocks(page), *spans(page)):
            found = pattern.match(line.strip())
            if found:
                yield Shown(name(page), re.sub(r"\s+#.*", "", line.strip()[found.end() :]).strip())


COMMANDS = sorted(set(shown(_COMMAND)))


@cache
def collection() -> Collection:
    """The tasks of this repository, as `inv` finds them."""
    spec = importlib.util.spec_from_file_location("tasks_of_this_repository", ROOT / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Collection.from_module(module)


def parsed(line: str) -> list[tuple[str, dict[str, object]]]:
    """The tasks on a command line and their arguments. Raises ``ParseError`` as `inv` would."""
    core = Parser(initial=Program().initial_context, ignore_unknown=True).parse_argv(shlex.split(line))
    with patch.object(sys, "argv", ["inv", *shlex.split(line)]):  # `inv report` looks whether it names a deployment
        contexts = collection().to_contexts()
    tasks = Parser(contexts=contexts).parse_argv(core.unparsed)
    return [(task.name or "", {arg: value.value for arg, value in task.args.items()}) for task in tasks]


def test_there_are_commands_to_look_at() -> None:
    """The pages are read at all."""
    assert len(COMMANDS) > 40
    assert {"README.md", "CONTRIBUTING.md", "docs/rollback.md", "docs/ledger.md"} <= {one.page for one in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.page}: inv {one.line}")
def test_inv_understands_it(command: Shown) -> None:
    """Tasks and options exist as they are written, and none that is needed is missing."""
    assert parsed(command.line) or command.line.startswith("--") or not command.line


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.page}: inv {one.line}")
def test_its_environment_exists(command: Shown) -> None:
    """Whoever copies a line from a page deploys to an environment that is configured here, or is shown on that page or
    on one that it leads to."""
    page = ROOT / command.page
    near = [page, *(found for link in links(page) if (found := _page(page, link)) in PAGES)]
    texts = [(ROOT / "invoke.yaml").read_text(encoding="utf-8"), *(text for each in near for text in _sections(each))]
    known = {environment for text in texts for environment in yaml.safe_load(text)["deploy"].get("environments", ())}
    named = {arguments.get("env") for _, arguments in parsed(command.line)} - {None}
    assert named <= known


def _page(page: Path, link: str) -> Path:
    return (page.parent / link.partition("#")[0]).resolve()


def _sections(page: Path) -> list[str]:
    """The `deploy:` sections that a page shows."""
    return re.findall(r"```yaml\n(deploy:\n.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_a_wrong_option_would_be_found() -> None:
    """The parser here refuses what `inv` refuses."""
    from invoke.exceptions import ParseError

    with pytest.raises(ParseError):
        parsed("deploy --enviroment development")


def test_options_that_stand_alone_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """`--no-watch` in a sentence is an option of some task, or of `deploytasks init`."""
    with pytest.raises(SystemExit):
        main(["init", "--help"])
    contexts = [Program().initial_context, *collection().to_contexts()]
    known = {flag for one in contexts for flag in (*one.flags, *one.inverse_flags)}
    known |= set(re.findall(r"--\w[\w-]*", capsys.readouterr().out))
    named = {span.split()[0] for page in PAGES for span in spans(page) if re.match(r"--\w", span)}
    assert set() == named - known


@pytest.mark.parametrize("command", sorted(set(shown(_INIT))), ids=lambda one: f"{one.page}: {one.line}")
def test_deploytasks_understands_it(command: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m deploytasks …` takes what is written."""
    with pytest.raises(SystemExit) as left:
        main([*shlex.split(command.line), "--help"])
    assert 0 == left.value.code
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: object) -> None:
    """A path of ours in backquotes is there."""
    named = {
        found[0]
        for text in (*spans(page), *blocks(page))  # type: ignore[arg-type]  # a path, by the parameters above
        for found in re.finditer(r"(?<![\w/])(?:deploytasks|tests|benchmarks|examples|docs|\.ci)/[\w./-]*\w/?", text)
    }
    assert [] == [path for path in sorted(named) if not (ROOT / path).exists()]
