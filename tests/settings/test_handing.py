"""What ECS makes of our stages."""

from __future__ import annotations

import pytest

from deploytasks.settings.handing import Handing, explained, nearest


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((100,), Handing("BLUE_GREEN", 100, (100,))),
        ((10, 100), Handing("CANARY", 10, (10, 100))),
        ((25, 50, 75, 100), Handing("LINEAR", 25, (25, 50, 75, 100))),
        ((10, 25, 50, 75, 100), Handing("LINEAR", 20, (20, 40, 60, 80, 100))),
        ((25, 50, 100), Handing("LINEAR", 34, (34, 68, 100))),
        (tuple(range(1, 101)), Handing("LINEAR", 3, (*range(3, 100, 3), 100))),
    ],
)
def test_nearest(stages: tuple[int, ...], expected: Handing) -> None:
    """As many steps as stages, all of one size; never smaller than ECS takes them."""
    assert expected == nearest(stages)


def test_what_differs_is_explained() -> None:
    """And nothing where nothing does."""
    assert "" == explained((10, 100))
    assert explained((10, 50, 100)) == "ECS shifts in equal steps: 34, 68, 100 % instead of 10, 50, 100 %"
