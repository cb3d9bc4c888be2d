"""Addresses for the embedded environment."""

from __future__ import annotations

import socket

import pytest

from deploytasks.adopting.ports import beside, nearest, parsed


def test_a_free_address_is_taken() -> None:
    """And a taken one is passed by."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert port < parsed(nearest(f"127.0.0.1:{port}"))[1]
    assert f"127.0.0.1:{port}" == nearest(f"127.0.0.1:{port}")


def test_the_colors_are_beside_it() -> None:
    """Two addresses on this machine, neither that of users, wherever users come in."""
    for address in ("127.0.0.1:23080", "0.0.0.0:65535", "127.0.0.1:65500"):
        found = {*beside(address), f"127.0.0.1:{parsed(address)[1]}"}
        assert 3 == len(found)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        if port > 1100:
            assert f"127.0.0.1:{port}" not in beside(f"127.0.0.1:{port - 21}")


@pytest.mark.parametrize(
    "given", ["8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:70000"]
)
def test_what_is_no_address(given: str) -> None:
    """It is said how one is written."""
    with pytest.raises(ValueError, match="say HOST:PORT, such as"):
        parsed(given)
