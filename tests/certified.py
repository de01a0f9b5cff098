"""Certificates of what was decided, and what both checkers say of one that may have been altered."""

import json

from certaudit.certificate import data, write
from certaudit.certificate.read import Malformed, loads, sealed
from certaudit.certificate.record import Decided, Spec
from certaudit.certificate.replay import Rejected, replay
from certaudit.check.checker import examined
from certaudit.verdict import Status

WORDS = {Status.PROVED: "proved", Status.REFUTED: "refuted"}


def certificate(run, verdicts):
    """The content of a certificate of these verdicts, its data included."""
    decided = [Decided(v.claim, WORDS[v.status], v.decided_by, v.proof) for v in verdicts]
    document = write.document(run, decided, Spec("sample", "0" * 64), include_data=True)
    return json.loads(json.dumps(document))


def rejected(content):
    """Why the core, and why the second checker, rejects the content with every digest made good; None
    where it accepts."""
    table = {name: content["data"][name] for name in ("X", "y")}
    changed = {**content, "data": {**content["data"], "sha256": data.digest(table)}}
    raw = json.dumps({**changed, "sha256": sealed(changed)}).encode()
    report = examined(raw)
    second = None if report.accepted else " ".join(report.reasons)
    try:
        replay(loads(raw))
    except (Malformed, Rejected) as fault:
        return str(fault), second
    return None, second
