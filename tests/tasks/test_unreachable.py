"""`inv checklist` where nothing answers: it ends, each item says so, and nothing that asks the network passes.

How long it takes is measured by benchmarks/unreachable.py; here it must end at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab.unreachable import HOWS, Done, How, Project, place

from deploytasks.checklist import ITEMS

LOCAL_LEDGER = {"store": {"kind": "directory", "shared": True}}
BY_LEDGER = ("code.tests", "code.analysis", "code.security", "order.staged")
"""Items that ask no system but the ledger."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Done]]:
    """`inv checklist --json`, for each kind of silence; and once where the ledger alone is at hand. All at once."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        projects: dict[str, Project] = {}
        for how in HOWS:
            at = stack.enter_context(place(how))
            projects[how] = Project(tmp_path_factory.mktemp(how) / "project", at)
            if how == "silent":
                folder: Path = tmp_path_factory.mktemp("with-a-ledger") / "project"
                projects["with a ledger"] = Project(folder, at, **LOCAL_LEDGER, gates={"security": [], "analysis": []})
        found = {name: pool.submit(project.inv, "checklist", "--json") for name, project in projects.items()}
        yield {name: done.result() for name, done in found.items()}


def answers(done: Done) -> dict[str, tuple[str, str]]:
    return {item["item"]: (item["answer"], item["evidence"]) for item in done.answer["items"]}


@pytest.mark.parametrize("how", HOWS)
def test_what_asks_the_network_fails_and_says_so(ran: Mapping[str, Done], how: How) -> None:
    """Each item that asks a system, and each that asks the ledger."""
    found = answers(ran[how])
    asking = [item.id for item in ITEMS if item.asks] + [name for name in BY_LEDGER if name in found]
    assert [] == [(name, found[name]) for name in asking if found[name][0] != "fail"]
    assert [] == [(name, found[name]) for name in asking if "unreachable: " not in found[name][1]]


@pytest.mark.parametrize("how", HOWS)
def test_the_table_comes_first_and_then_the_ledger(ran: Mapping[str, Done], how: How) -> None:
    """All of it is shown; that nothing could be recorded is code 7."""
    done = ran[how]
    assert (7, len(ITEMS)) == (done.code, len(done.answer["items"]))
    assert "\nthe checklist cannot be recorded: the store at " in f"\n{done.err}"  # perhaps after a word about waiting
    assert done.answer["open"] >= len([item for item in ITEMS if item.asks])


def test_with_a_ledger_it_is_a_refusal(ran: Mapping[str, Done]) -> None:
    """Code 3, with everything that is open; and what was found is recorded."""
    done = ran["with a ledger"]
    assert 3 == done.code, done.err
    opened = [name for name, (answer, _) in answers(done).items() if answer in ("fail", "needs a signature")]
    assert opened == [
        line.strip().partition(":")[0] for line in done.err.splitlines() if line.strip().partition(":")[0] in opened
    ]


@pytest.mark.parametrize("how", [*HOWS, "with a ledger"])
def test_it_ends(ran: Mapping[str, Done], how: str) -> None:
    """And shows no secret."""
    assert ran[how].seconds < 60
    assert "x" * 12 not in ran[how].out + ran[how].err
    assert "ghp_" not in ran[how].out + ran[how].err
