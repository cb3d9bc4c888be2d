"""Every provider × every fault: a named end in time, and nothing of a secret in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults import Bench, Subject, bench, cell, subjects
from faults.faulty import FAULTS
from faults.table import PAGE, page, shown


@pytest.fixture(scope="module", params=subjects(), ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture(scope="module")
def behind(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(subject, tmp_path_factory.mktemp("faults")) as found:
        yield found


def test_it_works(behind: Bench) -> None:
    """Through the proxy, as long as nothing is wrong: what is tried below is a real exchange."""
    assert behind.works()
    assert [] == list(behind.lab.broken)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_a_named_end(subject: Subject, behind: Bench, fault: str) -> None:
    """From the first request on and from the last one on: HOLD or an error of ours, in time, without a secret; and as
    docs/faults.md says."""
    outcomes = behind.outcomes(fault)
    assert [] == behind.wrong(fault, outcomes)
    assert shown()[subject.name, fault] == cell(outcomes)


def test_the_page_shows_all_of_it() -> None:
    """Every subject and every fault, in the words that `inv dev.faults` writes."""
    told = shown()
    assert {(subject.name, fault) for subject in subjects() for fault in FAULTS} == set(told)
    assert page(told) == PAGE.read_text(encoding="utf-8")
