"""Runtime keys on disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from deploytasks.providers.envoy import layer
from deploytasks.providers.envoy.layer import Layer


def test_a_fresh_layer_is_empty(tmp_path: Path) -> None:
    """No keys before the first write, and a link that Envoy can watch afterwards."""
    fresh = Layer(tmp_path / "runtime")
    assert {} == fresh.read()
    fresh.ensure()
    assert ({}, True) == (fresh.read(), fresh.link.is_symlink())


def test_a_write_changes_its_keys_and_leaves_the_others(tmp_path: Path) -> None:
    """Set, change, take away; other keys stay."""
    keys = Layer(tmp_path)
    keys.write({"split.blue": "90", "split.green": "10", "maintenance.on": "100"})
    keys.write({"split.blue": "75", "split.green": None})
    assert {"split.blue": "75", "maintenance.on": "100"} == keys.read()


def test_ensure_leaves_what_is_there(tmp_path: Path) -> None:
    """Preparing twice does not forget the split."""
    keys = Layer(tmp_path)
    keys.write({"split.blue": "100"})
    keys.ensure()
    assert {"split.blue": "100"} == keys.read()


def test_old_writes_are_removed(tmp_path: Path) -> None:
    """The one in force and the one before stay, and nothing else."""
    keys = Layer(tmp_path)
    for number in range(6):
        keys.write({"a.b": str(number)})
    assert 3 == len(list(tmp_path.iterdir()))


def test_a_failed_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up in the middle leaves the keys as they were, and no debris."""
    keys = Layer(tmp_path)
    keys.write({"split.blue": "100"})
    before = sorted(tmp_path.iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keys.write({"split.blue": "50"})
    assert ({"split.blue": "100"}, before) == (keys.read(), sorted(tmp_path.iterdir()))


def test_readers_never_see_half_a_write(tmp_path: Path) -> None:
    """Whoever reads while another writes sees all keys of one write."""
    keys = Layer(tmp_path)
    keys.write({"a": "0", "b": "0"})
    done = threading.Event()

    def write() -> None:
        for number in range(1, 25):
            keys.write({"a": str(number), "b": str(number)})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        try:
            seen.append(keys.read())
        except OSError:  # two writes in the time of one reading: the folder is gone
            continue
    writer.join()
    assert all(found.get("a") == found.get("b") for found in seen if len(found) == 2)
    assert {"a": "24", "b": "24"} == keys.read()


def test_only_one_holds_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one is told no after its patience, and yes when the first is done."""
    monkeypatch.setattr(layer, "PATIENCE", 0.02)
    with Layer(tmp_path).locked() as first, Layer(tmp_path).locked() as second:
        assert (True, False) == (first, second)
    with Layer(tmp_path).locked() as third:
        assert third
