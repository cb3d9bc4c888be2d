"""A field's type and default in the words that a reader of the configuration knows: ``duration, 1s to 1h``, ``5m``."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator
from pydantic.fields import FieldInfo  # noqa: TC002  # whoever reads a type should find its import at the top

from .base import Value, fraction, seconds

PLAIN: Mapping[type, str] = {bool: "true or false", int: "whole number", float: "number", tuple: "list", Mapping: "map"}
UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def type_word(field: FieldInfo) -> str:
    """``duration``, ``share``, ``text``, ``one of `a`, `b```, …, with the bounds if it has any."""
    bare = _bare(field.annotation)
    if get_origin(bare) is Literal:
        return f"one of {', '.join(f'`{_yaml(one)}`' for one in get_args(bare))}"
    kind = _kind(field, bare)
    bounds = _bounds(field, kind) if kind != "text" else ""
    return f"{kind}, {bounds}" if bounds else kind


def default_word(field: FieldInfo) -> str:
    """``required``, ``not set``, or the default as it would be written, in backquotes."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "not set"
    return f"`{_worded(default, _kind(field, _bare(field.annotation)))}`"


def _kind(field: FieldInfo, bare: Any) -> str:
    said = tuple(_said(field))
    readers = [one.func for one in said if isinstance(one, BeforeValidator)]
    if seconds in readers:
        return "duration"
    if fraction in readers:
        return "share"
    plain = get_origin(bare) or bare
    if isinstance(plain, type) and issubclass(plain, Value):
        return "map"
    return PLAIN.get(plain) or ("URL" if any(map(_is_about_urls, said)) else "text")


def _is_about_urls(said: Any) -> bool:
    pattern = str(getattr(said, "pattern", None) or "")
    name = getattr(said.func, "__name__", "") if isinstance(said, AfterValidator) else ""
    return pattern.startswith(("^http", "^(http")) or name.endswith(("url", "_admin"))


def _said(field: FieldInfo) -> Iterator[Any]:
    """All conditions of a field, as pydantic and ``annotated_types`` have them."""
    yield from field.metadata
    yield from (inner for one in _inside(field.annotation) for inner in (one, *getattr(one, "metadata", ())))


def _inside(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        yield from _inside(annotation.__origin__)
    elif get_origin(annotation) in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _inside(inner)


def _bare(annotation: Any) -> Any:
    """The type without its conditions, and without ``or nothing``."""
    if get_origin(annotation) is Annotated:
        return _bare(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(inner for inner in get_args(annotation) if inner is not type(None)))
    return annotation


def _bounds(field: FieldInfo, kind: str) -> str:
    """``1 to 256``, ``more than 0s``, or nothing."""
    found: dict[str, str] = {}
    for one in _said(field):
        for name in ("ge", "gt", "le", "lt"):
            if getattr(one, name, None) is not None:
                found[name] = _worded(getattr(one, name), kind)
    least = found.get("ge") or (f"more than {found['gt']}" if "gt" in found else "")
    most = found.get("le") or (f"less than {found['lt']}" if "lt" in found else "")
    if least and most:
        return f"{least} to {most}"
    return (least and (least if "gt" in found else f"{least} or more")) or (most and f"at most {most}")


def _worded(value: Any, kind: str) -> str:
    if kind == "duration":
        return _duration(float(value))
    return f"{value * 100:g}%" if kind == "share" else _yaml(value)


def _duration(length: float) -> str:
    """Seconds in the largest unit that gives a whole number; a day is said in hours."""
    for unit, size in UNITS.items():
        if length >= size * (2 if unit == "d" else 1) and abs(length / size - round(length / size)) < 1e-9:
            return f"{round(length / size)}{unit}"
    return f"{length:g}s"


def _yaml(value: Any) -> str:
    """A value as it may be written in one line of YAML."""
    if isinstance(value, Value):
        value = value.model_dump(by_alias=True, exclude_defaults=True)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    is_plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z~./][\w./~-]*(:[\w./-]+)*", value)
    return str(value) if is_plain and value not in ("true", "false", "null", "yes", "no") else json.dumps(value)
