"""One event as one sentence: for the log, the history and the report, always the same words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..ledger.facts import Facts, lists, number, part, parts, text, texts, truth, whole
from ..ports import COLORS
from ..verdict.levels import LEVELS, worded
from .outlooks import evidence, is_over, sick, silences, streams
from .wording import (
    MISSING,
    counted,
    duration,
    instant,
    number as finite,
    one_line,
    seconds,
    share,
    size,
    slow,
    weights,
)

_LONGEST = 400
"""Characters of an explanation on one line; the ledger has all of it."""
_NAMED = 5
"""How many things that are gone are named."""
_SHORT = 90
"""Where the same explanation is told by several lines."""


def sentence(kind: str, facts: Facts) -> str:
    """What happened. An event of a kind that is not known here is told by its facts."""
    tell = _SENTENCES.get(kind)
    return one_line(tell(facts) if tell else _anything(kind, facts))


def _gone(facts: Facts) -> str:
    found = {what: texts(facts, what) for what in ("artifacts", "dumps", "reports")}
    return "; ".join(f"{what} {_first(names)}" for what, names in found.items() if names)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _why(facts: Facts, name: str = "why") -> str:
    return one_line(text(facts, name), _LONGEST)


def _anything(kind: str, facts: Facts) -> str:
    plain = [f"{name} {value}" for name, value in facts.items() if isinstance(value, str | int | float)]
    return one_line(f"{kind}: {', '.join(plain)}" if plain else kind, _LONGEST)


def _began(facts: Facts) -> str:
    what = " ".join(filter(None, (text(facts, "task"), text(facts, "version"))))
    color = f" on {text(facts, 'color')}" if text(facts, "color") else ""
    steps = len(parts(part(facts, "plan"), "steps"))
    count = f", {counted(steps, 'step')}" if steps else ""
    by = texts(part(facts, "planned"), "by")
    approved = f", its plan approved by {', '.join(by)}" if by else ""
    return f"began: {what or 'something'}{color}, by {text(facts, 'who') or 'nobody we know'}{count}{approved}"


def _step(facts: Facts) -> str:
    label, state = text(facts, "step"), text(facts, "state")
    if state == "done":
        return f"step done: {label}, {duration(finite(facts.get('seconds')))}"
    if state == "undone":
        return f"step undone: {label} ({one_line(text(facts, 'why'), _SHORT)})"
    if state == "not undone":
        return f"step NOT undone: {label}: {_why(facts)}"
    return f"step {state}: {label}"


def _installed(facts: Facts) -> str:
    return f"installed: {text(facts, 'version')} on {text(facts, 'color')} ({text(facts, 'release')})"


def _backup(facts: Facts) -> str:
    return f"backup: {text(facts, 'name')}, {size(facts.get('size'))}"


def _migrated(facts: Facts) -> str:
    back = "" if text(facts, "reverse") or text(facts, "preset") else ", no command takes it back"
    return f"migrated: `{text(facts, 'command')}` from {text(facts, 'color')}{back}"


def _reversed(facts: Facts) -> str:
    which = f": {', '.join(texts(facts, 'migrations'))}" if texts(facts, "migrations") else ""
    return f"reversed: `{text(facts, 'command')}` from {text(facts, 'color')}{which}"


def _restored(facts: Facts) -> str:
    kept = f"; what was there is kept as {text(facts, 'kept')}" if text(facts, "kept") else ""
    lost = f"; NOT carried over: {'; '.join(texts(facts, 'lost'))}" if texts(facts, "lost") else ""
    return f"restored: {text(facts, 'name')}{kept}{lost}"


def _settled(facts: Facts) -> str:
    back = text(facts, "way_back")
    until = f"the way back to {back} is open until {instant(facts.get('way_back_until'))}" if back else "no way back"
    return f"settled: {text(facts, 'version')} on {text(facts, 'color')}; {until}"


def _rolled_back(facts: Facts) -> str:
    moved = f"{weights(facts.get('from'))} → {weights(facts.get('to'))}"
    return f"rolled back: {moved}, by {text(facts, 'by') or 'nobody we know'}: {_why(facts, 'reason') or MISSING}"


def _rollback_failed(facts: Facts) -> str:
    by = text(facts, "by") or "nobody we know"
    return f"rollback NOT completed, by {by} ({_why(facts, 'reason') or MISSING}): {_why(facts)}"


def _announced(facts: Facts) -> str:
    what = " ".join(filter(None, (text(facts, "event"), text(facts, "version"))))
    return ": ".join(filter(None, (f"announced: {what}", _why(facts, "message"))))


def _ended(facts: Facts) -> str:
    why = f": {_why(facts)}" if text(facts, "why") else ""
    left = texts(facts, "left")
    remains = f"; NOT taken back: {'; '.join(left)}" if left else ""
    took = finite(facts.get("seconds"))
    after = f" after {duration(took)}" if took is not None else ""
    return f"ended: {text(facts, 'outcome') or 'unknown'}, code {whole(facts, 'code')}{after}{why}{remains}"


def _evidence(facts: Facts) -> str:
    return f"evidence: {text(facts, 'item')}: {'ok' if truth(facts, 'ok') else 'NOT ok'}: {_why(facts, 'detail')}"


def _signed(facts: Facts) -> str:
    """By whose key; without one, the column of who did it tells."""
    act, about = text(facts, "act"), text(facts, "about")
    what = " ".join(filter(None, (_ACTS.get(act, act), text(facts, "item"), f"for {short(about)}" if about else "")))
    by = f", with the key of {text(facts, 'signer')}" if text(facts, "signer") else ""
    said = f": {_why(facts, 'note')}" if text(facts, "note") else ""
    return f"{what}{by}{said}"


def short(about: str) -> str:
    """A commit, or a digest, as people compare it."""
    return about[: len("content ") + 12] if about.startswith("content ") else about[:12]


_ACTS = {
    "sign": "signed:",
    "override": "set aside:",
    "approve": "approved: the plan",
    "plan": "planned: the plan",
}
"""What a ``signed`` event begins with."""


def _asked(facts: Facts) -> str:
    """By whose key; without one, the column of who did it tells."""
    by = f", with the key of {text(facts, 'signer')}" if text(facts, "signer") else ""
    return f"asked: {text(facts, 'verb')}{by}: {_why(facts, 'reason')}"


def _answered(facts: Facts) -> str:
    obeyed = "" if truth(facts, "obeyed") else " NOT obeyed"
    return f"{text(facts, 'verb')}{obeyed}: {_why(facts, 'said')}"


def _checked(facts: Facts) -> str:
    """How many items have which answer."""
    answers = [str(each[1]) for each in lists(facts, "results") if len(each) == 3]
    counts = ", ".join(f"{answers.count(answer)} {answer}" for answer in dict.fromkeys(answers))
    hotfix = " as a hotfix" if truth(facts, "hotfix") else ""
    return f"checklist of {text(facts, 'version')}{hotfix}, level {text(facts, 'level')}: {counts or 'no items'}"


def _overridden(facts: Facts) -> str:
    items = facts.get("items")
    pairs = [each for each in items if isinstance(each, list | tuple)] if isinstance(items, list | tuple) else []
    return f"in spite of: {'; '.join(': '.join(map(str, pair)) for pair in pairs)}"


def _codes(hosts: Facts) -> str:
    return ", ".join(f"{host} {'was lost' if code is None else code}" for host, code in hosts.items())


def _maintenance(facts: Facts) -> str:
    return f"maintenance: {'closed' if truth(facts, 'on') else 'open again'} {_why(facts, 'message')}"


def _lease(facts: Facts) -> str:
    taken = f" from {_why(facts, 'taken_from')}" if text(facts, "taken_from") else ""
    return f"lease {text(facts, 'state')}: {text(facts, 'holder')}{taken} ({text(facts, 'doing')})"


def _fired(facts: Facts) -> str:
    silence = duration(finite(facts.get("silence")))
    return f"dead-man's switch fired after {silence} of silence: {_why(facts)}"


def reading(facts: Facts, target: str = "") -> str:
    """One reading: the share, both colors since the stage began (``target`` first), time left, evidence."""
    seen, outlook = part(facts, "reading"), part(facts, "outlook")
    order = sorted(COLORS, key=lambda color: color != target)
    (first, users), *more = streams(outlook)
    colors = " | ".join(f"{color} {_numbers(part(users, color))}" for color in order if color in users)
    by = f", {first}" if more else ""
    said = [f"{whole(outlook, 'percent')} %{by}: {colors}" if colors else _phase(outlook)]
    asked = order[:1] if target else order
    for name, found in more:
        counted = [f"{color} {_numbers(part(found, color))}" for color in asked if color in found]
        said += [f"{name}: {', '.join(counted)}"] if counted else []
    probes = part(part(outlook, "probes"), target)
    said += [f"probes {_numbers(probes)}"] if whole(probes, "requests") else []
    said += [f"NO DATA{f' from {name}' if more else ''}: {why}" for name, why in silences(seen, outlook).items()]
    said += [f"{color} UNHEALTHY: {why}" for color, why in sick(seen) if color == target or not target]
    said += over_limit(outlook)
    said += [left] if (left := time_left(outlook)) else []
    said += [_answered(part(facts, "answer"))] if part(facts, "answer") else []
    nearest = evidence(outlook)
    said += [f"evidence {percent_of(nearest[1])} ({nearest[0]})"] if nearest and nearest[1] > 0 else ["evidence 0 %"]
    return one_line(" | ".join(said))


def over_limit(outlook: Facts) -> list[str]:
    """The readings of database and hosts that are above the limit from which they warn."""
    over = [(name, pair) for name, pair in levels(outlook).items() if pair[0] > pair[1]]
    return [f"{worded(name, value)} (warns above {LEVELS[name].text(limit)})" for name, (value, limit) in over]


def levels(outlook: Facts) -> dict[str, tuple[float, float]]:
    """Readings of database and hosts, each with its limit, in the order in which they are shown."""
    found = part(outlook, "levels")
    known: dict[str, tuple[float, float]] = {}
    for name in LEVELS:
        pair = found.get(name)
        numbers = [finite(each) for each in pair] if isinstance(pair, list | tuple) else []
        if len(numbers) == 2 and numbers[0] is not None and numbers[1] is not None:
            known[name] = numbers[0], numbers[1]
    return known


def percent_of(value: float) -> str:
    """Evidence toward rolling back; below 100 % it never reads 100 %."""
    return f"{min(99, round(100 * value)) if value < 1 else 100} %"


def _numbers(found: Facts) -> str:
    if not whole(found, "requests"):
        return "0 req"
    said = [f"{whole(found, 'requests')} req"]
    said += [f"{whole(found, 'errors')} err ({share(found.get('rate'))})"] if "errors" in found else []
    return " ".join([*said, *([f"P99 {slow(found, 'p99')}"] if "p99" in found else [])])


def _phase(outlook: Facts) -> str:
    return text(outlook, "phase") or "reading"


def time_left(outlook: Facts) -> str:
    """What the stage, the hold or the pause still lasts."""
    if is_over(outlook):
        return ""
    if finite(outlook.get("pause_left")) is not None:
        by = f" by {text(outlook, 'paused_by')} ({one_line(text(outlook, 'paused_why'), _SHORT)})"
        by = by if text(outlook, "paused_by") else ""
        return f"paused{by}, at most {seconds(number(outlook, 'pause_left'))} more"
    if finite(outlook.get("hold_left")) is not None:
        return f"on hold, at most {seconds(number(outlook, 'hold_left'))} more"
    left = finite(outlook.get("seconds_left"))
    return "" if left is None else f"{seconds(left)} left"


_SENTENCES: Mapping[str, Callable[[Facts], str]] = {
    "began": _began,
    "step": _step,
    "shifting": lambda facts: f"shifting: to {weights(facts.get('split'))}",
    "shifted": lambda facts: f"shifted: {weights(facts.get('split'))}",
    "reading": reading,
    "installed": _installed,
    "backup": _backup,
    "migrated": _migrated,
    "migrating": lambda facts: f"migrating: {counted(len(texts(facts, 'before')), 'migration')} applied before",
    "reversed": _reversed,
    "restored": _restored,
    "settled": _settled,
    "released": lambda facts: (
        f"released: {text(facts, 'version')} as {text(facts, 'tag')} at {text(facts, 'commit')[:12]}"
    ),
    "retired": lambda facts: f"retired: {text(facts, 'color')}; there is no way back to it",
    "rolled-back": _rolled_back,
    "rollback-failed": _rollback_failed,
    "announced": _announced,
    "undelivered": lambda facts: (
        f"NOT told: {text(facts, 'to')} refused the message about event {whole(facts, 'number')}: {_why(facts)}"
    ),
    "ended": _ended,
    "evidence": _evidence,
    "checked": _checked,
    "signed": _signed,
    "overridden": _overridden,
    "drilling": lambda facts: f"drilling: back to {text(facts, 'to')}, then forward to {weights(facts.get('split'))}",
    "asked": _asked,
    "answered": _answered,
    "secrets": lambda facts: f"fingerprints of {', '.join(part(facts, 'fingerprints')) or 'no secret'}",
    "pruned": lambda facts: f"let go: {_gone(facts) or 'nothing'}",
    "lesson": lambda facts: f"learned: {text(facts, 'text')}",
    "host-set-aside": lambda facts: f"set aside: host {text(facts, 'host')} at {text(facts, 'step')}: {_why(facts)}",
    "hosts-back": lambda facts: f"back: {', '.join(texts(facts, 'hosts'))} with {text(facts, 'release')}",
    "ran": lambda facts: f"ran on {text(facts, 'color')}: `{text(facts, 'command')}` ({_codes(part(facts, 'hosts'))})",
    "maintenance": _maintenance,
    "lease": _lease,
    "imported": lambda facts: (
        f"imported: {whole(facts, 'added')} of {whole(facts, 'count')} events from {text(facts, 'file')}, "
        f"exported by {text(facts, 'exported_by')} from a store of kind {text(facts, 'store')}"
    ),
    "note": lambda facts: f"note: {text(facts, 'text')}",
    "deadman-fired": _fired,
    "deadman-failed": lambda facts: f"dead-man's switch FAILED to take traffic home: {_why(facts)}",
}
