"""Whether what an accepted file says is true: by an oracle for ridge, else by proving it afresh."""

import json

from forge_truth import Open, holds

from certaudit.certificate.codec import Decoder
from certaudit.certificate.data import decode
from certaudit.certificate.record import RUN
from certaudit.claims import KINDS
from certaudit.run import Run
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify

_known = {}


def confirmed(content):
    """Whether every claim of a file is shown to have its verdict."""
    return all(
        _confirmed(content, proof["requests"], entry)
        for proof in content["proofs"]
        for entry in proof["claims"]
    )


def trust(content):
    """Take a file's claims as true: those of a certificate that nobody altered."""
    _known.update(dict.fromkeys(_keys(content), True))


def _keys(content):
    return [
        _key(content, proof["requests"], entry)
        for proof in content["proofs"]
        for entry in proof["claims"]
    ]


def _key(content, requests, entry):
    claim = {
        key: value for key, value in entry["claim"].items() if key not in ("id", "theorem", "after")
    }
    data = [content["data"]["X"], content["data"]["y"]]
    return json.dumps([content["run"], data, requests, claim, entry["verdict"]], sort_keys=True)


def _confirmed(content, requests, entry):
    key = _key(content, requests, entry)
    if key not in _known:
        _known[key] = _true(content, requests, entry)
    return _known[key]


def _true(content, requests, entry):
    proved = entry["verdict"] == "proved"
    try:
        if holds(content, requests, entry["claim"]) != proved:
            return False
        whole = content["run"]["release"] == "final" and entry["claim"]["kind"] != "gaussian"
    except (Open, OverflowError, ZeroDivisionError):
        whole = False
    return whole or not proved or afresh(content, requests, entry)


def afresh(content, requests, entry):
    """Whether a new proof of the run and the claim alone comes to the verdict."""
    decoder = Decoder()
    data = decode(decoder, content["data"]["X"], content["data"]["y"], "data")
    run = Run(X=data.X, y=data.y, **decoder.parts(RUN, content["run"], "run")).after(requests)
    bare = {key: value for key, value in entry["claim"].items() if key != "kind"}
    claim = decoder.record(KINDS[entry["claim"]["kind"]], {**bare, "after": None}, "claim")
    (found,) = verify(Evidence(run), [claim])
    return found.status.value == entry["verdict"]
