"""The branch, and the remote: with real git repositories, bare remotes, shallow clones and servers that say nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import memory
import pytest

from deploytasks.checklist import item_of
from deploytasks.checklist.branch import ALLOWED, PUSHED
from deploytasks.checklist.item import Found
from deploytasks.checklist.subject import Subject
from deploytasks.release import branches

IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgSign=false")


class Clone:
    """A git repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str) -> str:
        """What git prints."""
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(["git", *IDENTITY, *arguments], cwd=self.path, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, what: str = "change") -> str:
        """One more commit."""
        self.git("commit", "--quiet", "--allow-empty", "-m", what)
        return self.git("rev-parse", "HEAD")

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the repository, ``.git`` included."""
        return {str(file): file.read_bytes() for file in self.path.rglob("*") if file.is_file()}


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is out of the box, whoever runs this."""
    for name, value in {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_ASKPASS", "GIT_TERMINAL_PROMPT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(tmp_path: Path) -> Clone:
    """A clone with one commit on ``main``, which is on its remote ``origin``."""
    (tmp_path / "origin.git").mkdir()
    (tmp_path / "here").mkdir()
    Clone(tmp_path / "origin.git").git("init", "--quiet", "--bare", "--initial-branch=main")
    made = Clone(tmp_path / "here")
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    made.commit("first")
    made.git("push", "--quiet", "--set-upstream", "origin", "main")
    return made


def other(here: Clone) -> Clone:
    """A colleague's clone."""
    path = here.path.parent / "other"
    here.git("clone", "--quiet", here.git("remote", "get-url", "origin"), str(path))
    return Clone(path)


def ci(here: Clone, branch: str = "main") -> Clone:
    """What a CI checks out: one branch, one commit deep, no branch of its own, and names of its own making."""
    path, url = here.path.parent / "ci", here.git("remote", "get-url", "origin")
    path.mkdir()
    made = Clone(path)
    made.git("init", "--quiet")
    made.git("remote", "add", "origin", url)
    made.git(
        "fetch", "--quiet", "--depth=1", "--no-tags", "origin", f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
    )
    made.git("checkout", "--quiet", "--detach", f"origin/{branch}")
    return made


def subject(here: Clone, tmp_path: Path, commit: str = "", level: str = "production", **gates: Any) -> Subject:
    """A release of a commit (the one that is checked out) on its way."""
    folder = tmp_path / "world"
    folder.mkdir(exist_ok=True)
    world = memory.world(folder, gates={"level": level, **gates})
    world.site = world.site._replace(root=here.path)
    return Subject(world, memory.release()._replace(commit=commit or here.git("rev-parse", "HEAD")))


def answer(item: Any, of: Subject) -> Found:
    """What checking says, as on the checklist."""
    found = item.look(of)
    assert isinstance(found, Found)
    return found


def test_the_items_are_on_the_checklist() -> None:
    """From staging on, and for a hotfix as well."""
    assert [(item.id, item.level, item.asks, item.critical) for item in (ALLOWED, PUSHED)] == [
        ("code.branch", "staging", "", True),
        ("code.pushed", "staging", "git", True),
    ]
    assert [item_of(item.id) for item in (ALLOWED, PUSHED)] == [ALLOWED, PUSHED]


# -- code.branch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "expected"), [("staging", "pass"), ("production", "warn")])
def test_any_branch(here: Clone, tmp_path: Path, level: str, expected: str) -> None:
    """Where nobody names branches, any may be deployed: in production that is worth a word."""
    found = answer(ALLOWED, subject(here, tmp_path, level=level))
    assert (found.answer, "`gates.branches` names none" in found.evidence) == (expected, True)


@pytest.mark.parametrize(
    ("branch", "patterns", "expected"),
    [
        ("main", ["main"], "pass"),
        ("release/1.2", ["main", "release/*"], "pass"),
        ("release/1.2/fix", ["release/*"], "pass"),
        ("feature", ["main", "release/*"], "fail"),
        ("Main", ["main"], "fail"),
        ("mainframe", ["main"], "fail"),
    ],
)
def test_branches_by_pattern(here: Clone, tmp_path: Path, branch: str, patterns: list[str], expected: str) -> None:
    """Shell patterns over the whole name, by the letter."""
    here.git("checkout", "--quiet", "-b", "work")
    here.commit()
    here.git("branch", "--force", "--move", branch)
    assert answer(ALLOWED, subject(here, tmp_path, branches=patterns)).answer == expected


def test_what_is_said_of_branches(here: Clone, tmp_path: Path) -> None:
    """Which branches have the commit, and which may."""
    here.git("checkout", "--quiet", "-b", "feature")
    commit = here.commit()
    of = subject(here, tmp_path, branches=["main", "release/*"])
    assert answer(ALLOWED, of) == Found("fail", f"only feature has commit {commit[:12]}; allowed: main, release/*")
    here.git("checkout", "--quiet", "--detach")
    here.git("branch", "-D", "feature")
    assert answer(ALLOWED, of) == Found("fail", f"no branch has commit {commit[:12]}; allowed: main, release/*")
    here.git("checkout", "--quiet", "main")
    here.git("merge", "--quiet", commit)
    here.commit("more")
    assert answer(ALLOWED, of) == Found("pass", f"main: commit {commit[:12]} is on it")


def test_a_checkout_of_ci(here: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detached, shallow, with the remote's branch alone; what CI says of itself is not believed."""
    here.git("push", "--quiet", "origin", "main:feature")
    made = ci(here)
    assert answer(ALLOWED, subject(made, tmp_path, branches=["main"])).evidence.startswith("origin/main: commit")
    here.git("checkout", "--quiet", "-b", "feature")
    here.commit()
    here.git("push", "--quiet", "origin", "feature")
    made.git("fetch", "--quiet", "--depth=1", "origin", "+refs/heads/feature:refs/remotes/origin/feature")
    made.git("update-ref", "-d", "refs/remotes/origin/main")
    made.git("checkout", "--quiet", "--detach", "origin/feature")
    for name in ("GITHUB_REF_NAME", "CI_COMMIT_BRANCH", "BRANCH_NAME", "GIT_BRANCH"):
        monkeypatch.setenv(name, "main")
    found = answer(ALLOWED, subject(made, tmp_path, branches=["main"]))
    assert found.answer == "fail"
    assert found.evidence.startswith("only origin/feature has commit")
    assert "shallow" in found.evidence


def test_branches_of_other_remotes_do_not_count(here: Clone, tmp_path: Path) -> None:
    """Somebody's fork has a ``main`` as well. A merge that CI made for a pull request is on no branch at all."""
    here.git("checkout", "--quiet", "--detach")
    commit = here.commit()
    here.git("remote", "add", "fork", "/nowhere")
    here.git("update-ref", "refs/remotes/fork/main", commit)
    here.git("update-ref", "refs/remotes/pull/7/main", commit)
    here.git("update-ref", "refs/remotes/origin/HEAD", commit)
    assert answer(ALLOWED, subject(here, tmp_path, branches=["main", "*main"])).answer == "fail"
    found = answer(ALLOWED, subject(here, tmp_path, branches=["main"], remote=None))
    assert found == Found("pass", f"fork/main: commit {commit[:12]} is on it")


def test_a_replaced_history_is_not_believed(here: Clone, tmp_path: Path) -> None:
    """``git replace`` may show any commit as an ancestor of another; nobody else would see that."""
    main = here.git("rev-parse", "main")
    here.git("checkout", "--quiet", "-b", "feature")
    commit = here.commit()
    graft = here.git("commit-tree", "-p", commit, "-m", "x", f"{main}^{{tree}}")
    here.git("replace", main, graft)
    assert answer(ALLOWED, subject(here, tmp_path, commit, branches=["main"])).answer == "fail"
    assert answer(PUSHED, subject(here, tmp_path, commit, branches=["main"])).answer == "fail"


def test_a_commit_that_is_not_here(here: Clone, tmp_path: Path) -> None:
    """A release that was built elsewhere: said, and never guessed."""
    found = answer(ALLOWED, subject(here, tmp_path, "a" * 40, branches=["main"]))
    assert found.answer == "fail"
    assert found.evidence.startswith("commit aaaaaaaaaaaa is not in this clone")


@pytest.mark.parametrize("commit", ["c1.0.0", "HEAD", "--all", "abc1234"])
@pytest.mark.parametrize("item", [ALLOWED, PUSHED], ids=lambda item: item.id)
def test_what_is_no_commit(here: Clone, tmp_path: Path, item: Any, commit: str) -> None:
    """Only a whole object name is asked for."""
    found = answer(item, subject(here, tmp_path, commit, branches=["main"]))
    assert found == Found("fail", "nobody knows which commit 1.0.0 was made from")


@pytest.mark.parametrize("item", [ALLOWED, PUSHED], ids=lambda item: item.id)
def test_outside_of_a_work_tree(tmp_path: Path, item: Any) -> None:
    """A refusal like others: nobody can tell."""
    found = answer(item, subject(Clone(tmp_path), tmp_path, "a" * 40, branches=["main"]))
    assert found.answer == "fail"
    assert "is not in a git work tree" in found.evidence


@pytest.mark.parametrize("item", [ALLOWED, PUSHED], ids=lambda item: item.id)
def test_in_a_hook_of_another_repository(
    here: Clone, tmp_path: Path, item: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What git tells its hooks about their repository is not about this one."""
    elsewhere = other(here)
    elsewhere.commit()
    for name, path in {"GIT_DIR": "", "GIT_OBJECT_DIRECTORY": "objects", "GIT_INDEX_FILE": "index"}.items():
        monkeypatch.setenv(name, str(elsewhere.path / ".git" / path))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("GIT_NAMESPACE", "theirs")
    commit = (here.path / ".git" / "refs" / "heads" / "main").read_text().strip()
    assert answer(item, subject(here, tmp_path, commit, branches=["main"])).answer == "pass"


# -- code.pushed -----------------------------------------------------------------------------------


def test_not_asked(here: Clone, tmp_path: Path) -> None:
    """``remote: null`` says that there is none."""
    assert answer(PUSHED, subject(here, tmp_path, remote=None)).answer == "not applicable"


@pytest.mark.parametrize(("level", "expected"), [("staging", "warn"), ("production", "fail")])
def test_no_such_remote(here: Clone, tmp_path: Path, level: str, expected: str) -> None:
    """Nobody else has the commit: in production that is refused."""
    here.git("remote", "remove", "origin")
    found = answer(PUSHED, subject(here, tmp_path, level=level))
    assert (found.answer, found.evidence.partition(":")[0]) == (expected, "git knows no remote 'origin'")


def test_pushed_or_not(here: Clone, tmp_path: Path) -> None:
    """The tip, what lies below it, and what was never pushed."""
    first = here.git("rev-parse", "HEAD")
    assert answer(PUSHED, subject(here, tmp_path)) == Found("pass", f"origin has commit {first[:12]} on main")
    second = here.commit()
    assert answer(PUSHED, subject(here, tmp_path)) == Found(
        "fail", f"origin has commit {second[:12]} on no branch and no tag: `git push`, or merge it"
    )
    here.git("push", "--quiet")
    here.commit()
    assert answer(PUSHED, subject(here, tmp_path, first)).answer == "pass"


def test_the_remote_itself_is_asked(here: Clone, tmp_path: Path) -> None:
    """What was fetched long ago may have been taken back: a branch that was pushed over, or is no more."""
    here.git("checkout", "--quiet", "-b", "feature")
    commit = here.commit()
    here.git("push", "--quiet", "origin", "feature")
    assert answer(PUSHED, subject(here, tmp_path, commit)).answer == "pass"
    other(here).git("push", "--quiet", "origin", ":feature")
    assert here.git("rev-parse", "origin/feature") == commit
    assert answer(PUSHED, subject(here, tmp_path, commit)).answer == "fail"


def test_a_branch_that_moved_on(here: Clone, tmp_path: Path) -> None:
    """Its tip is not known here: it is fetched aside, and this clone stays as it was, to the byte."""
    commit = here.git("rev-parse", "HEAD")
    colleague = other(here)
    colleague.commit()
    colleague.git("push", "--quiet")
    before = here.snapshot()
    assert answer(PUSHED, subject(here, tmp_path, commit)) == Found("pass", f"origin has commit {commit[:12]} on main")
    assert here.snapshot() == before


def test_a_branch_that_was_pushed_over(here: Clone, tmp_path: Path) -> None:
    """It moved on, but not from this commit."""
    commit = here.commit()
    here.git("push", "--quiet")
    colleague = other(here)
    colleague.git("reset", "--quiet", "--hard", "HEAD~1")
    colleague.commit("another")
    colleague.git("push", "--quiet", "--force")
    assert here.git("rev-parse", "origin/main") == commit
    assert answer(PUSHED, subject(here, tmp_path, commit)).answer == "fail"


def test_a_shallow_clone(here: Clone, tmp_path: Path) -> None:
    """The tip is found by its name; when the branch moves on, by what is fetched aside; nothing is deepened."""
    made = ci(here)
    assert answer(PUSHED, subject(made, tmp_path)).answer == "pass"
    here.commit()
    here.git("push", "--quiet")
    before = made.snapshot()
    assert answer(PUSHED, subject(made, tmp_path)).answer == "pass"
    assert made.snapshot() == before


def test_a_shallow_clone_that_cannot_know(here: Clone, tmp_path: Path) -> None:
    """What is refused for want of history says how to get it."""
    made = ci(here)
    made.commit("of our own")
    found = answer(PUSHED, subject(made, tmp_path))
    assert found.answer == "fail"
    assert "this clone is shallow: `git fetch --unshallow`" in found.evidence


def test_on_a_tag(here: Clone, tmp_path: Path) -> None:
    """A tag keeps a commit there as well, an annotated one, too; but it is no branch that may be deployed."""
    here.git("checkout", "--quiet", "--detach")
    commit = here.commit()
    here.git("tag", "-a", "v1.0.0", "-m", "one")
    here.git("push", "--quiet", "origin", "v1.0.0")
    assert answer(PUSHED, subject(here, tmp_path)) == Found("pass", f"origin has commit {commit[:12]} on tag v1.0.0")
    assert answer(PUSHED, subject(here, tmp_path, branches=["main"])).answer == "fail"


def test_on_a_branch_that_may_be_deployed(here: Clone, tmp_path: Path) -> None:
    """A local ``main`` is quickly made of anything: where branches are named, the remote must have it on such a one."""
    commit = here.commit()
    here.git("push", "--quiet", "origin", "main:feature")
    of = subject(here, tmp_path, branches=["main", "release/*"])
    assert answer(ALLOWED, of).answer == "pass"
    assert answer(PUSHED, of) == Found(
        "fail", f"origin has commit {commit[:12]} on none of main, release/*: `git push`, or merge it"
    )
    here.git("push", "--quiet", "origin", "main:release/1.0")
    assert answer(PUSHED, of).evidence == f"origin has commit {commit[:12]} on release/1.0"


def test_many_branches_that_are_not_known(here: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are fetched, those first that had the commit; and what was left out is said."""
    commit = here.git("rev-parse", "HEAD")
    colleague = other(here)
    colleague.commit("on")
    colleague.git("push", "--quiet")
    for number in range(4):
        colleague.git("checkout", "--quiet", "--orphan", f"a{number}")
        colleague.commit("of its own")
        colleague.git("push", "--quiet", "origin", f"a{number}")
    monkeypatch.setattr(branches, "_AT_ONCE", 1)
    assert answer(PUSHED, subject(here, tmp_path, commit)).answer == "pass"
    ours = here.commit()
    assert (
        "4 more branches there are not known here: `git fetch`"
        in answer(PUSHED, subject(here, tmp_path, ours)).evidence
    )


def test_a_commit_of_nobody(here: Clone, tmp_path: Path) -> None:
    """Neither here nor the tip of anything there."""
    found = answer(PUSHED, subject(here, tmp_path, "a" * 40))
    assert (found.answer, "this clone does not have the commit" in found.evidence) == ("fail", True)


def test_a_branch_that_changes_meanwhile(here: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the remote named is no longer there when it is fetched: a refusal, not a wrong configuration."""
    commit = here.git("rev-parse", "HEAD")
    monkeypatch.setattr(branches, "_tips", lambda *_: {"main": "b" * 40})
    found = answer(PUSHED, subject(here, tmp_path, commit))
    assert (found.answer, found.evidence.partition(":")[0]) == ("fail", "cannot be checked")


def test_a_remote_that_is_gone(here: Clone, tmp_path: Path) -> None:
    """It cannot be asked, so nothing passes; and what stands in its URL is nobody's business."""
    here.git("remote", "set-url", "origin", "http://bert:s3cret-word@127.0.0.1:1/library.git")
    found = answer(PUSHED, subject(here, tmp_path))
    assert found.answer == "fail"
    assert found.evidence.startswith("unreachable: the remote origin cannot be read: fatal: unable to access")
    assert "s3cret" not in found.evidence
    assert "bert" not in found.evidence


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_remote(here: Clone, tmp_path: Path, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is bounded, and what was started to ask it is gone then."""
    here.git("remote", "set-url", "origin", f"http://127.0.0.1:{silent}/library.git")
    monkeypatch.setattr(branches, "WITHIN", 1.0)
    began = time.monotonic()
    found = answer(PUSHED, subject(here, tmp_path))
    assert found == Found("fail", "unreachable: the remote origin did not answer in time")
    assert time.monotonic() - began < 6
    shown = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert f"127.0.0.1:{silent}/library.git" not in shown


def test_a_remote_that_wants_a_password(here: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for one: neither at the terminal nor by a window that pops up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answered = (
                    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                connection.sendall(answered)

        thread = threading.Thread(target=refuse)
        thread.start()
        popped = tmp_path / "popped-up"
        asking = tmp_path / "ask"
        asking.write_text(f"#!/bin/sh\ntouch {popped}\necho x\n")
        asking.chmod(0o755)
        monkeypatch.setenv("SSH_ASKPASS", str(asking))
        here.git("remote", "set-url", "origin", f"http://127.0.0.1:{server.getsockname()[1]}/library.git")
        found = answer(PUSHED, subject(here, tmp_path))
        thread.join()
    assert found.answer == "fail"
    assert "terminal prompts disabled" in found.evidence
    assert not popped.exists()
