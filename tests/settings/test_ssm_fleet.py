"""``fleet: {kind: ssm}``: which instances, and what does not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from deploytasks.settings.mistakes import check
from deploytasks.settings.ssm_fleet import SsmFleetSettings

ID, OTHER = "i-0123456789abcdef0", "mi-0123456789abcdef0"


def made(**given: Any) -> tuple[SsmFleetSettings, list[str]]:
    mistakes: list[str] = []
    usual = {"ports": {"blue": 1, "green": 2}, "bucket": "shop-releases", "service": "shop-{color}"}
    found = check(SsmFleetSettings, {**usual, **given}, "fleet", mistakes)
    return found, mistakes  # type: ignore[return-value]  # there is one when there are no mistakes


def test_by_ids_or_by_tags() -> None:
    """Both colors on the same instances, or each on its own."""
    assert made(instances=[ID, OTHER])[0].ids_of("green") == (ID, OTHER)
    by_color, _ = made(instances={"blue": [ID], "green": [OTHER]}, ports={"blue": 80, "green": 80})
    assert (by_color.ids_of("blue"), by_color.ids_of("green")) == ((ID,), (OTHER,))
    assert made(tags={"app": "shop"})[0].tags_of("blue") == {"app": "shop"}
    both = {"blue": {"color": "blue"}, "green": {"color": "green"}}
    assert made(tags=both)[0].tags_of("green") == {"color": "green"}
    assert made(tags={"blue": "yes"})[0].tags_of("green") == {"blue": "yes"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "say which instances"),
        ({"tags": {"app": "shop"}, "instances": [ID]}, "say which instances"),
        ({"instances": ["web1"]}, "instances"),
        ({"instances": [ID, ID]}, "one is there twice"),
        ({"tags": {"blue": {"app": "shop"}}}, "which instances have it?"),
        ({"tags": {"blue": {"a": "b"}, "green": {"a": "b"}, "red": {"a": "b"}}}, "is no color"),
        ({"tags": {"app": "shop"}, "ports": {"blue": 80, "green": 80}}, "cannot listen at port 80 of one instance"),
        ({"tags": {"app": "shop"}, "ports": {"blue": 80}}, "the port of green is missing"),
        ({"tags": {"app": "shop"}, "max_failures": 2, "max_errors": 1}, "SSM would stop before we do"),
        ({"tags": {"app": "shop"}, "max_concurrency": "0"}, "max_concurrency"),
        ({"tags": {"app": "shop"}, "urls": {"blue": "https://blue.example"}}, "for both colors"),
        ({"tags": {"app": "shop"}, "taken_within": "5s"}, "taken_within"),
    ],
)
def test_mistakes(given: dict[str, Any], says: str) -> None:
    """Each is told with its path."""
    assert any(says in one for one in made(**given)[1]), made(**given)[1]


def test_ssm_bears_what_we_bear() -> None:
    """``MaxErrors`` follows ``max_failures``, unless it is said."""
    assert made(tags={"app": "shop"}, max_failures=3)[0].errors_borne == "3"
    assert made(tags={"app": "shop"}, max_failures=3, max_errors="10%")[0].errors_borne == "10%"
