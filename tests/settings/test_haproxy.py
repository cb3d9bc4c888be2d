"""Settings of HAProxy: what is short, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deploytasks.settings.haproxy import TrafficSettings

LEAST = {"public": "https://shop.example"}


def test_a_balancer_in_short() -> None:
    """A path, an address, or a host with its socket."""
    given: list[Any] = [
        "/run/haproxy/admin.sock",
        "127.0.0.1:9999",
        "[::1]:9999",
        {"host": "deploy@lb1", "socket": "/run/haproxy/admin.sock"},
    ]
    found = TrafficSettings.model_validate({**LEAST, "balancers": given}).balancers
    assert [None, None, None, "deploy@lb1"] == [each.host for each in found]
    assert [False, True, True, False] == [each.is_far for each in found]


@pytest.mark.parametrize(
    "wrong",
    [
        {"balancers": []},
        {"balancers": ["run/haproxy.sock"]},
        {"balancers": ["localhost"]},
        {"balancers": ["localhost:99999"]},
        {"balancers": ["/run/a b.sock"]},
        {"balancers": ["/run/a.sock", "/run/a.sock"]},
        {"balancers": ["/run/a.sock"], "public": "shop.example"},
        {"balancers": ["/run/a.sock"], "map": "split.map"},
        {"balancers": ["/run/a.sock"], "state": "/var/lib/it's"},
        {"balancers": ["/run/a.sock"], "state": "/var/lib/x;shutdown"},
        {"balancers": ["/run/a.sock"], "map": "/var/lib/split.map;shutdown"},
        {"balancers": ["/run/a.sock"], "backends": {"blue": "a b", "green": "c"}},
        {"balancers": [{"host": "lb1"}]},
        {"balancers": ["/run/a.sock"], "backends": {"blue": "a", "green": "a"}},
    ],
)
def test_what_is_refused(wrong: dict[str, Any]) -> None:
    """Each is a mistake when it is read, not when it is needed."""
    with pytest.raises(ValidationError):
        TrafficSettings.model_validate({**LEAST, **wrong})
