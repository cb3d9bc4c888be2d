"""The last lines of the live view: the answer to what was asked, the lease and the switch, the keys. Pure."""

from __future__ import annotations

from textwrap import wrap

from rich.cells import cell_len
from rich.text import Text

from ..ledger.facts import text
from .desk import Desk
from .scene import Scene
from .wording import clock, duration, one_line, seconds

_HOLDER = 28
"""Characters of who holds the lease."""
_KEYS = (("p", "pause"), ("c", "continue"), ("a", "abort"), ("f", "promote now"), ("?", "help"))

_PAGE = """\
p | pause: no more traffic for the new release. It is watched on, and goes home when the pause lasts too long (`pause`
  in the configuration, 30 minutes by default).
c | continue: end the pause.
a | abort: take back all that was begun, traffic first. Asks whether you mean it, and why.
f | promote now: wait no longer in this stage. Asks why. It skips time and nothing else: what is judged bad is taken
  back all the same. A protected environment wants a signature for it.
Ctrl-C | takes it back, too.
Ctrl-Z | stops the deployer, not the deployment: without `fg` the dead-man's switch takes traffic home.
 |
inv | `inv pause`, `continue`, `abort`, `promote` with --env and --reason do the same from elsewhere.
 |
▁▂▃▄▅▆▇ | from poll to poll, below the limit; █ is over it.
┃ ╌ | the limit that takes it back, in a gauge and in a chart.
! !! | above what warns; above what takes it back.
evidence | how near the sequential test is to taking it back: all of the bar means that it is.
"""
_NAME = 11
"""Cells of what is explained."""


def answer(scene: Scene, desk: Desk) -> Text:
    """What came of what was asked last, or the last words for people."""
    asked = scene.asked
    if desk.dialog.said and desk.dialog.mode == "watching":
        return Text(desk.dialog.said)
    if asked is None:
        return Text(one_line(desk.said), "dim")
    who = f" by {one_line(asked.who, _HOLDER)}" if asked.who else ""
    said = {None: "asked", True: asked.said or "obeyed", False: f"no: {asked.said}"}[asked.obeyed]
    line = Text.assemble((f"{asked.verb}{who}", "bold"), f": {one_line(said)}")
    return line.append(f"  {clock(asked.at)}", "dim")


def life(scene: Scene, desk: Desk) -> Text:
    """Who holds the lease and how fresh it is, and what the dead-man's switch would do."""
    known = desk.life
    holder = one_line(known.holder if known else text(scene.began, "who"), _HOLDER)
    line = Text.assemble(("lease ", "dim"), holder or "–")
    if known and desk.beat is not None:
        is_late = desk.beat > known.ttl / 2
        line.append(f", beat {seconds(desk.beat):>4} ago", "bold reverse" if is_late else "dim")
    line.append("  switch ", "dim")
    if not scene.armed:
        return line.append("not armed", "dim")
    line.append("● armed", "bold green")
    silence = f": home after {duration(known.grace)} of silence" if known and known.grace else ""
    return line.append(silence, "dim")


def keys(scene: Scene, width: int, desk: Desk) -> Text:
    """What can be pressed."""
    line = Text()
    for key, words in _KEYS if desk.has_keys else ():
        line.append(key, "bold").append(f" {words}  ", "dim")
    line.append("Ctrl-C", "bold").append(" takes it back", "dim")
    name = one_line(text(scene.began, "deployment"))
    room = width - line.cell_len - cell_len(name)
    return line.append(" " * room + name, "dim") if room >= 2 else line


def page(width: int) -> list[Text]:
    """What the keys and signs mean."""
    lines = [Text("any key leaves this page", "dim")]
    for entry in _PAGE.replace("\n  ", " ").splitlines():
        name, _, words = entry.partition("|")
        for at, line in enumerate(wrap(words.strip(), max(20, width - _NAME)) or [""]):
            lines.append(Text.assemble((f"{name.strip() if at == 0 else '':<{_NAME}}", "bold"), line))
    return lines
