"""The site is closed and opened by one write to the map, and visitors read what the notice says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from deploytasks.errors import Unreachable, UsageError
from deploytasks.ports import Notice
from deploytasks.providers.haproxy import Maintenance
from deploytasks.settings.haproxy import MaintenanceSettings

from .conftest import BLUE, House

NOTICE = Notice(
    'Back at <b>noon</b>; "we" & you + 100 % sure?\nÄ', 1234, datetime(2026, 11, 23, 10, tzinfo=UTC), "ann@x"
)


def test_closed_and_open_again(house: House) -> None:
    """503 with the page and the very number of the notice, then business as before; the split was not touched."""
    house.traffic.shift(BLUE).perform(30)
    house.maintenance.write(NOTICE).perform(30)
    answer = house.get()
    assert (503, "1234", "no-store") == (answer.status, answer.headers["retry-after"], answer.headers["cache-control"])
    assert "text/html; charset=utf-8" == answer.headers["content-type"]
    text = answer.body.decode()
    assert "Back at &lt;b&gt;noon&lt;/b&gt;; &quot;we&quot; &amp; you + 100 % sure? Ä" in text
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert NOTICE == house.maintenance.read()
    house.maintenance.write(None).perform(30)
    assert house.maintenance.read() is None
    assert {"blue": 5} == house.colors_of(5)
    assert BLUE == house.traffic.read()


def test_it_stays_closed_over_a_restart(house: House) -> None:
    """The notice is in the map's file, too."""
    house.maintenance.write(NOTICE).perform(30)
    house.balancer.restart()
    assert NOTICE == house.maintenance.read()
    assert "1234" == house.get().headers["retry-after"]


def test_a_page_of_the_project(house: House) -> None:
    """Its own HTML, with message and seconds filled in."""
    (house.root / "page.html").write_text("<p title='{retry_after}'>{message}</p>")
    house.maintenance_settings = MaintenanceSettings(page="page.html")
    house.maintenance.write(NOTICE._replace(message="Soon & well")).perform(30)
    assert b"<p title='1234'>Soon &amp; well</p>" == house.get().body


def test_a_page_as_large_as_it_may_be(house: House) -> None:
    """What fits is shown whole; what does not is refused before anything is written."""
    house.maintenance_settings = MaintenanceSettings(page="page.html")
    (house.root / "page.html").write_text("x" * 11_800)
    house.maintenance.write(NOTICE).perform(30)
    assert 11_800 == len(house.get().body)
    house.maintenance.write(None).perform(30)
    (house.root / "page.html").write_text("x" * 12_000)
    with pytest.raises(UsageError, match="too large"):
        house.maintenance.write(NOTICE)


def test_all_balancers_or_an_error(new_house: Callable[..., House]) -> None:
    """Each of them is closed; when one is elsewhere, the error names it."""
    house = new_house(2)
    house.maintenance.write(NOTICE).perform(30)
    assert [503, 503] == [house.get(at=number).status for number in (0, 1)]
    House(house.root, [house.balancers[1]], {}).maintenance.write(None).perform(30)
    with pytest.raises(Unreachable, match=r"is closed; .* is open"):
        house.maintenance.read()


def test_closing_goes_as_far_as_it_can(new_house: Callable[..., House]) -> None:
    """One is dead: the other one is closed, and the error says so."""
    house = new_house(2)
    house.balancers[0].kill()
    with pytest.raises(Unreachable) as caught:
        house.maintenance.write(NOTICE).perform(30)
    assert f"{house.balancers[1].socket} has it" in caught.value.state
    house.balancers[0].start()
    assert NOTICE == house.maintenance.read()


def test_needs_haproxy_as_balancer(house: House) -> None:
    """Another balancer has another maintenance page: code 2."""
    with pytest.raises(UsageError, match=r"needs traffic: \{kind: haproxy\}"):
        Maintenance(MaintenanceSettings(), house.site._replace(sections={}))
