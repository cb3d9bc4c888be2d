"""What every store promises: whole values, compared and swapped, whoever else writes. In each kind that there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import stores

import deploytasks
from deploytasks.errors import Conflict, UsageError
from deploytasks.ports import Store
from deploytasks.providers import open_provider
from deploytasks.settings.directory import DirectorySettings
from deploytasks.settings.postgres_store import PostgresStoreSettings
from deploytasks.settings.s3_store import S3StoreSettings

ROOT = Path(deploytasks.__file__).parents[1]


@pytest.fixture(params=stores.KINDS)
def reopen(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Store]]:
    """Open the store of this test, as another process would."""
    with stores.on(request.param, lambda: request.getfixturevalue("ledgers"), monkeypatch.setenv):
        yield lambda: stores.opened(tmp_path)


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    return reopen()


@pytest.fixture
def herd(tmp_path: Path, reopen: Callable[[], Store]) -> Callable[..., Any]:
    """Run a role of the ledger's herd of processes on this test's store."""

    def run(*arguments: str) -> Any:
        script = str(ROOT / "tests" / "ledger" / "herd.py")
        own = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
        done = subprocess.run(
            [sys.executable, script, arguments[0], str(tmp_path), *arguments[1:]],
            capture_output=True, text=True, timeout=60, check=True, env=own,
        )  # fmt: skip
        return json.loads(done.stdout)

    return run


def test_value_comes_back_with_its_tag(store: Store, reopen: Callable[[], Store]) -> None:
    """What was put is there, byte by byte, with the tag that putting it gave; what was not is not."""
    assert store.get("a/b/head.json") is None
    tag = store.put("a/b/head.json", b"\x00one\xff", None)
    assert store.get("a/b/head.json") == (b"\x00one\xff", tag)
    assert reopen().get("a/b/head.json") == (b"\x00one\xff", tag)


def test_swap_needs_the_tag_that_is_there(store: Store) -> None:
    """A swap succeeds with the current tag only, a creation only where nothing is; a refused one changes nothing."""
    first = store.put("a/key", b"one", None)
    second = store.put("a/key", b"two", first)
    for expect in (first, None, "no tag"):
        with pytest.raises(Conflict):
            store.put("a/key", b"three", expect)
    with pytest.raises(Conflict):
        store.put("a/other", b"three", first)
    assert (store.get("a/key"), store.get("a/other")) == ((b"two", second), None)


def test_one_of_many_creates(herd: Callable[..., Any], store: Store) -> None:
    """Of twenty processes that create one key at once, one succeeds, and its value is the one that stays."""
    found = herd("create", "20")
    assert found.count(True) == 1
    assert (store.get("a/b/c.json") or (b"",))[0] == str(found.index(True)).encode()


def test_no_swap_is_lost(herd: Callable[..., Any], store: Store) -> None:
    """Twenty processes that count up one number ten times each, at once, bring it to two hundred."""
    lost = herd("count-up", "20", "10")
    assert (store.get("a/number") or (b"",))[0] == b"200"
    assert sum(lost) > 0  # they did meet


def test_empty_store_is_left_alone(store: Store) -> None:
    """Before anything was written there is nothing, which is no error, and listing it finds nothing."""
    assert (store.get("a"), list(store.keys("")), list(store.keys("a/"))) == (None, [], [])


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/etc/passwd", "..", "a/../b", "a/..", "../b", "./a", "a//b", "a/", ".hidden", "a/.lock", "a\\..\\b",
        "a\x00b", "a\nb", "a~", "x" * 201, "~root", "a/*",
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_refused(store: Store, key: str) -> None:
    """A key that could mean a place outside a folder is refused by every store, so that a ledger can move."""
    for use in (store.get, lambda given: store.put(given, b"", None)):
        with pytest.raises(UsageError):
            use(key)
    assert list(store.keys("")) == []


KEYS = ["a-b", "a.json", "aB", "a_b", "a/0.json", "a/events/000000000001.json", "a/events/000000001000.json", "axb/c"]


def test_keys_come_in_the_order_of_their_bytes(store: Store) -> None:
    """Sorted as texts, whatever the language of the server; nothing in a prefix means anything but itself."""
    for key in reversed(KEYS):
        store.put(key, key.encode(), None)
    assert list(store.keys("")) == sorted(KEYS)
    assert list(store.keys("a/")) == [key for key in sorted(KEYS) if key.startswith("a/")]
    assert list(store.keys("a_")) == ["a_b"]  # no wildcard: not axb, not a-b
    assert list(store.keys("a%")) == []
    assert list(store.keys("a/", after="a/events/000000000001.json")) == ["a/events/000000001000.json"]


def test_events_are_read_one_after_the_other(store: Store) -> None:
    """Read in order, each event is its own, and one that came meanwhile is not missed."""
    for number in range(1, 251):
        store.put(f"a/events/{number:012}.json", str(number).encode(), None)
    found = [store.get(f"a/events/{number:012}.json") for number in range(1, 251)]
    assert [value for value, _ in filter(None, found)] == [str(number).encode() for number in range(1, 251)]
    assert store.get(f"a/events/{251:012}.json") is None
    tag = store.put(f"a/events/{251:012}.json", b"late", None)
    assert store.get(f"a/events/{251:012}.json") == (b"late", tag)


def test_doctor_finds_it_well(store: Store) -> None:
    """Before the first write it will be made; after it, it is writable; and trying leaves nothing behind."""
    assert "fail" not in {finding.state for finding in store.diagnose()}
    store.put("a/key", b"one", None)
    assert store.diagnose()[0].state == "ok"
    assert "writable" in store.diagnose()[0].detail
    assert list(store.keys("")) == ["a/key"]


@pytest.mark.parametrize(
    "settings",
    [DirectorySettings(path="here"), PostgresStoreSettings(url_from=stores.URL), S3StoreSettings(bucket="nowhere")],
    ids=lambda one: one.kind,
)
def test_is_what_the_settings_call_it(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind of the section ``store`` opens it; nothing is asked of a server before it is needed."""
    monkeypatch.setenv(stores.URL, "postgresql://nobody@127.0.0.1:1/nothing")
    assert open_provider("store", settings, stores.site(tmp_path)).get is not None
    assert list(tmp_path.iterdir()) == []
