"""What would happen to a release: one deployment told, many counted, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..paint import Paint, table, wrapped
from ..wording import counted, duration, milliseconds, number, one_line, share, whole
from .reading import fields, items, title, word

_STYLES = {"taken back": "bad", "held": "warn", "hold": "warn", "paused": "warn", "warning": "warn", "finished": "good"}
_WORDS = {"held": "went home"}
"""The kinds of moments that are called otherwise in words."""


def simulation(answer: Mapping[str, Any], paint: Paint) -> list[str]:
    """The plan, the fault, one deployment like most of them, all of them, and other rates of errors."""
    where = title(word(answer, "application"), word(answer, "environment"))
    return [
        *wrapped(f"{where}, simulated: {_plan(fields(answer, 'rules'))}", paint.columns),
        *wrapped(_assumed(answer), paint.columns, "  "),
        "",
        *_one(answer, paint),
        "",
        *_all(answer, paint),
        "",
        *_rates(answer, paint),
        *_limits(answer, paint),
    ]


def _plan(rules: Mapping[str, Any]) -> str:
    stages = rules.get("stages")
    shown = ", ".join(map(str, stages)) if isinstance(stages, list | tuple) else "–"
    watched = f"stages {shown} %, {_time(rules, 'watch')} each, bake {_time(rules, 'bake')}"
    late = number(rules.get("lag"))
    lag = f", numbers {duration(late)} late" if late else ""
    return f"{watched}; a look every {_time(rules, 'poll')}{lag}; rule {word(rules, 'rule')}"


def _time(of: Mapping[str, Any], name: str) -> str:
    return duration(number(of.get(name)))


def _assumed(answer: Mapping[str, Any]) -> str:
    """What is assumed of the traffic and of the release."""
    said = fields(answer, "assumed")
    rps = number(said.get("rps"))
    traffic = f"{rps:g} requests/s" if rps is not None else "requests"
    usual = f"the live color fails {share(said.get('usual_errors'))} of them"
    if answer.get("fault") is not True:
        return f"{traffic}; {usual}, and so does the new release{_when(said)}"
    return f"{traffic}; {usual}, the new release {', '.join(_faults(said))}{_when(said)}"


def _faults(said: Mapping[str, Any]) -> Iterator[str]:
    yield share(said.get("errors"))
    if said.get("p99") is not None:
        yield f"its P99 is {milliseconds(said.get('p99'))} (live: {milliseconds(said.get('usual_p99'))})"
    if number(said.get("silent_after")) is not None:
        yield f"the metrics are silent from {_time(said, 'silent_after')} after its first traffic"
    if number(said.get("unhealthy_after")) is not None:
        yield f"its health page fails from {_time(said, 'unhealthy_after')} after its first traffic"


def _when(said: Mapping[str, Any]) -> str:
    stage, after = number(said.get("stage")), number(said.get("after"))
    begins = [f"from {stage:g} % of the traffic on"] if stage else []
    begins += [f"from {duration(after)} after its first traffic on"] if after else []
    asked = said.get("orders")
    orders = (
        [one for one in asked if isinstance(one, list | tuple) and len(one) == 2] if isinstance(asked, list) else []
    )
    does = [f"; somebody says {one_line(verb)} {duration(number(at))} after it" for at, verb in orders]
    return (f"; its fault is there {' and '.join(begins)}" if begins else "") + "".join(does)


def _one(answer: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    run, many = fields(answer, "typical"), fields(answer, "deployments")
    yield paint(f"one of {counted_whole(many.get('runs'), 'deployment')}, like most of them", "bold")
    for moment in items(run, "moments"):
        yield from _moment(moment, paint)
    yield _met(run)


def _moment(moment: Mapping[str, Any], paint: Paint) -> list[str]:
    kind = word(moment, "kind")
    percent = number(moment.get("percent"))
    head = f"  {_clock(moment.get('at'))}  {'' if percent is None else f'{percent:.0f} %':>5}  "
    name = f"{_WORDS.get(kind, kind):<10}"
    indent = " " * (len(head + name) + 2)
    first, *more = wrapped(word(moment, "why", ""), max(paint.columns, 60), indent)
    return [head + paint(name, _STYLES.get(kind, "")) + "  " + first.strip(), *more]


def _clock(given: object) -> str:
    """Since the rollout began: ``00:12:30``."""
    found = number(given)
    if found is None:
        return "--:--:--"
    total = round(found)
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"


def _met(run: Mapping[str, Any]) -> str:
    requests, errors = whole(run.get("requests")), number(run.get("errors"))
    said = f"  {requests} requests met the new release, {counted_whole(errors, 'error')}"
    took = number(run.get("took"))
    return f"{said}; home {duration(took)} after its fault began" if took else said


def _all(answer: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    many, well = fields(answer, "deployments"), fields(answer, "healthy")
    runs = number(many.get("runs"))
    yield paint(f"{counted_whole(runs, 'deployment')}", "bold")
    rows = [
        (paint("taken back", "bad"), *_count(many, "taken_back", runs), _times(many)),
        (paint("held, then home", "warn"), *_count(many, "held", runs), ""),
        (paint("finished", "good"), *_count(many, "finished", runs), ""),
    ]
    yield from table(rows, "  ", right=(1, 2))
    met = f"{whole(many.get('requests'))} requests met the new release, {whole(many.get('errors'))} errors"
    yield f"  users: {met} (medians; P95 {whole(many.get('errors_p95'))} errors)"
    if well:
        yield (
            f"  healthy releases: {whole(well.get('taken_back'))} of {whole(well.get('runs'))} taken back by mistake "
            f"(95 % sure: below {share(well.get('at_most'))}), {whole(well.get('held'))} held"
        )


def _count(many: Mapping[str, Any], name: str, runs: float | None) -> tuple[str, str]:
    found = number(many.get(name))
    part = f"{100 * found / runs:.0f} %" if found is not None and runs else ""
    return whole(many.get(name)), part


def _times(of: Mapping[str, Any]) -> str:
    if number(of.get("median")) is None:
        return ""
    return f"median {_time(of, 'median')} after users could meet the fault, P95 {_time(of, 'p95')}"


def _rates(answer: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    rates = items(answer, "rates")
    if not rates:
        return
    heads = ("errors", "taken back", "held", "finished", "median", "P95", "errors met")
    rows = [tuple(paint(head, "dim") for head in heads)]
    for rate in rates:
        runs = number(rate.get("runs"))
        parts = [_count(rate, name, runs)[1] for name in ("taken_back", "held", "finished")]
        times = (_time(rate, "median"), _time(rate, "p95"))
        rows.append((share(rate.get("rate")), *parts, *times, whole(rate.get("errors"))))
    yield paint(f"other rates, {counted_whole(rates[0].get('runs'), 'deployment')} each", "bold")
    yield from table(rows, "  ", right=tuple(range(len(heads))))


def _limits(answer: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    """What cannot be seen, and what was not simulated."""
    noted = answer.get("notes")
    yield ""
    first, *more = wrapped(_seen(answer), paint.columns, "  ")
    yield from (f"{paint.mark('warn')} {first.strip()}", *more)
    for note in noted if isinstance(noted, list | tuple) else ():
        yield from wrapped(one_line(note), paint.columns, "  ", "· ")


def _seen(answer: Mapping[str, Any]) -> str:
    """From which rate on errors are seen, and whether that is worth anything: who holds everything sees nothing."""
    seen, limit = number(answer.get("seen_from")), share(fields(answer, "rules").get("errors"))
    rates = [found for rate in items(answer, "rates") if (found := number(rate.get("rate"))) is not None]
    well = fields(answer, "healthy")
    runs, finished = number(well.get("runs")) or 0, number(well.get("finished")) or 0
    blind = "at this traffic even most healthy releases do not finish; " if finished < runs / 2 else ""
    verb = "judged bad" if blind else "kept out"
    if seen is None:
        worst = share(max(rates)) if rates else "any"
        return f"{blind or 'at this traffic '}not even {worst} errors are surely {verb}"
    below = [rate for rate in rates if rate < seen]
    gets = f"; {share(max(below))} is not" if below else ""
    surely = f"{share(seen)} errors and more are {verb} in 95 of 100 deployments"
    return f"{blind or 'at this traffic, '}{surely}{gets} (limit {limit})"


def counted_whole(count: object, noun: str) -> str:
    """``1,000 deployments``, ``1 error``."""
    found = number(count)
    return counted(1, noun) if found == 1 else f"{whole(count)} {noun}s"
