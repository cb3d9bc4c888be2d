"""The page with what each provider does about each fault: ``python tests/faults/table.py`` tries all, and writes it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

from pages import ROOT

from faults import WITHIN, bench, cell, subjects
from faults.faulty import FAULTS, WORDS

Cells = Mapping[tuple[str, str], str]
"""Subject and fault → what comes of it."""
PAGE = ROOT / "docs" / "faults.md"
_TEXT = """\
# What happens when a service misbehaves

Every port that talks to a service over HTTP is tried against every fault below, behind a proxy that spoils the answers
of a working server: from the first request on, and, where one look takes several, from the last one on. The command
`inv dev.faults` tries all of it again and writes this page; the tests fail when it is not so.

Each fault ends by name, in time (the tests give {within:g} s), and without a word of a token or of a secret address,
although what the server answers quotes both.

| word | means |
| --- | --- |
| hold | nothing is known: a rollout stays where it is, and goes home after a while (code 6). Never zero errors |
| waits | the service does not answer, or not what anybody could use (code 7); a message stays in the outbox |
| refused | the message was understood, and would be refused again (code 7): it is set aside, and said |
| usage | the token or the configuration must be mended (code 2); a message stays in the outbox |
| fine | what was asked for came all the same |

"""


def page(cells: Cells) -> str:
    """All of it, in Markdown."""
    names = [subject.name for subject in subjects()]
    lines = [f"| fault | {' | '.join(names)} |", f"| --- {'| --- ' * len(names)}|"]
    for fault in FAULTS:
        found = " | ".join(cells.get((name, fault), "?") for name in names)
        lines.append(f"| {fault}: {WORDS[fault]} | {found} |")
    return _TEXT.format(within=WITHIN) + "\n".join(lines) + "\n"


@cache
def shown() -> Cells:
    """What the page says."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    names = next(cells[1:] for cells in table if cells[0] == "fault")
    faults = {f"{fault}: {words}": fault for fault, words in WORDS.items()}
    found = ((faults[cells[0]], cells[1:]) for cells in table if cells[0] in faults)
    return {(name, fault): cell for fault, cells in found for name, cell in zip(names, cells, strict=True)}


def main() -> int:
    """Try everything; how many cells are not as they must be."""
    cells: dict[tuple[str, str], str] = {}
    red = 0
    for subject in subjects():
        with tempfile.TemporaryDirectory() as folder, bench(subject, Path(folder)) as behind:
            for fault in FAULTS:
                outcomes = behind.outcomes(fault)
                cells[subject.name, fault] = cell(outcomes)
                wrong = behind.wrong(fault, outcomes)
                red += bool(wrong)
                for each in wrong:
                    sys.stdout.write(f"{subject.name}, {fault}: {each}\n")
    if not red:
        PAGE.write_text(page(cells), encoding="utf-8")
    sys.stdout.write(f"{len(subjects())} ports x {len(FAULTS)} faults: {len(cells) - red} green, {red} red\n")
    return red


if __name__ == "__main__":
    sys.exit(min(main(), 1))
