"""Whether what an accepted file says is true: by an oracle for ridge, else by proving it afresh."""

import json
from fractions import Fraction

import numpy as np
from forge_mutants import value_of
from forge_truth import Open, holds

from certaudit.certificate.codec import Decoder
from certaudit.certificate.data import decode
from certaudit.certificate.record import RUN
from certaudit.claims import KINDS
from certaudit.core.decide import prove
from certaudit.core.rules.c5 import Witness as Level
from certaudit.run import Run
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify

HAIR, SLACK = Fraction(1, 100), Fraction(1, 10**4)
NUMBERS = ("epsilon", "delta", "mu", "renyi", "sensitivity", "probability")
FREE = ("id", "theorem", "after")

_known = {}
_trusted = {}


def confirmed(content):
    """Whether every claim of a file is shown to have its verdict."""
    return all(_confirmed(*key) for key in _entries(content))


def trust(content):
    """Take a file's claims as true, and weaker ones: those of a certificate that nobody altered."""
    for told, requests, entry in _entries(content):
        _trusted.setdefault(_kind(told, requests, entry), []).append(_sizes(entry))


def _entries(content):
    return [
        (content, proof["requests"], entry) for proof in content["proofs"] for entry in proof["claims"]
    ]


def _kind(content, requests, entry):
    """All but the numbers that make a claim weaker or stronger."""
    claim = {k: v for k, v in entry["claim"].items() if k not in (*NUMBERS, *FREE)}
    data = [content["data"]["X"], content["data"]["y"]]
    return json.dumps([content["run"], data, requests, claim, entry["verdict"]], sort_keys=True)


def _sizes(entry):
    return tuple(value_of(entry["claim"][name]) for name in NUMBERS if name in entry["claim"])


def _confirmed(content, requests, entry):
    kind, sizes = _kind(content, requests, entry), _sizes(entry)
    for known in _trusted.get(kind, ()):
        pairs = zip(known, sizes, strict=True)
        if all(x <= y if entry["verdict"] == "proved" else x >= y for x, y in pairs):
            return True
    if (kind, sizes) not in _known:
        _known[kind, sizes] = _true(content, requests, entry)
    return _known[kind, sizes]


def _true(content, requests, entry):
    try:
        return holds(content, requests, entry["claim"]) == (entry["verdict"] == "proved")
    except (Open, OverflowError, ZeroDivisionError, np.linalg.LinAlgError):
        return afresh(content, requests, entry)


def afresh(content, requests, entry):
    """Whether a new proof of the run and the claim alone comes to the verdict."""
    decoder = Decoder()
    data = decode(decoder, content["data"]["X"], content["data"]["y"], "data")
    run = Run(X=data.X, y=data.y, **decoder.parts(RUN, content["run"], "run")).after(requests)
    bare = {key: value for key, value in entry["claim"].items() if key != "kind"}
    claim = decoder.record(KINDS[entry["claim"]["kind"]], {**bare, "after": None}, "claim")
    evidence = Evidence(run)
    (found,) = verify(evidence, [claim])
    return found.status.value == entry["verdict"] or (
        entry["verdict"] == "proved" and _spends_all(evidence, claim)
    )


def _spends_all(evidence, claim):
    """Whether bounds that spend the whole slack, which the search does not try, prove the claim."""
    if claim.kind == "renyi":
        return False
    most = claim.probability if claim.kind == "sensitivity" else claim.delta
    lines = []
    for slack in (most, most * (1 - HAIR), SLACK):
        bound = evidence.high_probability(slack) if 0 < slack < 1 else None
        for line in () if bound is None else bound.lines:
            lines += [line, evidence.proof.lines[line.uses[0]]]
            if claim.kind == "epsilon-delta":
                lines.append(evidence.proof.apply("C5", (line,), Level(claim.epsilon)))
    return prove(evidence.proof, claim, lines) is not None
