"""The JSON Schema of ``invoke.yaml``, for editors: made from the models, as the reference is.

It says what may be written. What the models accept, it accepts; a rule that needs more than one key (``managed: false``
needs ``admin``) is left to ``inv validate``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from . import base, kinds
from .base import Value
from .environment import Application, Environment
from .keys import model_in, sentences
from .rollout import Rollout

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors know best."""
_DURATION = {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*)+$"}
_SHARE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%?\s*$"}
_WRITTEN: Mapping[object, Schema] = {base.seconds: _DURATION, base.fraction: _SHARE}
"""What reads a value before it is judged → how it may be written besides."""
_TEXT = {"type": "string"}
SHORT = "_is_short"
"""What a model calls the validator that takes a text for it."""
_OBJECTS = frozenset({"model", "model-fields", "definition-ref"})
_ANYHOW = {"type": ["string", "number", "array", "object"]}
"""Of other readers it is only known that they take more than what comes out."""


class _Written(GenerateJsonSchema):
    """What may be written, rather than what is made of it."""

    def function_before_schema(self, schema: Any) -> Schema:
        made, reader = self.generate_inner(schema["schema"]), schema["function"]["function"]
        kind = schema["schema"]["type"]
        if kind == "model-fields" and getattr(reader, "__name__", "") != SHORT:
            return made
        other = _TEXT if kind in _OBJECTS else _WRITTEN.get(reader, _ANYHOW)
        return {"anyOf": [made, other]}


def schema() -> Schema:
    """All of it. Top level: a file of Invoke, whose other sections are none of our business."""
    known = list(_models())
    refs, found = models_json_schema(
        [(one, "validation") for one in known], schema_generator=_Written, ref_template="#/definitions/{model}"
    )
    definitions = found["$defs"]
    names = {one: str(refs[one, "validation"]["$ref"]).rpartition("/")[2] for one in known}
    for one, name in names.items():
        _describe(definitions[name], one)
    sections = {name: _section(name, names) for name in kinds.KINDS}
    groups = {name: _ref(names[kinds.model(to)]) for name, to in kinds.GROUPS.items()}
    parts = {**groups, **sections}
    environment = _together(definitions, names, (Environment, Rollout), parts)
    environment["required"] = sorted(kinds.REQUIRED - kinds.DEFAULTS.keys())
    shared = {name: part for name, part in parts.items() if name in kinds.SHARED}
    deploy = _together(definitions, names, (Application,), shared)
    deploy["properties"]["environments"] = {
        "type": "object",
        "description": "Each environment by its name, as `--env` says it.",
        "additionalProperties": _ref("environment"),
        "minProperties": 1,
    }
    deploy["required"] = ["environments"]
    return {
        "$schema": DIALECT,
        "title": "invoke.yaml with deploytasks",
        "type": "object",
        "properties": {"deploy": _ref("deploy")},
        "definitions": {"deploy": deploy, "environment": environment, **dict(sorted(definitions.items()))},
    }


def _models() -> Iterator[type[Value]]:
    """Every model, those within others too, each once."""
    targets = [*kinds.GROUPS.values(), *(to for known in kinds.KINDS.values() for to in known.values())]
    waiting: list[type[Value]] = [Application, Environment, Rollout, *map(kinds.model, targets)]
    seen: set[type[Value]] = set()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield one
        waiting += [inner for field in one.model_fields.values() if (inner := model_in(field.annotation)[0])]


def _describe(of: Schema, model: type[Value]) -> None:
    """The sentence of each key, for whoever points at it. The kind is said by the section."""
    said = {**sentences(model), **{name: text for name, text in model.means.items() if "." not in name}}
    fields = {field.alias or name: name for name, field in model.model_fields.items()}
    _unfold(of)
    inside = next((one for one in of.get("anyOf", ()) if "properties" in one), of)
    for key, known in inside.get("properties", {}).items():
        known.pop("title", None)
        if sentence := said.get(fields.get(key, key)):
            known["description"] = sentence
    of.pop("title", None)
    of.pop("description", None)


def _unfold(of: Schema) -> None:
    """A model that may be a text, too, is closed where its keys are: a text has none."""
    if "anyOf" in of and "additionalProperties" in of:
        closed = of.pop("additionalProperties")
        for one in of["anyOf"]:
            one.update({"additionalProperties": closed} if "properties" in one else {})


def _section(name: str, names: Mapping[type[Value], str]) -> Schema:
    """A section with a ``kind``, which says what else is in it; or several."""
    known = kinds.KINDS[name]
    one: Schema = {
        "type": "object",
        "properties": {"kind": {"enum": sorted(known)}},
        "required": ["kind"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": _ref(names[kinds.model(to)]),
            }
            for kind, to in sorted(known.items())
        ],
    }
    if name not in kinds.MANY:
        return one
    return {"if": {"type": "array"}, "then": {"items": one, "minItems": 1}, "else": one}


def _together(
    definitions: Mapping[str, Schema], names: Mapping[type[Value], str], models: tuple[type[Value], ...],
    parts: Mapping[str, Schema],
) -> Schema:  # fmt: skip
    """The keys of models beside sections, in one object."""
    own = {key: value for model in models for key, value in definitions[names[model]].get("properties", {}).items()}
    return {"type": "object", "properties": {**own, **parts}, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}
