"""The store in a folder: whole values, compared and swapped, whoever else writes and whatever fails."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

from deploytasks.durable import locked
from deploytasks.errors import Unreachable
from deploytasks.providers import directory as module
from deploytasks.providers.directory import DirectoryStore
from deploytasks.providers.site import Site
from deploytasks.settings.directory import DirectorySettings


def make(root: Path, path: str | None = "store") -> DirectoryStore:
    """A store below ``root``."""
    return DirectoryStore(DirectorySettings(path=path), Site("a", "b", root, root / ".deploy" / "b", None, "ann@host"))


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return make(tmp_path)


def test_tag_is_the_digest(store: DirectoryStore) -> None:
    """The tag is the SHA-256 of the value: a folder needs to remember nothing else."""
    assert store.put("a/key", b"\x00one", None) == hashlib.sha256(b"\x00one").hexdigest()


def test_folder_is_made_on_the_first_write(tmp_path: Path) -> None:
    """Opening leaves no trace; the folder is where the settings say."""
    store = make(tmp_path, path=None)
    assert list(tmp_path.iterdir()) == []
    store.put("a", b"one", None)
    assert (tmp_path / ".deploy" / "b" / "store" / "a").read_bytes() == b"one"


def test_events_lie_in_folders_of_a_thousand(store: DirectoryStore, tmp_path: Path) -> None:
    """However many events, no folder gets large; the keys do not show it, and stay in order."""
    keys = [f"a/events/{number:012}.json" for number in (1, 999, 1000, 1001, 100_000)]
    for key in reversed(keys):
        store.put(key, key.encode(), None)
    assert sorted(folder.name for folder in (tmp_path / "store/a/events").iterdir()) == [
        "000000000~", "000000001~", "000000100~",
    ]  # fmt: skip
    assert list(store.keys("a/events/")) == keys
    assert list(store.keys("a/events/", after=keys[1])) == keys[2:]
    assert (store.get(keys[2]) or (b"",))[0] == keys[2].encode()


NAME = st.sampled_from(["a", "b", "ab", "a.json", "a-b", "a b", "000000000001.json", "000000001000.json", "0000000005"])
KEYS = st.sets(st.lists(NAME, min_size=1, max_size=3).map("/".join), max_size=7)


@settings(max_examples=60, deadline=None)
@given(
    KEYS,
    st.sampled_from(["", "a", "a/", "ab/a", "a/0000", "b/000000000001", "c"]),
    st.sampled_from(["", "a", "a/b", "b"]),
)
def test_keys_are_listed_in_order(keys: set[str], prefix: str, after: str) -> None:
    """The listing is all keys with the prefix after the given one, sorted as texts, whatever lies beside them."""
    kept = {key for key in keys if not any(other.startswith(f"{key}/") for other in keys)}
    assume(not any(prefix.startswith(f"{key}/") for key in kept))  # a value is no folder
    with tempfile.TemporaryDirectory() as folder:
        store = make(Path(folder))
        for key in kept:
            store.put(key, b"", None)
        expected = sorted(key for key in kept if key.startswith(prefix) and key > after)
        assert list(store.keys(prefix, after)) == expected


@pytest.mark.parametrize("call", ["open", "write", "fsync", "link"])
@pytest.mark.parametrize(("code", "advice"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "mount it writable")])
def test_failed_creation_leaves_nothing(
    store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, advice: str
) -> None:
    """A full or read-only disk, at whichever call it shows, is said with what to do, and nothing is half written."""
    store.put("a/before", b"one", None)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(code))
        with pytest.raises(Unreachable, match=os.strerror(code)) as caught:
            store.put("a/key", b"two", None)
    assert (advice in caught.value.do, "is whole" in caught.value.state, caught.value.exit_code) == (True, True, 7)
    assert (store.get("a/key"), list(store.keys(""))) == (None, ["a/before"])
    assert list((tmp_path / "store" / ".aside").iterdir()) == []
    store.put("a/key", b"two", None)


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_failed_swap_leaves_the_old_value(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """When a swap fails, the value from before is there, whole, and can be swapped afterwards."""
    tag = store.put("a/key", b"one", None)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(errno.ENOSPC))
        with pytest.raises(Unreachable):
            store.put("a/key", b"two", tag)
    assert store.get("a/key") == (b"one", tag)
    store.put("a/key", b"two", tag)


def test_short_writes_are_completed(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes three bytes at a time still gets all of them."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: real(handle, bytes(content[:3])))
    store.put("a/key", b"0123456789", None)
    assert (store.get("a/key") or (b"",))[0] == b"0123456789"


def test_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """A store that cannot be there is an error with advice, for reading, writing, listing, and for the doctor."""
    (tmp_path / "store").write_text("a file")
    store = make(tmp_path)
    for use in (lambda: store.get("a/b"), lambda: store.put("a/b", b"", None), lambda: list(store.keys("a/"))):
        with pytest.raises(Unreachable) as caught:
            use()
        assert "move away the file" in caught.value.do
    assert [(finding.state, "move away the file" in finding.do) for finding in store.diagnose()] == [("fail", True)]


def test_folder_where_a_value_should_be(store: DirectoryStore) -> None:
    """What cannot be read is not taken for missing."""
    store.put("a/b/c", b"one", None)
    with pytest.raises(Unreachable, match="cannot read"):
        store.get("a/b")


def test_lock_that_is_never_given_back(store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process stopped in the middle of a swap blocks swaps for a bounded time, creations and reads not at all."""
    monkeypatch.setattr(module, "_PATIENCE", 0.02)
    tag = store.put("a/key", b"one", None)
    with locked(tmp_path / "store" / "a" / ".lock", 1):
        with pytest.raises(Unreachable, match="stays locked") as caught:
            store.put("a/key", b"two", tag)
        store.put("a/other", b"one", None)
        assert store.get("a/key") == (b"one", tag)
    assert "fuser" in caught.value.do
    store.put("a/key", b"two", tag)


def test_debris_of_the_killed_is_swept(store: DirectoryStore, tmp_path: Path) -> None:
    """What a killed writer left aside is deleted after an hour; what may still be in use is not."""
    store.put("a/key", b"one", None)
    old, young = (tmp_path / "store" / ".aside" / name for name in (".1-old", ".2-young"))
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    make(tmp_path).put("a/key2", b"one", None)
    assert (old.exists(), young.exists()) == (False, True)


def test_relinked_file_is_no_conflict(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that was made although its answer got lost (NFS tries again) is recognized as ours."""
    real: Callable[..., None] = os.link

    def twice(source: object, target: object) -> None:
        real(source, target)
        real(source, target)

    monkeypatch.setattr(os, "link", twice)
    store.put("a/key", b"one", None)
    assert (store.get("a/key") or (b"",))[0] == b"one"


def test_durable_before_it_returns(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced before it gets its name, and the folder after; of new folders also those above."""
    done: list[str] = []
    for name in ("fsync", "link", "replace"):
        monkeypatch.setattr(os, name, noting(name, getattr(os, name), done))
    tag = store.put("a/key", b"one", None)
    assert done[-3:] == ["fsync", "link", "fsync"]
    assert done.count("fsync") >= 2 + 3  # store, .aside and a are new
    done.clear()
    store.put("a/key", b"two", tag)
    assert done == ["fsync", "replace", "fsync"]


def test_doctor_finds_a_healthy_store(store: DirectoryStore, tmp_path: Path) -> None:
    """Before the first write it will be made; after it it is writable; trying leaves nothing behind."""
    assert [finding.state for finding in store.diagnose()] == ["ok"]
    assert list(tmp_path.iterdir()) == []
    store.put("a/key", b"one", None)
    assert [finding.state for finding in store.diagnose()] == ["ok"]
    assert (list(store.keys("")), list((tmp_path / "store" / ".aside").iterdir())) == (["a/key"], [])


@pytest.mark.parametrize("call", ["link", "write"])
def test_doctor_finds_a_store_that_cannot_be_written(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A file system without room, rights or hard links is found by trying."""
    store.put("a/key", b"one", None)
    monkeypatch.setattr(os, call, failing(errno.EPERM))
    assert [(finding.state, finding.do != "") for finding in store.diagnose()] == [("fail", True)]


def test_doctor_warns_of_little_space(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is nearly full is told before it is full."""
    store.put("a/key", b"one", None)
    monkeypatch.setattr(module, "_LITTLE_SPACE", 2**62)
    assert [finding.state for finding in store.diagnose()] == ["warn"]


def failing(code: int) -> Callable[..., Any]:
    """A system call that fails."""

    def fail(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def noting(name: str, real: Callable[..., Any], into: list[str]) -> Callable[..., Any]:
    """A system call that is noted."""

    def call(*arguments: Any, **named: Any) -> Any:
        into.append(name)
        return real(*arguments, **named)

    return call
