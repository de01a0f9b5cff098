"""The format as a JSON Schema, made of the very types that are read.

It says what keys and kinds of values there are; limits, digests and what refers to what are for
``read``.  ``python -m certaudit.certificate.schema`` prints docs/certificate-v1.schema.json.
"""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from fractions import Fraction
from typing import Any, Literal, get_args, get_origin

from certaudit.certificate.codec import entry, hints, option
from certaudit.certificate.numbers import LONGEST, PATTERN
from certaudit.certificate.record import FORMAT, RUN, Spec, Verdict
from certaudit.claims import KINDS
from certaudit.core.rules import RULES

Schema = dict[str, Any]

NUMBER: Schema = {"type": "string", "pattern": f"^{PATTERN}$", "maxLength": LONGEST}
COUNT: Schema = {"type": "integer", "minimum": 0}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a certificate file."""
    definitions: Schema = {"number": NUMBER}
    claims = [_tagged(kind, hints(claim), definitions) for kind, claim in sorted(KINDS.items())]
    lines = [
        _object(
            {
                "rule": {"const": rule.id},
                "uses": _list(COUNT),
                "witness": _of(rule.witness, definitions, f"witness of {rule.id}"),
            }
        )
        for _, rule in sorted(RULES.items())
    ]
    definitions |= {"line": {"oneOf": lines}, "claim": {"oneOf": claims}}
    claim = _object(
        {
            "claim": {"$ref": "#/$defs/claim"},
            "verdict": {"enum": list(get_args(Verdict))},
            "lines": {**_list(COUNT), "minItems": 1, "uniqueItems": True},
        }
    )
    proof = _object(
        {
            "requests": {"type": "integer", "minimum": 1},
            "lines": _list({"$ref": "#/$defs/line"}),
            "claims": {**_list(claim), "minItems": 1},
        }
    )
    number: Schema = {"$ref": "#/$defs/number"}
    described = {"rows": {**COUNT, "minimum": 1}, "columns": {**COUNT, "minimum": 1}, "sha256": DIGEST}
    data = _object(described)
    data["properties"] = {**data["properties"], "X": _list(_list(number)), "y": _list(number)}
    data["dependentRequired"] = {"X": ["y"], "y": ["X"]}
    top = _object(
        {
            "format": {"const": FORMAT},
            "spec": _of(Spec, definitions),
            "run": _object({name: _of(hint, definitions) for name, hint in RUN.items()}),
            "data": data,
            "proofs": {**_list(proof), "minItems": 1},
            "sha256": DIGEST,
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The schema as it stands in docs/."""
    return json.dumps(schema(), indent=1) + "\n"


def _of(hint: Any, definitions: Schema, name: str | None = None) -> Schema:
    inner = option(hint)
    if inner is not None:
        return {"anyOf": [{"type": "null"}, _of(inner, definitions)]}
    if hint in (Fraction, float):
        return {"$ref": "#/$defs/number"}
    if get_origin(hint) is tuple:
        each = entry(hint)
        if each is not None:
            return _list(_of(each, definitions))
        kinds = [_of(kind, definitions) for kind in get_args(hint)]
        return {"type": "array", "prefixItems": kinds, "items": False, "minItems": len(kinds)}
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if is_dataclass(hint):
        key = name or hint.__name__  # type: ignore[union-attr]
        if key not in definitions:
            definitions[key] = _object(
                {field: _of(kind, definitions) for field, kind in hints(hint).items()}  # type: ignore[arg-type]
            )
        return {"$ref": f"#/$defs/{key.replace(' ', '%20')}"}
    plain: dict[Any, Schema] = {bool: {"type": "boolean"}, int: COUNT, str: {"type": "string"}}
    return plain[hint]


def _tagged(kind: str, kinds: dict[str, Any], definitions: Schema) -> Schema:
    fields = {name: _of(hint, definitions) for name, hint in kinds.items()}
    if "directions" in fields:
        fields["directions"] |= {"minItems": 1, "uniqueItems": True}
    return _object({"kind": {"const": kind}, **fields})


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


if __name__ == "__main__":
    print(text(), end="")
