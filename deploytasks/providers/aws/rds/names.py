"""What things of ours are called at RDS: identifiers, and the tags that say whose they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from ....errors import UsageError
from ..lists import as_tags

OURS = "deploytasks:"
"""How the keys of our tags begin."""
DATABASE = f"{OURS}database"
"""Of which database a snapshot is: who has this tag was made by us."""
NAME = f"{OURS}name"
"""What a snapshot is called here; its identifier has other rules."""
RESTORE = f"{OURS}restore"
"""The mark of the restore that made a database."""
REHEARSAL = f"{OURS}rehearsal"
"""The mark of the rehearsal that made a database: it is deleted again."""

_LONGEST = 63


class Names(NamedTuple):
    """What the databases of one restore are called."""

    live: str
    new: str
    old: str
    mark: str
    """In short, as it stands in the names of its members."""

    @classmethod
    def of(cls, live: str, mark: str) -> Self:
        """``shop``, ``shop-r20261123-ab12cd``, ``shop-old-20261123-ab12cd``. Raises ``UsageError`` when the name of the
        database leaves no room for them."""
        words = [word for word in re.split(r"[^a-z0-9]+", mark.lower()) if word]
        for short in dict.fromkeys(["-".join([*words[:1], *words[-1:]][: len(words)]), *words[-1:]]):
            if len(live) + len(short) + 5 <= _LONGEST:
                return cls(live, f"{live}-r{short}", f"{live}-old-{short}", short)
        raise UsageError(
            f"{live} is too long a name: a restored database could not stand beside it",
            do=f"RDS allows {_LONGEST} characters: rename it to one of {_LONGEST - 20} or less",
        )

    def member(self, name: str) -> Names:
        """The same for an instance of the cluster, whatever it is called at the moment."""
        base = name.removesuffix(f"-old-{self.mark}").removesuffix(f"-r{self.mark}")
        return Names.of(base, self.mark)


def rehearsal(live: str, mark: str) -> str:
    """The name of a database in which migrations are rehearsed."""
    return f"{live}-rx{Names.of(live, mark).mark}"


def instance_of(rehearsed: str) -> str:
    """The name of the one instance of a cluster in which migrations are rehearsed."""
    return f"{rehearsed}-1"


def identifier(name: str) -> str:
    """A name as RDS takes it for a snapshot: letters, digits and single hyphens, in lower case."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (found if re.match(r"[a-z]", found) else f"copy-{found}")[:255].rstrip("-")


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As RDS takes tags: no character, and no length, that it refuses."""
    return as_tags({key[:128]: re.sub(r"[^\w .:/=+@-]", "_", str(value))[:256] for key, value in tags.items()})


def inherited(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a database that a restored one gets as well: neither AWS's own nor ours."""
    return {key: value for key, value in tags.items() if not key.startswith(("aws:", OURS))}
