"""What AWS lists: page by page, and tags as a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def pages(ask: Callable[..., Any], following: str = "NextToken", **params: Any) -> Iterator[Any]:
    """Each page of an answer, where boto3 has no paginator or one does too much. ``following``: what the next page is
    asked for by. To be gone through inside ``translated``."""
    more: dict[str, Any] = {}
    while True:
        page = ask(**params, **more)
        yield page
        if not page.get(following):
            return
        more = {following: page[following]}


def tags_of(listed: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """``[{"Key": …, "Value": …}]`` as a mapping; a tag without a value has an empty one."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in listed or ()}


def as_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The other way round."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
