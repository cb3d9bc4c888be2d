"""People's word in the ledger: items signed, refusals set aside, lessons noted. Signed with a key where it matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import redaction, signing, view
from ..checklist import ITEMS, Item, Subject, item_of
from ..checklist.signatures import may_not_override
from ..checklist.signing import Statement, allowed, signers
from ..errors import GateRefused, UsageError
from ..ledger.event import instant_text
from ..ports import Release
from ..settings.mistakes import did_you_mean
from .opening import open_world
from .releases import choose_release

if TYPE_CHECKING:
    from invoke import Context

    from ..ports import Json
    from ..world import World

Facts = dict[str, str]
LEAST = ("store", "gates", "signers", "people")
"""The parts of the settings that signing needs."""
LONGEST = 2000
"""Characters of what somebody says beside a signature."""
LESSON = 10_000
"""Characters of what was learned."""


def sign(
    c: Context,
    env: str | None,
    items: Sequence[str],
    note: str | None,
    *,
    commit: str | None,
    version: str | None,
    preview: bool,
    json: bool,
) -> None:
    """Sign what no machine can know, for a commit. Raises ``UsageError`` for what a machine does know."""
    chosen = _items(items)
    if not one_line(note or ""):
        raise UsageError("what have you seen?", do="say --note: it is signed, and others will read it")
    world = open_world(c, env, need=None if any(item.check for item in chosen) else LEAST)
    of = _subject(world, commit, version, thorough=any(item.check for item in chosen))
    for item in chosen:
        _require_signable(item, of)
    _each(world, "sign", chosen, of, str(note).strip(), preview=preview, json=json)


def override(
    c: Context,
    env: str | None,
    items: Sequence[str],
    reason: str | None,
    *,
    commit: str | None,
    version: str | None,
    preview: bool,
    json: bool,
) -> None:
    """Set refusals of the checklist aside, for a commit and for a day."""
    chosen = _items(items)
    if not one_line(reason or ""):
        raise UsageError("why?", do="say --reason: it is signed, and it is in the report of the deployment")
    world = open_world(c, env, need=LEAST)
    of = _subject(world, commit, version, thorough=False)
    _each(world, "override", chosen, of, str(reason).strip(), preview=preview, json=json)


def note(c: Context, env: str | None, text: str, deployment: str | None, *, preview: bool, json: bool) -> None:
    """Keep a lesson beside a deployment: the given one, or the last."""
    world = open_world(c, env, need=("store", "people"))
    said = redaction.clean(text.strip())
    if not said:
        raise UsageError("what was learned?", do='say it: inv note "…"')
    if len(said) > LESSON:
        raise UsageError(f"{len(said)} characters are too many for a note", do="keep it elsewhere, and note where")
    about = _deployment(world, deployment)
    if preview:
        view.say(f"would note {f'beside {about}' if about else 'without a deployment'}: {said}")
        return
    world.note("lesson", text=said, **({"deployment": about} if about else {}))
    answer = {"environment": world.site.environment, "deployment": about or None, "text": said}
    view.show("noted", answer, json)


def _deployment(world: World, given: str | None) -> str:
    """The deployment that is meant; empty when there never was one. Raises ``UsageError`` for one that never was."""
    world.spool.drain(world.ledger)
    standing = world.ledger.head().standing
    if given is None:
        return (standing.open or standing.recent[-1]).deployment if standing.open or standing.recent else ""
    began = (event for event in world.ledger.events() if event.kind == "began")
    known = [str(event.facts.get("deployment")) for event in began]
    if given not in known:
        hint = did_you_mean(given, known)
        raise UsageError(
            f"there is no deployment {given}{hint}", do=f"choose one of: {', '.join(known[-5:]) or 'none'}"
        )
    return given


# -- items -------------------------------------------------------------------------------------------


def _items(given: Sequence[str]) -> list[Item]:
    """The items of ``["people.oncall,people.announced"]``. Raises ``UsageError`` for unknown ones."""
    names = list(dict.fromkeys(name.strip() for one in given for name in one.split(",") if name.strip()))
    if not names:
        raise UsageError("which item?", do="`inv checklist` shows them; several: people.oncall,people.announced")
    for name in names:
        if item_of(name) is None:
            hint = did_you_mean(name, [item.id for item in ITEMS])
            raise UsageError(f"there is no item {name}{hint}", do="`inv checklist` shows all of them")
    return [item for name in names if (item := item_of(name))]


def _require_signable(item: Item, of: Subject) -> None:
    if item.check is None:
        return
    found = item.look(of)
    if found.answer == "needs a signature":
        return
    env = of.world.site.environment
    do = (
        ""
        if found.answer in ("pass", "warn", "not applicable")
        else f"mend it, or `inv override {item.id} --env {env} --reason …`"
    )
    raise UsageError(f"{item.id} is not signed, a machine checks it: {found.answer}: {found.evidence}", do=do)


def _subject(world: World, commit: str | None, version: str | None, *, thorough: bool) -> Subject:
    """What is signed about. ``thorough``: whether its content is needed, too, which takes a while."""
    from ..release import git

    if commit and version:
        raise UsageError("--commit and --version at once?", do="say one of them; default: what is checked out")
    if version or world.settings.dirty or (thorough and not commit):
        return Subject(world, choose_release(world, version))
    top = git.top(world.site.root)
    try:
        found = git.line(top, "rev-parse", "--verify", "--quiet", f"{commit or 'HEAD'}^{{commit}}")
    except git.GitRefused as error:
        raise UsageError(f"there is no commit {commit or 'yet'}", do="git fetch, or say --version") from error
    if thorough and found != git.head(top):
        raise UsageError(f"what is to be signed is looked at, and {commit} is not checked out", do="say its --version")
    return Subject(world, choose_release(world, None) if thorough else Release("", found, "", ""))


def _each(world: World, act: str, items: Sequence[Item], of: Subject, note: str, *, preview: bool, json: bool) -> None:
    commit = of.release.commit if of.release else ""

    def check(who: str) -> None:
        if act == "override" and who and (why := may_not_override(who, world, commit)):
            raise GateRefused(why, state="nothing was recorded", do="ask one of them")

    done = [record(world, act, item.id, of.commit, note, commit=commit, preview=preview, check=check) for item in items]
    if not preview:
        _show(world, act, done, json)


def _show(world: World, act: str, done: Sequence[Facts], json: bool) -> None:
    answer: dict[str, Any] = {
        "environment": world.site.environment,
        "act": act,
        "items": [facts["item"] for facts in done],
        "about": done[0]["about"],
        "note": done[0]["note"],
        "signer": done[0]["signer"] or None,
        "key": done[0]["key"] or None,
        "who": world.site.who,
    }
    view.show("signed", answer, json)


# -- recording ---------------------------------------------------------------------------------------


def record(
    world: World,
    act: str,
    item: str,
    about: str,
    note: str,
    *,
    commit: str = "",
    preview: bool = False,
    check: Callable[[str], None] = lambda who: None,
) -> Facts:
    """Record what somebody states; in a protected environment with their signature, which is checked first.

    Returns the facts of the event. ``commit``: the one whose allowed signers count. ``check`` is told who it is, before
    anything is recorded, and may refuse. Secrets in the note are hidden before it is signed. With ``preview`` nothing
    is signed or recorded. Raises ``UsageError`` without a key to sign with, ``BadSignature`` with one that does not
    count.
    """
    facts = {"act": act, "item": item, "about": about, "note": _fit(world, one_line(note)), "signer": "", "key": ""}
    if preview:
        check("" if world.settings.protected else world.site.who)
        view.say(_would(world, facts, commit))
        return facts
    if world.settings.protected:
        facts |= signature_on(world, facts, commit)
    check(facts["signer"] or world.site.who)
    recorded: dict[str, Json] = {**facts, "signer": world.site.recorded(facts["signer"]) if facts["signer"] else ""}
    if _fit(world, recorded) != recorded:
        raise UsageError("what would be recorded holds a secret, or the name of somebody", state="nothing was recorded")
    world.note("signed", **recorded)
    return facts


def one_line(note: str) -> str:
    """What somebody says, as it may stand in a list: on one line, without what no terminal shows, and not at length.

    Raises ``UsageError`` for more than ``LONGEST`` characters.
    """
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in note).split())
    if len(said) > LONGEST:
        raise UsageError(
            f"{len(said)} characters are too many to sign",
            state="nothing was recorded",
            do="name a ticket that has it all",
        )
    return said


def _fit(world: World, value: Any) -> Any:
    """As the ledger takes it: without secrets, and without names where people are recorded by ids."""
    clean = redaction.clean(value)
    return clean if world.site.names is None else world.site.names.veiled(clean)


def signature_on(world: World, facts: Facts, commit: str, *, interactive: bool | None = None) -> Facts:
    """Who signs, with which key, what exactly, and the signature. ``facts``: act, item, about and note.

    ``interactive``: whether somebody may be asked for a passphrase or a touch; by default where a person is.
    """
    at = world.clock.now()
    where = world.site.application, world.site.environment
    what = facts["act"], facts["item"], facts["about"], facts["note"]
    statement = str(Statement(*where, *what, at, str(_fit(world, world.site.who))))
    known = allowed(world, commit)
    key = signing.chosen(signing.keys(signers(world).key, world.site.root), known)
    may_ask = view.is_terminal() if interactive is None else interactive
    signature = signing.sign(statement.encode(), key, interactive=may_ask)
    try:
        found = signing.who_signed(statement.encode(), signature, known, (at,))
    except signing.BadSignature as error:
        raise signing.BadSignature(
            f"your signature does not count: {error.what}",
            state="nothing was recorded",
            do=f"mend your line in {known.name}, or name another key: `signers.key`",
        ) from error
    return {"signer": found.signer, "key": found.key, "statement": statement, "signature": signature}


def _would(world: World, facts: Facts, commit: str) -> str:
    what = " ".join(filter(None, (facts["act"], facts["item"], f"about {facts['about'][:20]}")))
    who = world.site.who
    if world.settings.protected:
        key = signing.chosen(signing.keys(signers(world).key, world.site.root), allowed(world, commit))
        who = f"a signature by {key.origin}"
    said = f": {facts['note']}" if facts["note"] else ""
    return f"would record in {world.site.environment}, with {who}, {instant_text(world.clock.now())[:16]}: {what}{said}"
