"""The maintenance page at Envoy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deploytasks.errors import UsageError
from deploytasks.ports import Notice, Split
from deploytasks.providers.envoy import Maintenance
from deploytasks.settings.envoy_maintenance import MaintenanceSettings

from .conftest import House, until

BLUE = Split.all_on("blue", None, "settled:x")
NOTICE = Notice("Back <soon>, says #1\né", 100, datetime(2026, 11, 23, 10, 15, tzinfo=UTC), "ann@here")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_everybody_gets_the_page(house: House, method: str) -> None:
    """Every method on every path: 503, with when to come back, never cached."""
    house.start(BLUE)
    house.maintenance.write(NOTICE).perform(10)
    answer = house.get("/api/books/", method=method)
    headers = [answer.headers[name] for name in ("retry-after", "cache-control", "content-type")]
    assert (503, ["120", "no-store", "text/html; charset=utf-8"]) == (answer.status, headers)


def test_the_page_has_the_message_as_text(house: House) -> None:
    """Visitors read the message of this notice, escaped; a later notice replaces it."""
    house.start(BLUE)
    house.maintenance.write(NOTICE).perform(10)
    until(lambda: "Back &lt;soon&gt;, says #1\né".encode() in house.get().body)
    house.maintenance.write(NOTICE._replace(message="Nearly there")).perform(10)
    until(lambda: b"Nearly there" in house.get().body)


def test_closed_and_opened_again_without_touching_the_split(house: House) -> None:
    """The notice is read back while it is up; afterwards users are where they were."""
    house.start(BLUE)
    assert house.maintenance.read() is None
    house.maintenance.write(NOTICE).perform(10)
    assert (NOTICE, BLUE) == (house.maintenance.read(), house.traffic.read())
    house.traffic.shift(Split.all_on("green")).perform(10)  # a shift leaves the site closed
    assert 503 == house.get().status
    house.maintenance.write(None).perform(10)
    assert (None, {"green": 3}) == (house.maintenance.read(), house.colors_of(3))


def test_stays_closed_over_a_restart(house: House) -> None:
    """A closed site is closed after Envoy's configuration changed, too."""
    house.start(BLUE)
    house.maintenance.write(NOTICE).perform(10)
    house.wish["upstream_idle"] = "20s"
    house.start()
    assert (NOTICE, 503) == (house.maintenance.read(), house.get().status)


def test_a_page_of_your_own(house: House) -> None:
    """A configured file is the page, with its two places filled in."""
    house.root.mkdir()
    (house.root / "closed.html").write_text("<p>{message} ({retry_after} s)</p>")
    house.maintenance_settings = MaintenanceSettings(page="closed.html", message="Later")
    house.start(BLUE)
    house.maintenance.write(NOTICE._replace(message="")).perform(10)
    until(lambda: house.get().body == b"<p>Later (100 s)</p>")


def test_a_missing_page_is_named_before_anything_closes(house: House) -> None:
    """A configured page that is not there: code 2, and the site stays open."""
    house.start(BLUE)
    house.maintenance_settings = MaintenanceSettings(page="nowhere.html")
    with pytest.raises(UsageError, match=r"nowhere\.html"):
        house.maintenance.write(NOTICE).perform(10)
    assert 200 == house.get().status


def test_needs_envoy_as_balancer(house: House) -> None:
    """Another balancer cannot show Envoy's page: code 2."""
    with pytest.raises(UsageError):
        Maintenance(MaintenanceSettings(), house.site._replace(sections={}))
