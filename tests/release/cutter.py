"""Cut a release in a process of its own, which can be killed: ``python cutter.py FOLDER BUMP [push]``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploytasks import interrupt
from deploytasks.errors import DeployError, Interrupted
from deploytasks.release import cutting, journal, making, taking_back
from deploytasks.release.checkout import git_dir_of
from deploytasks.release.cut import Cut, Line
from deploytasks.release.cutting import Wanted
from deploytasks.release.making import Made
from deploytasks.settings.release import Release


def decide(root: Path, bump: str = "minor", message: str = "Words", **given: Any) -> Cut | Line:
    """The release, with settings and wishes told apart by their names."""
    wishes = {name: given.pop(name) for name in list(given) if name in Wanted.__dataclass_fields__}
    wanted = Wanted(bump, message, **wishes)
    return cutting.decide(root, Release.model_validate(given), "v", wanted, datetime.now(UTC))


def cut(root: Path, bump: str = "minor", message: str = "Words", **given: Any) -> tuple[Cut, Made]:
    """Mend, decide and make, as ``inv create-release`` does."""
    with journal.alone(git_dir_of(root)[1]):
        taking_back.mend(root)
        found = decide(root, bump, message, **given)
        assert isinstance(found, Cut)
        return found, making.make(found)


if __name__ == "__main__":
    try:
        with interrupt.caught():
            cut(Path(sys.argv[1]), sys.argv[2], push="push" in sys.argv)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except Interrupted as error:
        sys.exit(error.exit_code)
