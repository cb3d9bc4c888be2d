"""Whether a variable's value is what was declared. Of a secret's value, nothing but its length is ever said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings.variables import Variable

_HOST = r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_BOOLEANS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})


def mistakes(variable: Variable, value: str) -> Iterator[str]:
    """Each thing that is wrong with a value, as what follows on the variable's name."""
    shown = f"its value has {len(value)} characters" if variable.secret else f"not {_short(value)}"
    if variable.format != "text" and not _FORMATS[variable.format](value):
        yield f"must be {_NAMES[variable.format]}; {shown}"
    if variable.pattern is not None and not re.fullmatch(variable.pattern, value):
        yield f"does not match its pattern; {shown}"
    if variable.least is not None and len(value) < variable.least:
        yield f"has {len(value)} characters; at least {variable.least} are needed"
    if variable.most is not None and len(value) > variable.most:
        yield f"has {len(value)} characters; at most {variable.most} may be"
    if variable.allowed and value not in variable.allowed:
        which = "none of the allowed values" if variable.secret else f"none of {', '.join(variable.allowed)}"
        yield f"is {which}; {shown}"
    if value.casefold() in (one.casefold() for one in variable.forbidden):
        yield "has a forbidden value" if variable.secret else f"must not be {_short(value)}"


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:37]}...")


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", value) is not None


def _is_url(value: str) -> bool:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", value) is None:
        return False
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        return bool(parts.netloc or parts.path.startswith("/")) and parts.port != -1
    except ValueError:  # brackets without an address, a port that is none
        return False


def _is_host_port(value: str) -> bool:
    found = re.fullmatch(rf"{_HOST}:(\d{{1,5}})", value)
    return found is not None and 1 <= int(found[1]) <= 65535


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _is_regex(value: str) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    return True


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "integer": lambda value: re.fullmatch(r"[+-]?\d+", value) is not None,
    "number": _is_number,
    "boolean": lambda value: value.casefold() in _BOOLEANS,
    "url": _is_url,
    "host-port": _is_host_port,
    "email": lambda value: re.fullmatch(rf"[^@\s]+@{_HOST}", value) is not None,
    "json": _is_json,
    "regex": _is_regex,
}

_NAMES: Mapping[str, str] = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false (or 1, 0, yes, no, on, off)",
    "url": "a URL with its scheme, such as https://host/path",
    "host-port": "host:port",
    "email": "an e-mail address",
    "json": "JSON",
    "regex": "a regular expression",
}
