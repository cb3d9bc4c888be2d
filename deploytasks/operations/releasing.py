"""Cut a release: look, decide, show, agree, make, record."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .. import redaction, view
from ..errors import DeployError, GateRefused, Unreachable, UsageError, WayBackFailed
from ..settings import plain
from .opening import open_world

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Json
    from ..release import page
    from ..release.cut import Cut, Line
    from ..release.cutting import Wanted
    from ..release.making import Made
    from ..settings.release import Release as Rules
    from ..world import World

Answer = dict[str, Any]


def open_release(c: Context, env: str | None, *, consent: bool = False) -> World:
    """The world of the environment whose ledger has the releases: the one that is named, or configured, or first."""
    named = env or _part(c, "release").get("environment") or next(iter(_part(c, "environments")), None)
    return open_world(c, named, need=("store", "release"), consent=consent)


def _part(c: Context, name: str) -> Mapping[str, Any]:
    """A part of the configuration, before it is known to be right."""
    given = plain(c.config.get("deploy", {}))
    found = given.get(name) if isinstance(given, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def message(given: str, file: str | None) -> str:
    """The words of a release: those of the command line, or of a file (``-``: of stdin). Raises ``UsageError``."""
    if file is not None and given:
        raise UsageError("a message and --message-file: which one?", do="say one of them")
    text = given if file is None else _read(file)
    if not text.strip():
        raise UsageError("the message is empty", do='say what this release is: `inv create-release minor "…"`')
    if "\0" in text:
        raise UsageError("the message has a NUL in it, which git does not take")
    if redaction.clean(text) != text:
        raise UsageError("the message holds the value of a secret, and would be published with the tag")
    return text.replace("\r\n", "\n").strip()


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"--message-file {file}: {why}") from error


def create(world: World, wanted: Wanted, *, preview: bool, github: bool, json: bool) -> None:
    """Cut a release, or show what that would change. Raises ``GateRefused``, ``TakenBack`` and their kin."""
    from ..release import journal
    from ..release.checkout import git_dir_of
    from ..release.cut import Line

    if github and not wanted.push:
        raise UsageError("--github makes the page of a tag that is pushed", do="say --push as well")
    _, git_dir = git_dir_of(world.site.root)
    if preview:
        _show(world, wanted, github=github, json=json)
        return
    with journal.alone(git_dir):
        _mend(world)
        found = _decided(world, wanted)
        if isinstance(found, Line):
            _begun(found, json=json)
            return
        page_at = _page_at(world) if github else None
        made = _made(world, found)
    try:
        _tell(world, found, made, page_at, json=json)
    except KeyboardInterrupt as error:
        out = " and pushed" if found.push else ""
        raise WayBackFailed(
            f"interrupted, when {found.version} was made{out} already",
            state="it stays; its event in the ledger, or its page, may be missing",
            do=f"`inv release-notes {found.version}` shows it",
        ) from error


def rules_of(world: World) -> Rules:
    """How releases are cut here."""
    return cast("Rules", world.settings.sections["release"])


def _decided(world: World, wanted: Wanted) -> Cut | Line:
    from ..release import cutting

    state = world.site.root / world.settings.state
    prefix = world.settings.tag_prefix
    rules = rules_of(world)
    with view.a_word_in_time(
        lambda: f"still asking git, and the remote {rules.remote}" if rules.remote else "still asking git"
    ):
        return cutting.decide(world.site.root, rules, prefix, wanted, world.clock.now(), [state])


# -- before --------------------------------------------------------------------------------------------------


def _mend(world: World) -> None:
    """What somebody left who was killed at it."""
    from ..release import taking_back

    found = taking_back.mend(world.site.root)
    if found is None:
        return
    if found.commit is None:
        view.say(f"a release of {found.cut.version} was killed in the middle: it was taken back")
    else:
        view.say(f"a release of {found.cut.version} was killed after {found.cut.remote} had it: it is made")
        _record(world, found.cut, found.commit)
    for line in found.told:
        view.say(line)


def _show(world: World, wanted: Wanted, *, github: bool, json: bool) -> None:
    """``--plan``: everything that would change, and every command."""
    from ..release import journal
    from ..release.checkout import git_dir_of
    from ..release.cut import Line

    left = journal.read(*git_dir_of(world.site.root))
    if left is not None:
        raise GateRefused(
            f"a release of {left.cut.version} was killed in the middle, or could not be taken back",
            state="nothing was changed",
            do="the next `inv create-release` without --plan takes it back first",
        )
    found = _decided(world, wanted)
    if isinstance(found, Line):
        view.show("release-line", _line(found, begun=False), json)
        return
    page_at = _page_at(world) if github else None
    view.show("release-plan", _planned(found, page_at), json)


def _planned(cut: Cut, page_at: page.Place | None) -> Answer:
    return {
        **_about(cut),
        "message": cut.message,
        "differences": cut.differences(),
        "commands": cut.commands(),
        "page": f"POST {page_at.releases}" if page_at else None,
        "asks": cut.asks,
        "warnings": list(cut.warnings),
    }


def _about(cut: Cut) -> Answer:
    return {
        "version": cut.version,
        "tag": cut.tag,
        "previous": cut.previous,
        "branch": cut.branch,
        "after": cut.head,
        "bump": cut.bump,
        "prerelease": cut.is_prerelease,
        "files": list(cut.paths),
    }


def _page_at(world: World) -> page.Place:
    """Where the page is made; asked before anything is changed."""
    from ..release import checkout, page, upstream

    rules = rules_of(world)
    at = checkout.look(world.site.root, ())
    there = upstream.url_of(at, rules.remote)
    return page.place(rules.page, upstream.web_address(there) if there else None, world.site.vault)


# -- making --------------------------------------------------------------------------------------------------


def _made(world: World, cut: Cut) -> Made:
    from ..release import making

    for line in cut.warnings:
        view.say(f"note: {line}")
    if cut.asks and not world.consent:
        if not view.is_terminal():
            raise UsageError(f"{cut.asks}; and nobody is at a terminal to confirm", do="say --yes")
        if not view.confirm(f"{cut.asks}. Release {cut.version}?"):
            raise GateRefused("not confirmed", state="nothing was changed")
    with view.a_word_in_time(lambda: "still at it: git's hooks may take their time, and so may a push"):
        return making.make(cut)


def _begun(line: Line, *, json: bool) -> None:
    from ..release import making

    making.begin(line)
    view.show("release-line", _line(line, begun=True), json)


def _line(line: Line, *, begun: bool) -> Answer:
    return {"branch": line.branch, "tag": line.tag, "begun": begun, "command": " ".join(line.command)}


# -- after ---------------------------------------------------------------------------------------------------


def _tell(world: World, cut: Cut, made: Made, page_at: page.Place | None, *, json: bool) -> None:
    """Record it, make its page, and show what comes next. It is made: nothing here takes it back."""
    from ..release import upstream

    _record(world, cut, made.commit)
    for line in made.told:
        view.say(line)
    address, error = _published(cut, page_at)
    found = cut.next_steps(upstream.main_branch(cut.top, cut.remote))
    steps = [{"step": step, "command": command} for step, command in found]
    answer = {**_about(cut), "commit": made.commit, "pushed": cut.push, "remote": cut.remote, "page": address}
    view.show("released", {**answer, "next": steps}, json)
    if error is not None:
        how = " --prerelease" if cut.is_prerelease else " --latest=false" if cut.is_older_line else ""
        raise Unreachable(
            error.what,
            state=f"{cut.version} is released and pushed; only its page is missing",
            do=f"inv release-notes {cut.version} --style github | gh release create {cut.tag}{how} --notes-file -",
        ) from error


def _published(cut: Cut, page_at: page.Place | None) -> tuple[str | None, DeployError | None]:
    from ..release import changelog, page

    if page_at is None:
        return None, None
    notes = changelog.rendered(cut.notes, "github", document=cut.edits[0].after)
    try:
        shown = page.Page(cut.tag, notes, cut.is_prerelease, not cut.is_older_line)
        return page.publish(page_at, shown), None
    except DeployError as error:
        return None, error


def _record(world: World, cut: Cut, commit: str) -> None:
    """Into the ledger, or into the spool when that is silent."""
    facts: dict[str, Json] = {
        "version": cut.version,
        "tag": cut.tag,
        "commit": commit,
        "previous": cut.previous,
        "bump": cut.bump,
        "notes": sha256(cut.notes).hexdigest(),
        "pushed": cut.push,
    }
    with world.going_back():
        world.note("released", **facts)
