"""10,000 secrets, in every form, through everything of ours that shows or records something: how many are seen.

    python tests/secrets_seen.py        # or: inv dev.secrets

Some of them are known by the name of their variable, some because somebody said so, and some are known to nobody: those
have the shape of a token. Each goes through every way out, in another form in each of them; what comes out is looked
through by ``disclosing``, which shares nothing with the code that hides.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # as pytest has it

import memory
from disclosing import seen
from invoke.exceptions import Exit, UnexpectedExit
from invoke.runners import Result
from secrets_made import FORMS, WITH_SHAPE, Made, made

from deploytasks import executor, outcries, redaction, view
from deploytasks.ci import files as step, leaving
from deploytasks.errors import DeployError, Unreachable
from deploytasks.ledger.spool import Spool
from deploytasks.providers.watchdog.arming import Arming
from deploytasks.providers.watchdog.vigil import Vigil
from deploytasks.providers.web_service import Answer, WebService
from deploytasks.runners import InterruptibleLocal
from deploytasks.settings.mistakes import shown
from deploytasks.settings.web_access import WebAccess

MANY = 10_000
BATCH = 10
Texts = Sequence[str]


class Way(NamedTuple):
    """A way out: what it is called, and what of these texts comes out at its end, in pieces."""

    name: str
    out: Callable[[Texts, Path], Texts]


class Seen(NamedTuple):
    """A secret that was seen, on which way, and in what."""

    way: str
    secret: str
    text: str


# -- ways out --------------------------------------------------------------------------------------------------------


def _said(act: Callable[[], object]) -> Texts:
    """The lines on stdout and stderr."""
    stream = io.StringIO()
    with redirect_stdout(stream), redirect_stderr(stream), suppress(Exit):
        act()
    return stream.getvalue().splitlines()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (str(key), *_strings(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)


def _in_json(document: bytes | str) -> Texts:
    return list(_strings(json.loads(document)))


def _noted(texts: Texts, folder: Path) -> Texts:
    """The ledger, as it lies there, and whoever listens: commands' last lines, evidence, words of people."""
    world = memory.world(folder)
    world.note("evidence", item="tests", key="k", ok=False, detail=list(texts))
    heard = [event for listener in world.listeners for event in listener.events]  # type: ignore[attr-defined]
    world.note("note", text={text: text for text in texts})
    kept = [file.read_text() for file in sorted((folder / "ledger").rglob("*")) if file.is_file()]
    return [
        *_strings(heard[-1].facts),
        *(piece for text in kept for line in text.splitlines() for piece in _plain(line)),
    ]


def _plain(line: str) -> Texts:
    try:
        return _in_json(line)
    except ValueError:
        return [line]


class _Shown:
    """In the place of a lease: what others are shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.token = 1

    def doing(self, text: str) -> None:
        self.texts.append(text)


def _leased(texts: Texts, folder: Path) -> Texts:
    world, lease = memory.world(folder), _Shown()
    world.lease = lease  # type: ignore[assignment]
    for text in texts:
        world.doing(text)
        world.mention(text)
    return [*lease.texts, *(str(event.facts["text"]) for one in world.listeners for event in one.events)]  # type: ignore[attr-defined]


def _spooled(texts: Texts, folder: Path) -> Texts:
    spool = Spool(folder / "spool")
    spool.put("note", {"text": list(texts)}, memory.BEGINNING, "ann@desk")
    return [piece for file in (folder / "spool").glob("*.json") for piece in _in_json(file.read_bytes())]


def _told(texts: Texts, folder: Path) -> Texts:
    return _said(lambda: [view.say(text) for text in texts])


def _answered(texts: Texts, folder: Path) -> Texts:
    return _said(lambda: [view.printing.answer(text) for text in texts])


def _as_json(texts: Texts, folder: Path) -> Texts:
    found = {"found": list(texts), "others": [OSError(text) for text in texts]}
    return [piece for line in _said(lambda: view.show("status", found, json=True)) for piece in _in_json(line)]


def _as_text(texts: Texts, folder: Path) -> Texts:
    findings = [{"subject": "metrics", "state": "fail", "detail": text, "do": text} for text in texts]
    return _said(lambda: view.show("doctor", {"environment": "test", "findings": findings}, json=False))


def _left(error: BaseException, debugging: bool) -> Texts:
    """What is said when it leaves by the last door."""
    door = executor.ChainExecutor.__new__(executor.ChainExecutor)
    told: list[str] = []

    def leave() -> None:
        try:
            with patch.object(executor.ChainExecutor, "_is_debugging", lambda self: debugging):
                message = str(error) if isinstance(error, DeployError) else executor._in_one_line(error)  # type: ignore[arg-type]
                door._leave(error, message, 7)
        except Exit as left:
            told.append(str(left.message))

    return [*_said(leave), *told]


def _chained(text: str) -> DeployError:
    try:
        try:
            raise OSError(text)
        except OSError as error:
            raise Unreachable(f"it failed: {text}", state=text, do=text) from error
    except Unreachable as error:
        return error


def _errors(texts: Texts, folder: Path) -> Texts:
    return [line for text in texts for line in _left(_chained(text), debugging=True)]


def _unforeseen(texts: Texts, folder: Path) -> Texts:
    return [line for text in texts for line in _left(RuntimeError(f"{'so ' * 80}{text}"), debugging=False)]


def _failed_commands(texts: Texts, folder: Path) -> Texts:
    """What Invoke prints of a command that failed."""
    found = []
    for text in texts:
        error = UnexpectedExit(Result(stdout=text, stderr=text, command=text, exited=1, hide=("stdout", "stderr")))
        executor._clean(error)
        left = Exit(text)
        executor._clean(left)
        found += [*str(error).splitlines(), str(left.message)]
    return found


def _echoed(texts: Texts, folder: Path) -> Texts:
    """``inv -e``."""
    runner = InterruptibleLocal.__new__(InterruptibleLocal)
    runner.opts = {"echo_format": "{command}"}
    return _said(lambda: [runner.echo(text) for text in texts])


def _logged(texts: Texts, folder: Path) -> Texts:
    """Logs of libraries, as ``inv -d`` shows them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    record = logging.getLogRecordFactory()
    for text in texts:
        error = OSError(text)
        for level, words, cause in ((logging.DEBUG, "%s", None), (logging.ERROR, "no: %s", (OSError, error, None))):
            handler.handle(record("urllib3", level, "pool.py", 1, words, (text,), cause))
    return stream.getvalue().splitlines()


def _in_threads(texts: Texts, folder: Path) -> Texts:
    def hook(text: str) -> None:
        error = OSError(text)
        outcries._uncaught(OSError, error, None)
        outcries._uncaught_in_a_thread(threading.ExceptHookArgs((OSError, error, None, None)))

    return _said(lambda: [hook(text) for text in texts])


def _services(texts: Texts, folder: Path) -> Texts:
    """What a service answers, refused and not understood; cut where that is in the midst of a secret."""
    service = WebService("Sentry", "http://127.0.0.1:1", WebAccess(), folder)
    found = []
    for at, text in enumerate(texts):
        body = json.dumps({"message": f"{'x' * (280 - at)} {text}"}).encode()
        plain = {"content-type": "text/plain"}
        found.append(str(service.refusal(Answer(400, "Bad", plain, body))))
        found.append(str(service.refusal(Answer(302, "Found", {"location": text}, b""))))
        with suppress(Unreachable):
            service.understood(Answer(200, "OK", plain, f"{'y ' * (140 - at)}{text}".encode()))
            raise AssertionError("that is no JSON")
        try:
            service.understood(Answer(200, "OK", plain, f"<html>{text}".encode()))
        except Unreachable as error:
            found += [str(error), repr(error)]
    return found


def _settings(texts: Texts, folder: Path) -> Texts:
    return [shown(given) for text in texts for given in (text, [text], {"token": text})]


def _watchdog(texts: Texts, folder: Path) -> Texts:
    """Its log, its state, and what it leaves for the ledger."""
    order = Arming(
        "a", "d", memory.Split(100, 0, None, "deadman:d"), 10.0, "library", "test", "/", str(folder), "ann", {}
    )
    vigil = Vigil(folder, order)
    found: list[str] = []
    for text in texts:
        found += _said(lambda text=text: (vigil._show("firing", text), vigil._record("deadman-failed", why=text)))  # type: ignore[misc]
        found += _in_json((folder / "state.json").read_bytes())
    return [*found, *(piece for file in (folder / "spool").glob("*.json") for piece in _in_json(file.read_bytes()))]


def _pipelines(texts: Texts, folder: Path) -> Texts:
    """The files and lines of GitHub Actions."""
    files = {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_OUTPUT": str(folder / "output")}
    with patch.dict(os.environ, {**files, "GITHUB_ACTIONS": "true"}):
        said = _said(lambda: [(step.summarize(text), leaving.left(7, text)) for text in texts])
        step.output({"why": "\n".join(texts)})
    return [*said, *(line for file in files.values() for line in Path(file).read_text().splitlines())]


WAYS = (
    Way("ledger and listeners", _noted),
    Way("lease", _leased),
    Way("spool", _spooled),
    Way("words for people", _told),
    Way("answers", _answered),
    Way("answers as JSON", _as_json),
    Way("findings of doctor", _as_text),
    Way("errors, with --debug", _errors),
    Way("unforeseen errors", _unforeseen),
    Way("commands that failed", _failed_commands),
    Way("inv -e", _echoed),
    Way("logs of libraries", _logged),
    Way("threads", _in_threads),
    Way("answers of services", _services),
    Way("mistakes in settings", _settings),
    Way("watchdog", _watchdog),
    Way("CI", _pipelines),
)


# -- pushing ---------------------------------------------------------------------------------------------------------


@contextmanager
def _known(batch: Sequence[Made]) -> Iterator[None]:
    """A third of them by their variables' names, a third because somebody said so, the others not at all."""
    named = {f"A{at}_{one.variable}": one.value for at, one in enumerate(batch) if _how(at, one) == "named"}
    with patch.dict(os.environ, named), patch.object(redaction, "_told", set()):
        redaction.hide(*(one.value for at, one in enumerate(batch) if _how(at, one) == "told"))
        yield


def _how(at: int, one: Made) -> str:
    if one.variable in ("DATABASE_URL", "AWS_ACCESS_KEY_ID"):  # secret by what stands in them
        return "named"
    return "unknown" if at % 3 == 2 and one.has_shape else ("named", "told")[at % 2]


def _texts(batch: Sequence[Made], turn: int) -> list[str]:
    """Each in a sentence, in the form whose turn it is."""
    found = []
    for at, one in enumerate(batch):
        forms = WITH_SHAPE if _how(at, one) == "unknown" else tuple(FORMS)
        found.append(f'{{"detail": "cannot use {FORMS[forms[(at + turn) % len(forms)]](one.value)} here"}} 10:15')
    return found


def push(many: int = MANY, first: int = 0) -> list[Seen]:
    """Push secrets ``first`` to ``many`` through; those that were seen."""
    secrets = made(many)[first:]
    found: list[Seen] = []
    checked: set[str] = set()
    for number, start in enumerate(range(0, len(secrets), BATCH)):
        batch = secrets[start : start + BATCH]
        values = [one.value for one in batch]
        with _known(batch), patch.object(os, "fsync"), tempfile.TemporaryDirectory() as folder:
            for turn, way in enumerate(WAYS):
                place = Path(folder) / str(turn)
                place.mkdir()
                pieces = set(way.out(_texts(batch, number + turn), place)) - checked
                checked |= pieces
                text = "\n\n".join(sorted(pieces))
                found += [Seen(way.name, secret, text) for secret in seen(text, *values)]
    return found


def main() -> int:
    """Print the figure, and what was seen."""
    outcries.cleaned()
    found = push()
    for one in found[:20]:
        lines = [line for line in one.text.splitlines() if seen(line, one.secret)]
        sys.stdout.write(f"{one.way}: {one.secret!r} in {lines[:1]}\n")
    sys.stdout.write(
        f"{len(WAYS)} ways out x {len(FORMS)} forms: {len({each.secret for each in found})} seen of {MANY:,}\n"
    )
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
