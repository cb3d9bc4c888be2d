"""Every item of the checklist, from the code that asks it, with the controls that it serves."""

from __future__ import annotations

from itertools import groupby

from deploytasks.checklist import ITEMS, Item
from deploytasks.checklist.advice import ADVICE
from deploytasks.checklist.controls import STANDARDS, controls_of

from .tables import table

HEAD = """# Items of the checklist

`inv checklist --env development` asks them. *From* says from which level on an item is demanded, *hotfix* whether a
hotfix must pass it as well. How each is checked, and what to do about it at length, stands in
[the checklist](../DEPLOYMENT_CHECKLIST.md); how an environment demands less or more, in [Gates](../gates.md).

"""


def page() -> str:
    """The whole page: one table for each section."""
    sections = groupby(ITEMS, key=lambda item: item.id.partition(".")[0])
    return HEAD + "\n".join(f"## {name.capitalize()}\n\n{_section(list(items))}" for name, items in sections)


def _section(items: list[Item]) -> str:
    heads = ("item", "what", "by", "from", "hotfix", "when it does not pass", "controls")
    return table(heads, map(_row, items))


def _row(item: Item) -> tuple[str, ...]:
    by = "machine" if item.check else "a person's signature"
    hotfix = "yes" if item.critical else "no"
    return f"`{item.id}`", item.text, by, item.level, hotfix, ADVICE.get(item.id, ""), _controls(item.id)


def _controls(name: str) -> str:
    served = controls_of(name)
    return "; ".join(f"{title} {', '.join(served[key])}" for key, title in STANDARDS.items() if served.get(key))
