"""No write is lost or made twice, whatever happens to a request and to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploytasks.errors import Conflict, Unreachable
from deploytasks.providers.aws.s3 import store as module
from deploytasks.providers.aws.s3.store import REMEMBERED, S3Store

from .conftest import BUCKET, Open

if TYPE_CHECKING:
    from lab.aws import Cloud
    from lab.aws.s3 import S3

EVENT = "shop/production/events/000000000001.json"


@pytest.mark.parametrize("fate", ["drop", "drop_answer"])
def test_lost_creation(store: S3Store, cloud: Cloud, s3: S3, fate: str) -> None:
    """A creation that is lost, or whose answer is, is there once, and known as our own."""
    getattr(cloud, fate)("s3", "PutObject")
    tag = store.put(EVENT, b"ours", None)
    assert store.get(EVENT) == (b"ours", tag)
    assert len(s3.buckets[BUCKET].versions[EVENT]) == 1


@pytest.mark.parametrize("fate", ["drop", "drop_answer"])
def test_lost_swap(store: S3Store, cloud: Cloud, fate: str) -> None:
    """So is a swap; the tag that it gave is good for the next one."""
    tag = store.put("a/key", b"0", None)
    getattr(cloud, fate)("s3", "PutObject")
    tag = store.put("a/key", b"1", tag)
    assert store.get("a/key") == (b"1", tag)
    store.put("a/key", b"2", tag)


@pytest.mark.parametrize("others", [1, REMEMBERED - 1])
def test_lost_answer_after_which_others_wrote(store: S3Store, cloud: Cloud, opened: Open, others: int) -> None:
    """Our swap got through, though others have written since: it is no conflict. Our tag is old then."""
    tag, other = store.put("a/key", b"0", None), opened()

    def write() -> None:
        for nth in range(others):
            found = other.get("a/key")
            assert found is not None
            other.put("a/key", found[0] + b" %d" % nth, found[1])

    cloud.drop_answer("s3", "PutObject")
    cloud.before("s3", "PutObject", write)  # before it is sent again
    tag = store.put("a/key", b"ours", tag)
    assert (other.get("a/key") or (b"",))[0].startswith(b"ours 0")
    with pytest.raises(Conflict):
        store.put("a/key", b"over theirs", tag)


def test_lost_request_in_whose_place_another_wrote(store: S3Store, cloud: Cloud, opened: Open) -> None:
    """When another one's write came first, ours was not made, and that is a conflict."""
    other = opened()
    cloud.drop("s3", "PutObject")
    cloud.before("s3", "PutObject", lambda: other.put(EVENT, b"theirs", None) and None)
    with pytest.raises(Conflict):
        store.put(EVENT, b"ours", None)
    assert (store.get(EVENT) or (b"",))[0] == b"theirs"


def test_refused_at_once_is_a_conflict(store: S3Store, cloud: Cloud) -> None:
    """What was asked for once and refused (412, ``PreconditionFailed``) needs no second look."""
    store.put(EVENT, b"theirs", None)
    with cloud.counting() as asked, pytest.raises(Conflict):
        store.put(EVENT, b"ours", None)
    assert asked == ["PutObject"]


def test_meanwhile_is_asked_again(store: S3Store, cloud: Cloud) -> None:
    """Where S3 cannot tell yet who was first (409), it is asked again."""
    cloud.fail("s3", "PutObject", "ConditionalRequestConflict", status=409, times=3)
    with cloud.counting() as asked:
        tag = store.put(EVENT, b"ours", None)
    assert (store.get(EVENT), asked) == ((b"ours", tag), ["PutObject"] * 4)


def test_meanwhile_for_ever(store: S3Store, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """That has an end: it was not written, and the error says so."""
    monkeypatch.setattr(module, "_ATTEMPTS", 2)
    cloud.fail("s3", "PutObject", "ConditionalRequestConflict", status=409, times=2)
    with pytest.raises(Unreachable, match="too busy") as caught:
        store.put(EVENT, b"ours", None)
    assert (caught.value.state, store.get(EVENT)) == ("it was not written", None)


def test_errors_of_theirs_after_which_it_is_there(store: S3Store, cloud: Cloud) -> None:
    """When S3 fails in the end, but has written at first, that is found out."""
    cloud.drop_answer("s3", "PutObject")
    cloud.fail("s3", "PutObject", "InternalError", status=500, times=2)
    tag = store.put(EVENT, b"ours", None)
    assert store.get(EVENT) == (b"ours", tag)


@pytest.mark.parametrize(("code", "status"), [("InternalError", 500), ("SlowDown", 503), ("ServiceUnavailable", 503)])
def test_errors_of_theirs(store: S3Store, cloud: Cloud, code: str, status: int) -> None:
    """When nobody can tell whether it was written, the error says so."""
    cloud.fail("s3", "PutObject", code, status=status, times=3)
    with pytest.raises(Unreachable, match=code) as caught:
        store.put(EVENT, b"ours", None)
    assert (caught.value.exit_code, caught.value.state) == (7, "it may have been written, or not")


def test_refusal_after_a_lost_answer_is_in_doubt(store: S3Store, cloud: Cloud) -> None:
    """A token that expires between two attempts does not say that the first one failed: it is looked up."""
    cloud.drop_answer("s3", "PutObject")
    cloud.fail("s3", "PutObject", "ExpiredToken", status=400)
    tag = store.put(EVENT, b"ours", None)
    assert store.get(EVENT) == (b"ours", tag)


def test_silence_is_waited_for_once(opened: Open, cloud: Cloud) -> None:
    """Who waited in vain is told so at once the next time: a silent S3 does not make every step wait."""
    store = opened(within=0.5)
    cloud.delay("s3", "PutObject", 0.7, times=3)
    with pytest.raises(Unreachable) as caught:
        store.put(EVENT, b"ours", None)
    assert caught.value.state == "it may have been written, or not"
    with cloud.counting() as asked, pytest.raises(Unreachable):
        store.get("a/key")
    assert asked == []
