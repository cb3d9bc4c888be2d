"""A release made in changelogs of every trait: the diff is exactly the lines that were expected."""

from __future__ import annotations

from functools import lru_cache

import pytest

from deploytasks.release.changelog import ChangelogRefused, Promotion, notes, promote

from .changelogs import DATE, Case, corpus


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    return tuple(corpus())


def promoted(one: Case) -> Promotion:
    return promote(one.before, version=one.version, date=DATE, tag=one.tag, previous_tag=one.previous_tag)


@pytest.mark.parametrize("count", [pytest.param(len(cases()), id=f"{len(cases())} changelogs")])
def test_corpus(count: int) -> None:
    """Each of the changelogs becomes exactly what was expected, byte for byte, and its notes are what stood there."""
    wrong = []
    for one in cases():
        try:
            found = promoted(one)
        except ChangelogRefused as refused:
            wrong.append(f"{one.name}: {refused.what}")
            continue
        if found.document != one.after:
            wrong.append(f"{one.name}: another document")
        elif found.section != one.body or notes(found.document, one.version) != one.body:
            wrong.append(f"{one.name}: another section")
    assert [] == wrong[:5], f"{len(wrong)} of {count} are wrong"
