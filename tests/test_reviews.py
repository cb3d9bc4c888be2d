"""Who has reviewed a change, counted; and whether its continuous integration is green."""

from __future__ import annotations

from itertools import product

import pytest

from deploytasks.reviews import (
    CheckState,
    NoPull,
    Person,
    PullRequest,
    Review,
    brought_by,
    counted,
    judged,
)

IDS = {name: number for number, name in enumerate(("ann", "bob", "eve", "kim", "zoe", "robot", "org"), start=1)}
BOTS = ("robot", "org")
WORDS = {
    "approves": "approved",
    "asks": "changes requested",
    "dismissed": "dismissed",
    "comments": "commented",
    "drafts": "pending",
    "applauds": "APPLAUDED",
}
PULL = PullRequest(7, "A change", Person(1, "ann"), "new", "main", "open")


def person(name: str) -> Person | None:
    """``nobody`` is a deleted account; ``bob2`` is bob under another name."""
    known = name.rstrip("2")
    return None if name == "nobody" else Person(IDS[known], name, known in BOTS)


def history(text: str) -> list[Review]:
    """``bob approves, eve asks, bob approves old``: who, what, and which commit (the head, if nothing is said)."""
    found = []
    for one in filter(None, map(str.strip, text.split(","))):
        who, what, *commit = one.split()
        looked_at = {"gone": None}.get(commit[0], commit[0]) if commit else "new"
        found.append(Review(person(who), WORDS[what], looked_at))
    return found


def told(text: str, authors: tuple[str, ...] = (), readers: tuple[str, ...] = ()) -> tuple[str, str, dict[str, str]]:
    """Who approved, who blocks, and why others were left out."""
    found = counted(
        history(text), PULL, authors={IDS[name] for name in authors}, readers={IDS[name] for name in readers}
    )
    approved = " ".join(who.login for who in found.approved)
    return approved, " ".join(found.blocking), {one.who: one.why for one in found.left_out}


HISTORIES = {
    # what counts
    "nobody has looked": ("", "", "", {}),
    "one approves": ("bob approves", "bob", "", {}),
    "two approve": ("bob approves, eve approves", "bob eve", "", {}),
    "one approves twice and is one": ("bob approves, bob approves", "bob", "", {}),
    "one under two names is one": ("bob approves, bob2 approves", "bob2", "", {}),
    "one approves after looking at an older commit": ("bob approves old, bob approves", "bob", "", {}),
    "one approves after commenting": ("bob comments, bob approves", "bob", "", {}),
    "one comments after approving": ("bob approves, bob comments", "bob", "", {}),
    "one comments on an older commit after approving": ("bob approves, bob comments old", "bob", "", {}),
    "one drafts something after approving": ("bob approves, bob drafts", "bob", "", {}),
    "one approves after asking for changes": ("bob asks, bob approves", "bob", "", {}),
    "one approves after having been dismissed": ("bob dismissed, bob approves", "bob", "", {}),
    "one approves after a request for changes was dismissed": ("bob dismissed, eve approves", "eve", "", {
        "bob": "dismissed",
    }),
    # what does not
    "one only comments": ("bob comments", "", "", {"bob": "comment"}),
    "one comments twice": ("bob comments, bob comments", "", "", {"bob": "comment"}),
    "a draft that nobody sees is nothing": ("bob drafts", "", "", {}),
    "an older commit was approved": ("bob approves old", "", "", {"bob": "stale"}),
    "an approved commit is gone": ("bob approves gone", "", "", {"bob": "stale"}),
    "the head was pushed over after two approvals": ("bob approves old, eve approves old", "", "", {
        "bob": "stale", "eve": "stale",
    }),
    "one of two has looked at the new head": ("bob approves old, eve approves old, bob approves", "bob", "", {
        "eve": "stale",
    }),
    "a comment on the head makes no old approval new": ("bob approves old, bob comments", "", "", {"bob": "stale"}),
    "an approval was dismissed": ("bob dismissed", "", "", {"bob": "dismissed"}),
    "an approval was dismissed, and an older one of the same person is not valid again": (
        "bob approves, bob dismissed", "", "", {"bob": "dismissed"},
    ),
    "a request for changes was dismissed, and the approval before it is not valid again": (
        "bob approves, bob dismissed, bob comments", "", "", {"bob": "dismissed"},
    ),
    "one of two approvals was dismissed": ("bob approves, eve dismissed", "bob", "", {"eve": "dismissed"}),
    "the author approves": ("ann approves", "", "", {"ann": "self"}),
    "the author approves under a new name": ("ann2 approves", "", "", {"ann2": "self"}),
    "the author comments": ("ann comments, bob approves", "bob", "", {"ann": "comment"}),
    "a bot approves": ("robot approves", "", "", {"robot": "bot"}),
    "an organization approves": ("org approves", "", "", {"org": "bot"}),
    "a bot approves beside a person": ("robot approves, bob approves", "bob", "", {"robot": "bot"}),
    "a deleted account approved": ("nobody approves", "", "", {"a deleted account": "gone"}),
    "two deleted accounts approved": ("nobody approves, nobody approves, bob approves", "bob", "", {
        "a deleted account": "gone",
    }),
    "a word that nobody knows is no approval": ("bob applauds", "", "", {"bob": "unknown"}),
    "a word that nobody knows ends an approval": ("bob approves, bob applauds", "", "", {"bob": "unknown"}),
    # what stands in the way
    "one asks for changes": ("bob asks", "", "bob", {}),
    "one asks for changes after approving": ("bob approves, bob asks", "", "bob", {}),
    "one asks for changes, two approve": ("bob asks, eve approves, kim approves", "eve kim", "bob", {}),
    "who asks for changes and then comments still asks": ("bob asks, bob comments", "", "bob", {}),
    "who asks for changes and then drafts still asks": ("bob asks, bob drafts", "", "bob", {}),
    "a push does not answer a request for changes": ("bob asks old, eve approves", "eve", "bob", {}),
    "a request on a commit that is gone still stands": ("bob asks gone", "", "bob", {}),
    "an approval of an older commit ends a request, and does not count": ("bob asks, bob approves old", "", "", {
        "bob": "stale",
    }),
    "a new request after a dismissed one": ("bob dismissed, bob asks", "", "bob", {}),
    "two ask for changes": ("bob asks, eve asks", "", "bob eve", {}),
    "a bot asks for changes": ("robot asks, bob approves, eve approves", "bob eve", "robot", {}),
    "a deleted account asked for changes": ("nobody asks, bob approves", "bob", "a deleted account", {}),
    "an approval of a deleted account ends no request of another one": ("nobody asks, nobody approves", "", (
        "a deleted account"
    ), {"a deleted account": "gone"}),
    # all at once
    "a long story": (
        "ann comments, bob asks old, robot approves, eve approves old, kim dismissed, bob approves, nobody approves",
        "bob", "",
        {"ann": "comment", "robot": "bot", "eve": "stale", "kim": "dismissed",
         "a deleted account": "gone"},
    ),
}  # fmt: skip
"""What happened → who approved, who blocks, who was left out and why."""


@pytest.mark.parametrize("story", HISTORIES, ids=lambda story: story.replace(" ", "-"))
def test_histories(story: str) -> None:
    """Distinct current approvals of people; whoever is left out is named with the reason."""
    text, *expected = HISTORIES[story]
    assert tuple(expected) == told(str(text))


def test_there_are_histories_enough() -> None:
    """Forty at least; those with authors and readers come on top."""
    assert len(HISTORIES) >= 45


@pytest.mark.parametrize(
    ("text", "authors", "readers", "expected"),
    [
        pytest.param("bob approves", (), ("bob",), ("", "", {"bob": "reader"}), id="who-may-only-read"),
        pytest.param("bob asks", (), ("bob",), ("", "bob", {}), id="who-may-only-read-still-asks-for-changes"),
        pytest.param("bob approves, eve approves", (), ("bob",), ("eve", "", {"bob": "reader"}), id="one-may-write"),
        pytest.param("bob approves", ("bob",), (), ("", "", {"bob": "author"}), id="who-wrote-a-commit"),
        pytest.param("bob approves, eve approves", ("ann", "bob"), (), ("eve", "", {"bob": "author"}), id="four-eyes"),
        pytest.param("bob approves", ("bob",), ("bob",), ("", "", {"bob": "author"}), id="both"),
        pytest.param("bob approves old", (), ("bob",), ("", "", {"bob": "stale"}), id="stale-and-reader"),
    ],
)
def test_who_else_is_left_out(
    text: str, authors: tuple[str, ...], readers: tuple[str, ...], expected: tuple[str, str, dict[str, str]]
) -> None:
    """Who wrote a commit, where four eyes are meant; and who may not write to the repository."""
    assert expected == told(text, authors, readers)


def test_whatever_happens_nobody_counts_twice() -> None:
    """All 1,728 histories of three reviews by two people: each is in one place at most, and the last word decides."""
    words = [word for word in WORDS if word != "applauds"]
    acts = [*(f"{who} {what}" for who, what in product(("bob", "eve"), words)), "bob approves old", "eve asks old"]
    for acted in product(acts, repeat=3):
        approved, blocking, left_out = told(", ".join(acted))
        names = [*approved.split(), *blocking.split(), *left_out]
        assert sorted(set(names)) == sorted(names)
        for who in ("bob", "eve"):
            said = [
                act.split()[1:] for act in acted if act.startswith(who) and act.split()[1] not in ("comments", "drafts")
            ]
            assert (who in approved.split()) == (bool(said) and said[-1] == ["approves"])
            assert (who in blocking.split()) == (bool(said) and said[-1][0] == "asks")


def test_each_reason_is_a_sentence() -> None:
    """Evidence names the person, and the commits where they differ."""
    found = counted(history("bob approves old, ann approves, robot approves, eve approves gone"), PULL)
    assert [
        "bob approved old, not its head new",
        "ann opened it",
        "robot is a bot",
        "eve approved a commit that is gone, not its head new",
    ] == [one.sentence for one in found.left_out]


def test_a_pull_request_of_a_deleted_account() -> None:
    """Nobody who is there opened it."""
    pull = PULL._replace(author=None)
    assert [Person(1, "ann")] == list(counted(history("ann approves"), pull).approved)


# -- which pull request ----------------------------------------------------------------------------------------------


def pull(number: int, state: str = "merged", base: str = "main", head: str = "h") -> PullRequest:
    return PULL._replace(number=number, state=state, base=base, head=head)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        pytest.param([pull(1)], 1, id="merged"),
        pytest.param([pull(1, head="another")], 1, id="squashed-into-another-commit"),
        pytest.param([pull(1, "open", head="c")], 1, id="open-and-this-is-its-head"),
        pytest.param([pull(1), pull(2, "open", head="c")], 1, id="merged-goes-before-open"),
        pytest.param([pull(1), pull(2, base="develop")], 1, id="one-into-each-branch"),
        pytest.param([pull(1, base="release/1.2")], 1, id="a-release-line"),
        pytest.param([], "pushed directly", id="none"),
        pytest.param([pull(1, "closed")], "pushed directly", id="closed-without-a-merge"),
        pytest.param([pull(1, base="develop")], "came by #1 into develop, not into main", id="into-another-branch"),
        pytest.param([pull(1), pull(2)], r"several pull requests (#1, #2)", id="several-merged"),
        pytest.param([pull(1, "open", head="c"), pull(2, "open", head="c")], "several", id="several-open"),
        pytest.param([pull(1, "open", head="pushed-over")], "its head is pushed-over, not c", id="force-pushed"),
    ],
)
def test_which_pull_request_brought_a_commit(pulls: list[PullRequest], expected: int | str) -> None:
    """The one that is merged into a branch that counts; where it cannot be told, none."""
    found = brought_by(pulls, "c", ("main", "release/*"))
    if isinstance(expected, str):
        assert isinstance(found, NoPull)
        assert expected in found.why
    else:
        assert isinstance(found, PullRequest)
        assert expected == found.number


# -- continuous integration ------------------------------------------------------------------------------------------


def checks(text: str) -> list[CheckState]:
    """``build green, lint skipped``."""
    pairs = (one.split() for one in filter(None, text.split(", ")))
    return [CheckState(name, state, f"said-{state}") for name, state in pairs]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "required", "ignored", "state", "said"),
    [
        ("build green", "", "", "green", "build"),
        ("build green, lint skipped", "", "", "green", "lint (said-skipped)"),
        ("build green, lint red", "", "", "red", "lint (said-red)"),
        ("build green, lint pending", "", "", "pending", "lint (said-pending)"),
        ("build red, lint pending", "", "", "red", "build"),
        ("build green, lint unknown", "", "", "unknown", "lint (said-unknown)"),
        ("lint unknown, build pending", "", "", "unknown", "lint"),
        ("", "", "", "unknown", "nothing has reported"),
        ("lint skipped", "", "", "unknown", "everything was skipped"),
        ("build green, deploy pending", "", "deploy", "green", "build"),
        ("deploy pending", "", "deploy", "unknown", "nothing has reported but deploy"),
        ("deploy green", "", "deploy", "unknown", "nothing has reported but deploy"),
        ("build green, lint red", "build", "", "green", "build"),
        ("build skipped", "build", "", "green", "build (said-skipped)"),
        ("lint green", "build", "", "unknown", "has not reported: build"),
        ("", "build lint", "", "unknown", "has not reported: build, lint"),
        ("build pending", "build lint", "", "unknown", "has not reported: lint"),
        ("build red", "build lint", "", "red", "build"),
        ("build green, build red", "build", "", "red", "build"),
        ("build green, build pending", "", "", "pending", "build"),
        ("build green", "build", "build", "unknown", "has not reported: build"),
    ],
)
def test_green_or_not(text: str, required: str, ignored: str, state: str, said: str) -> None:
    """All of it, or what is required; what said nothing is not green, and not awaited for ever either."""
    found = judged(checks(text), required.split(), ignored.split())
    assert (state, said in found.detail) == (found.state, True), found.detail


def test_what_somebody_calls_a_check_is_only_text() -> None:
    """No control character comes to a terminal, and no name fills it."""
    found = judged([CheckState("\x1b[2Jall green" + "!" * 500, "red", "failure\n")])
    assert found.detail.isprintable()
    assert len(found.detail) < 100


def test_a_long_list_is_cut() -> None:
    """Evidence stays a line."""
    found = judged([CheckState(f"job-{number}", "green", "success") for number in range(30)])
    assert found.detail.endswith("and 22 more")
