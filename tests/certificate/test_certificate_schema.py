"""The JSON Schema in docs/ is that of the types, takes certificates and refuses what is malformed."""

import json
import re
from pathlib import Path

import pytest
from certificate_samples import bare, sample

from certaudit.certificate.schema import schema, text

FILE = Path(__file__).parents[2] / "docs" / "certificate-v1.schema.json"
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def valid(value, rule, top):
    """Whether a value keeps to a schema, in the keywords the format needs."""
    if "$ref" in rule:
        return valid(value, top["$defs"][rule["$ref"].removeprefix("#/$defs/").replace("%20", " ")], top)
    ways = [valid(value, one, top) for one in rule.get("anyOf", rule.get("oneOf", ()))]
    if ways and (sum(ways) != 1 if "oneOf" in rule else not any(ways)):
        return False
    if "const" in rule and value != rule["const"]:
        return False
    if "enum" in rule and value not in rule["enum"]:
        return False
    kind = TYPES.get(rule.get("type"))
    if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        return False
    if isinstance(value, dict) and "properties" in rule:
        known = rule["properties"]
        dependent = rule.get("dependentRequired", {})
        return (
            set(rule["required"]) <= set(value) <= set(known)
            and all(set(dependent.get(key, ())) <= set(value) for key in value)
            and all(valid(one, known[key], top) for key, one in value.items())
        )
    if isinstance(value, list):
        fixed = rule.get("prefixItems", [])
        rest = [rule["items"]] * (len(value) - len(fixed)) if rule.get("items") else []
        return (
            len(value) >= rule.get("minItems", 0)
            and len(value) == len(fixed) + len(rest)
            and (not rule.get("uniqueItems") or len({json.dumps(one) for one in value}) == len(value))
            and all(valid(one, way, top) for one, way in zip(value, [*fixed, *rest], strict=True))
        )
    if isinstance(value, str):
        return len(value) <= rule.get("maxLength", 10**9) and bool(
            re.search(rule.get("pattern", ""), value)
        )
    return not isinstance(value, int) or value >= rule.get("minimum", value)


def test_the_file_in_docs_is_up_to_date():
    assert FILE.read_text(encoding="utf-8") == text(), (
        "python -m certaudit.certificate.schema > docs/..."
    )


def test_certificates_keep_to_it():
    assert valid(sample()[1], schema(), schema())
    assert valid(bare(), schema(), schema())


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: c.pop("run"),
        lambda c: c.update(more=1),
        lambda c: c["run"].update(l2=1),
        lambda c: c["run"].update(l2="1.5"),
        lambda c: c["run"].update(loss="hinge"),
        lambda c: c["run"]["learn"].update(steps=-1),
        lambda c: c["data"].pop("y"),
        lambda c: c["proofs"][0].update(claims=[]),
        lambda c: c["proofs"][0]["claims"][0].update(verdict="true"),
        lambda c: c["proofs"][0]["claims"][0]["claim"].update(kind="renyi"),
        lambda c: c["proofs"][0]["lines"][0].update(rule="C4"),
        lambda c: c["proofs"][0]["lines"][0].update(witness={}),
        lambda c: c.update(sha256="AB" * 32),
    ],
)
def test_what_is_malformed_does_not(edit):
    _, content = sample()
    edit(content)
    assert not valid(content, schema(), schema())
