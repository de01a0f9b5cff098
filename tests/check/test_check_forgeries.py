"""Bent certificates: whatever is still accepted must be true by an oracle that shares no code."""

import copy
import random
from fractions import Fraction

import check_runs
import pytest
import ridge_oracle
from certificate_builder import document, seal, sha

from certaudit.check.checker import RULES, examined

BASES = {name: check_runs.ALL[name]() for name in ("exact", "likely")}


def leaves(value, path=()):
    """Paths to everything that is no list and no object, and to lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        yield path
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path


def bend(rng, found):
    """Another value of a kind like this one's."""
    if isinstance(found, bool):
        return not found
    if isinstance(found, int):
        return rng.choice([found + 1, found - 1, 0, found * 2])
    if isinstance(found, list):
        kinds = [found[::-1], found[1:], found[:-1], found + found[:1]]
        return rng.choice(kinds)
    if found is None:
        return rng.choice(["1", 1, [0], "0"])
    if found[:1].isdigit() or found[:1] == "-":
        body = found[1:] if found.startswith("-") else found
        scale = rng.choice(["1/2", "2", "9/10", "101/100", "0", "-1"])
        mantissa, p, exponent = body.partition("p")
        value = Fraction(mantissa) * (Fraction(2) ** int(exponent) if p else 1)
        value *= Fraction(scale) * (-1 if found.startswith("-") else 1)
        return str(value)
    return rng.choice(
        ["P", "Q", "P|Q", "Q|P", "proved", "refuted", "sum", "current", "retrained", "every-step", ""]
    )


def put(value, path, new):
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def get(value, path):
    for key in path:
        value = value[key]
    return value


def resealed(value):
    """With digests that fit again."""
    data = value["data"]
    if isinstance(data.get("X"), list) and isinstance(data.get("y"), list):
        try:
            value = document(
                [[ridge_number(x) for x in row] for row in data["X"]],
                [ridge_number(x) for x in data["y"]],
                value["run"],
                value["proofs"],
            ) | {"format": value["format"], "spec": value["spec"]}
            value["data"]["rows"], value["data"]["columns"] = data["rows"], data["columns"]
        except (ValueError, TypeError, IndexError, AttributeError):
            data["sha256"] = sha({key: data[key] for key in ("X", "y")})
    return value


def ridge_number(text):
    mantissa, p, exponent = text.partition("p")
    return Fraction(mantissa) * Fraction(2) ** int(exponent) if p else Fraction(text)


def true(value):
    requests = value["proofs"][0]["requests"]
    return all(ridge_oracle.is_true(value, entry, requests) for entry in value["proofs"][0]["claims"])


@pytest.mark.parametrize("name", BASES)
def test_the_oracle_agrees_with_the_originals(name):
    assert examined(seal(BASES[name])).accepted
    assert true(BASES[name])


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("part", ["run", "data", "claims", "lines"])
def test_accepted_mutants_are_true(name, part):
    rng = random.Random(f"{name} {part}")
    base = BASES[name]
    paths = [
        path
        for path in leaves(base)
        if path[0] == part
        or (path[0] == "proofs" and len(path) > 2 and path[2] == part)
        or path[0] == part
    ]
    accepted = 0
    for _ in range(40):
        value = copy.deepcopy(base)
        for path in rng.sample(paths, rng.choice([1, 1, 1, 2])):
            try:
                put(value, path, bend(rng, get(value, path)))
            except (KeyError, IndexError, TypeError):
                continue
        try:
            value = resealed(value)
        except (KeyError, TypeError):
            continue
        if examined(seal(value)).accepted:
            accepted += 1
            assert true(value), part
    assert accepted < 40


@pytest.mark.parametrize("name", check_runs.ALL)
def test_rules_swapped_and_premises_cut(name):
    """Lines that state something else than their claims need are refused, whatever they are called."""
    rng = random.Random(name)
    base = check_runs.ALL[name]()
    lines = base["proofs"][0]["lines"]
    for at in range(len(lines)):
        value = copy.deepcopy(base)
        others = [rule for rule in RULES if rule != lines[at]["rule"]]
        value["proofs"][0]["lines"][at]["rule"] = rng.choice(others)
        report = examined(seal(value))
        unused = value["proofs"][0]["lines"][at]["uses"] == [] and lines[at]["rule"] in ("S2", "I2")
        assert not report.accepted or unused
        for cut in range(len(lines[at]["uses"])):
            value = copy.deepcopy(base)
            del value["proofs"][0]["lines"][at]["uses"][cut]
            report = examined(seal(value))
            if report.accepted:
                assert name != "bounded"
                assert true(value)


def test_claims_permuted():
    for name in check_runs.ALL:
        value = check_runs.ALL[name]()
        claims = value["proofs"][0]["claims"]
        lines = [entry["lines"] for entry in claims]
        for entry, other in zip(claims, lines[1:] + lines[:1], strict=True):
            entry["lines"] = other
        assert not examined(seal(value)).accepted
        claims.reverse()
        assert not examined(seal(value)).accepted


def test_laws_that_differ_off_the_diagonal_are_not_equal():
    """Equal variances in every coordinate, different correlations: delta is not 0."""
    from gmpy2 import mpq

    from certaudit.check.matrix import matrix
    from certaudit.check.refusal import Refused, limited
    from certaudit.check.statement import Gaussian, Law

    plane = lambda r: Gaussian(matrix([[mpq(0), mpq(0)]]), matrix([[mpq(1), mpq(r)], [mpq(r), mpq(1)]]))
    law = Law(plane(mpq(1, 2)), plane(0))
    with limited(), pytest.raises(Refused, match="too far"):
        RULES["C7b"](
            None,
            [law],
            {"direction": "P|Q", "vectors": [["1", "0"], ["0", "1"]], "l": ["0", "0"], "nu": ["0", "0"]},
        )


@pytest.mark.parametrize("scale", ["1p-330", "1p-660"])
def test_tiny_data_are_not_zero(scale):
    """All rows times 1e-100: the shift is tiny and not 0, and a claim of exactly 0 fails."""
    base = copy.deepcopy(BASES["likely"])
    factor = ridge_number(scale)
    X = [[ridge_number(x) * factor for x in row] for row in base["data"]["X"]]
    y = [ridge_number(x) for x in base["data"]["y"]]
    lines = list(base["proofs"][0]["lines"][:5])
    lines.append({"rule": "S3", "uses": [4], "witness": {"quantiles": [["6"]] * 6}})
    aim = {
        "claim": {
            "kind": "sensitivity",
            "id": "zero",
            "step": 2,
            "sensitivity": "0",
            "probability": "1",
            "theorem": None,
            "after": 1,
        },
        "verdict": "proved",
        "lines": [5],
    }
    value = document(X, y, base["run"], [{"requests": 1, "lines": lines, "claims": [aim]}])
    report = examined(seal(value))
    assert "5 CLAIM" in report.reasons[0]
