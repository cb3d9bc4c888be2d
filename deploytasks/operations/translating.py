"""Answers with people's names in them, for whoever has the file that translates their ids."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

if TYPE_CHECKING:
    from ..world import World

P = ParamSpec("P")


def readable(
    answer: Callable[Concatenate[World, P], dict[str, Any]],
) -> Callable[Concatenate[World, P], dict[str, Any]]:
    """The same answer, with names in place of ids, as far as they are known here."""

    @wraps(answer)
    def translated(world: World, /, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        return dict(world.site.readable(answer(world, *args, **kwargs)))

    return translated
