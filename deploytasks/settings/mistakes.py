"""Pydantic's findings as short sentences, each with its path in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from .. import redaction

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from .base import Value


class Mistakes(ValueError):
    """Several mistakes inside one field: ``(path below the field, sentence)`` for each."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{where} {what}" for where, what in found))
        self.found = found


def check(model: type[Value], given: object, path: str, mistakes: list[str]) -> Value | None:
    """The value, or ``None`` after adding a line to ``mistakes`` for each thing that is wrong with it."""
    if not isinstance(given, Mapping):
        mistakes.append(f"{path}: a section is needed, not {shown(given)}")
        return None
    try:
        return model.model_validate(given)
    except ValidationError as error:
        details = error.errors(include_url=False)
        for detail in details:
            if not _is_echo(detail, details):
                mistakes.extend(_lines(detail, model, path))
        return None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean `stages`?`` or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(name, [str(one) for one in known], n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


def shown(given: object) -> str:
    """A value as people may read it: short, strings in quotes."""
    text = (
        repr(redaction.clean(given))
        if isinstance(given, str)
        else "nothing"
        if given is None
        else str(redaction.clean(given))
    )
    return text if len(text) <= 40 else f"{text[:37]}..."


def _is_echo(detail: ErrorDetails, details: Iterable[ErrorDetails]) -> bool:
    # Pydantic leaves invalid items out of a list and then finds the list too short.
    depth = len(detail["loc"])
    below = (one for one in details if len(one["loc"]) > depth and one["loc"][:depth] == detail["loc"])
    return detail["type"] == "too_short" and any(below)


def _lines(detail: ErrorDetails, model: type[Value], path: str) -> Iterator[str]:
    where = path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Mistakes):
        yield from (f"{where}{below}: {what}" for below, what in cause.found)
    elif detail["type"] == "extra_forbidden":
        name = str(detail["loc"][-1])
        yield f"{where}: unknown key{did_you_mean(name, _keys_at(model, detail['loc'][:-1]))}"
    else:
        yield f"{where}: {_sentence(detail)}"


def _sentence(detail: ErrorDetails) -> str:
    context: Mapping[str, Any] = detail.get("ctx", {})
    if "error" in context:
        return str(context["error"])
    tell = _SENTENCES.get(detail["type"])
    return tell(shown(detail["input"]), context) if tell else detail["msg"]


def _needs(what: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda given, _: f"{what} is needed, not {given}"


def _misses(pattern: str) -> str:
    return _PATTERNS.get(pattern) or f"does not match {pattern}"


_PATTERNS = {
    r"^/": "must begin with /",
    r"^/[^\s#]*$": "must begin with /, without blanks and #",
    r"^https?://[^/\s]+(/[^\s]*)?$": "is no URL: write http://host or https://host",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "is no name of a variable",
}
"""The patterns that people meet most → what they ask for; the others are shown as they are."""

_SENTENCES: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    "missing": lambda _, __: "missing",
    "string_type": _needs("a text"),
    "string_too_short": lambda _, __: "is empty",
    "string_pattern_mismatch": lambda given, context: f"{given} {_misses(context['pattern'])}",
    "int_type": _needs("a whole number"),
    "int_parsing": _needs("a whole number"),
    "int_from_float": _needs("a whole number"),
    "float_type": _needs("a number"),
    "float_parsing": _needs("a number"),
    "finite_number": _needs("a finite number"),
    "bool_type": _needs("true or false"),
    "bool_parsing": _needs("true or false"),
    "tuple_type": _needs("a list"),
    "list_type": _needs("a list"),
    "dict_type": _needs("a section"),
    "mapping_type": _needs("a section"),
    "model_type": _needs("a section"),
    "literal_error": lambda given, context: f"{given} is none of {context['expected']}",
    "too_short": lambda _, context: f"at least {context['min_length']} is needed",
    "too_long": lambda _, context: f"more than {context['max_length']}",
    "greater_than": lambda given, context: f"{given} is not above {context['gt']:g}",
    "greater_than_equal": lambda given, context: f"{given} is below {context['ge']:g}",
    "less_than": lambda given, context: f"{given} is not below {context['lt']:g}",
    "less_than_equal": lambda given, context: f"{given} is above {context['le']:g}",
}
"""Pydantic's name of a mistake → the sentence; what is not here keeps pydantic's own words."""


def _keys_at(model: type[BaseModel], path: tuple[int | str, ...]) -> Iterable[str]:
    """The keys that are known where ``path`` leads, below ``model``."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and here is not None:
            field = here.model_fields.get(part)
            here = None if field is None else next(_models_in(field.annotation), None)
    return [field.alias or name for name, field in here.model_fields.items()] if here is not None else ()


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
