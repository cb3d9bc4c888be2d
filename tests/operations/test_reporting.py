"""`inv report`: which deployment, what is known of it, and the page that is kept beside the ledger."""

from __future__ import annotations

import json
import shutil
import webbrowser
from functools import partial
from pathlib import Path

import memory
import pytest

from deploytasks import plans
from deploytasks.errors import TakenBack, UsageError
from deploytasks.operations import answers, reporting
from deploytasks.operations.carrying_out import carry_out


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves what all begin with."""
    return tmp_path_factory.mktemp("kept") / "told"


@pytest.fixture
def told(kept: Path, tmp_path: Path) -> Path:
    """1.0.0 and 1.1.0 went live; 1.2.0 was taken back."""
    if kept.exists():
        shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
        return tmp_path
    for version in ("1.0.0", "1.1.0"):
        _deploy(tmp_path, version)
    memory.state_of(tmp_path).set(errors={"blue": 0.5})
    with pytest.raises(TakenBack):
        _deploy(tmp_path, "1.2.0")
    memory.state_of(tmp_path).flush()
    shutil.copytree(tmp_path, kept)
    return tmp_path


def _deploy(folder: Path, version: str) -> None:
    release = memory.release(version)
    carry_out(memory.world(folder), partial(plans.deploy, release=release, gates=False), task="deploy")


def test_a_deployment_is_found_by_its_name_a_piece_of_it_or_its_version(told: Path) -> None:
    """The last one, where nothing is said; of what is ambiguous, or not there, none."""
    world = memory.world(told)
    first, second, last = answers.report(world, None)["known"]

    def found(given: str | None) -> object:
        return answers.report(world, given)["deployment"]

    assert [last, second, first] == [found(None), found("1.1.0"), found(first)]
    assert second == found(second[-6:])
    assert [None, None] == [found(first[:4]), found("9.9.9")]


def test_it_knows_what_it_began_from_and_what_it_was_held_to(told: Path) -> None:
    """The steps of the plan, the rules, and the version that was live."""
    planned = answers.report(memory.world(told), "1.2.0")["planned"]
    assert "roll out" in planned["steps"]
    assert ("green", "blue", 0.02) == tuple(planned["rules"][name] for name in ("home", "target", "errors"))
    assert "1.1.0" == planned["before"]["green"]["version"]
    assert [0, 100] == list(planned["split"][:2])


def test_the_digest_is_that_of_its_end_and_verifies(told: Path) -> None:
    """Whoever has the page can ask the ledger for it."""
    world = memory.world(told)
    last = answers.report(world, "1.1.0")["last"]
    assert world.ledger.verify(last["digest"][:12]).ok
    event = next(iter(world.ledger.events(after=last["number"] - 1)))
    assert ("ended", last["digest"]) == (event.kind, event.digest)


def test_what_others_did_later_belongs_to_the_deployment_that_was_live_then(told: Path) -> None:
    """Until the next one began; who was not told, whenever that was recorded."""
    world = memory.world(told)
    world.note("rolled-back", reason="x", by="bob", **{"from": [0, 100, None, "a"], "to": [100, 0, None, "b"]})
    number = answers.report(world, "1.0.0")["last"]["number"]
    world.note("undelivered", to="slack", number=number, why="no such channel")
    beside = {v: [each["kind"] for each in answers.report(world, v)["beside"]] for v in ("1.0.0", "1.1.0", "1.2.0")}
    assert {"1.0.0": ["undelivered"], "1.1.0": [], "1.2.0": ["rolled-back"]} == beside


def test_the_page_lies_in_the_state_folder_where_the_retention_finds_it(told: Path) -> None:
    """Named as the deployment; whole, and written anew each time."""
    world = memory.world(told)
    answer = answers.report(world, None)
    file = reporting.write(world, answer)
    assert world.site.folder / "reports" / f"{answer['deployment']}.html" == file
    assert "taken back" in file.read_text()
    assert file == reporting.write(world, answer)
    assert [file] == list(file.parent.iterdir())


def test_the_page_goes_where_it_is_asked_for(told: Path, tmp_path: Path) -> None:
    """A file, or a folder; what cannot be written says where and what to do."""
    world = memory.world(told)
    answer = answers.report(world, None)
    folder = tmp_path / "pages"
    folder.mkdir()
    assert folder / f"{answer['deployment']}.html" == reporting.write(world, answer, str(folder))
    assert tmp_path / "new" / "r.html" == reporting.write(world, answer, str(tmp_path / "new" / "r.html"))
    (tmp_path / "a file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written to .*a file/r\.html"):
        reporting.write(world, answer, str(tmp_path / "a file" / "r.html"))


def test_no_name_of_a_deployment_leads_out_of_the_folder(told: Path) -> None:
    """Whatever a ledger holds."""
    world = memory.world(told)
    file = reporting.write(world, {**answers.report(world, None), "deployment": "../../etc/x<y>"})
    assert world.site.folder / "reports" == file.parent
    assert "etc-x-y-.html" == file.name


def test_without_a_browser_it_says_so(
    told: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And where there is one, it gets the address of the file."""
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or False)
    reporting._show(told / "a page.html")
    assert [(told / "a page.html").as_uri()] == asked
    assert "no browser can be opened from here" in capsys.readouterr().err


def test_the_answer_is_plain_data(told: Path) -> None:
    """As `--json` prints it, and as a picture or another program reads it again."""
    from deploytasks.view.html.report import page

    answer = answers.report(memory.world(told), None)
    assert page(answer) == page(json.loads(json.dumps(answer)))
