"""Reading a certificate without trust: everything of its kind, in its place, within the limits."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Any

from certaudit.certificate import data as data_file
from certaudit.certificate.codec import MOST_ENTRIES, Decoder
from certaudit.certificate.record import (
    FORMAT,
    RUN,
    Certificate,
    ClaimRecord,
    LineRecord,
    ProofRecord,
    Spec,
)
from certaudit.certificate.strict import (
    MOST_BYTES,
    Malformed,
    canonical,
    listed,
    parse,
    shown,
    table,
    text,
    under,
    whole,
)
from certaudit.claims import KINDS
from certaudit.core.rules import RULES

MOST_LINES = 20_000

_DIGEST = re.compile("[0-9a-f]{64}")


def read(path: Path) -> Certificate:
    """The certificate in a regular file.  Raises Malformed; OSError where it cannot be opened."""
    # a FIFO must not make the reader wait
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Malformed("", "not a regular file")
        return loads(stream.read(MOST_BYTES + 1))


def loads(raw: bytes) -> Certificate:
    """The certificate in the bytes of a file.  Raises Malformed at the first thing that is wrong."""
    top = table(parse(raw), "", ("format", "spec", "run", "data", "proofs", "sha256"))
    if top["format"] != FORMAT:
        raise Malformed("format", f"must be {FORMAT!r}, not {shown(top['format'])}")
    seal = _digest(top["sha256"], "sha256")
    decoder = Decoder()
    spec = decoder.record(Spec, top["spec"], "spec")
    _digest(spec.sha256, "spec.sha256")
    parameters = decoder.parts(RUN, top["run"], "run")
    described = table(top["data"], "data", ("rows", "columns", "sha256"), ("X", "y"))
    included = None
    if "X" in described or "y" in described:
        table(described, "data", ("rows", "columns", "sha256", "X", "y"))
        included = data_file.decode(decoder, described["X"], described["y"], "data")
    certificate = Certificate(
        spec=spec,
        parameters=parameters,
        rows=whole(described["rows"], "data.rows", 1),
        columns=whole(described["columns"], "data.columns", 1),
        data_sha256=_digest(described["sha256"], "data.sha256"),
        data=included,
        proofs=_proofs(decoder, top["proofs"], len(parameters["requests"])),
        sha256=seal,
    )
    if sealed(top) != seal:
        raise Malformed("sha256", "is not the digest of the file: it was altered or cut")
    return certificate


def sealed(content: dict[str, Any]) -> str:
    """SHA-256 of a file's content without its own digest, as canonical JSON."""
    return hashlib.sha256(canonical({k: v for k, v in content.items() if k != "sha256"})).hexdigest()


def _proofs(decoder: Decoder, value: Any, most: int) -> tuple[ProofRecord, ...]:
    found = tuple(
        _proof(decoder, one, f"proofs[{k}]", most) for k, one in enumerate(listed(value, "proofs", most))
    )
    if not found:
        raise Malformed("proofs", "must not be empty")
    if len({one.requests for one in found}) != len(found):
        raise Malformed("proofs", "must have one entry for each number of requests")
    if sum(len(one.lines) for one in found) > MOST_LINES:
        raise Malformed("proofs", f"have more than {MOST_LINES} lines")
    ids = [claim.claim.id for one in found for claim in one.claims]
    if len(set(ids)) != len(ids):
        raise Malformed("proofs", "must name each claim once")
    return found


def _proof(decoder: Decoder, value: Any, place: str, most: int) -> ProofRecord:
    content = table(value, place, ("requests", "lines", "claims"))
    requests = whole(content["requests"], under(place, "requests"), 1)
    if requests > most:
        raise Malformed(under(place, "requests"), f"{requests} of the run's {most} requests")
    lines = tuple(
        _line(decoder, one, f"{place}.lines[{k}]", k)
        for k, one in enumerate(listed(content["lines"], under(place, "lines"), MOST_LINES))
    )
    claims = tuple(
        _claim(decoder, one, f"{place}.claims[{k}]", len(lines))
        for k, one in enumerate(listed(content["claims"], under(place, "claims"), MOST_ENTRIES))
    )
    if not claims:
        raise Malformed(under(place, "claims"), "must not be empty")
    for k, one in enumerate(claims):
        # without one, a claim is about the model after the last request of the whole run
        if one.claim.after != requests and (one.claim.after is not None or requests != most):
            raise Malformed(f"{place}.claims[{k}].claim.after", "names other requests than its proof")
    return ProofRecord(requests, lines, claims)


def _line(decoder: Decoder, value: Any, place: str, number: int) -> LineRecord:
    content = table(value, place, ("rule", "uses", "witness"))
    rule = text(content["rule"], under(place, "rule"))
    if rule not in RULES:
        raise Malformed(under(place, "rule"), f"{shown(rule)} is no rule")
    uses = _numbers(content["uses"], under(place, "uses"), number)
    witness = decoder.record(
        RULES[rule].witness, content["witness"], under(place, "witness"), limited=True
    )
    return LineRecord(rule, uses, witness)


def _claim(decoder: Decoder, value: Any, place: str, lines: int) -> ClaimRecord:
    content = table(value, place, ("claim", "verdict", "lines"))
    at = under(place, "claim")
    fields = content["claim"]
    if not isinstance(fields, dict):
        table(fields, at, ("kind",))
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Malformed(under(at, "kind"), f"{shown(kind)} is no kind of claim")
    bare = {key: one for key, one in fields.items() if key != "kind"}
    found: Any = KINDS[kind]
    claim = decoder.record(found, bare, at)
    verdict = content["verdict"]
    if verdict not in ("proved", "refuted"):
        raise Malformed(under(place, "verdict"), f"must be proved or refuted, not {shown(verdict)}")
    used = _numbers(content["lines"], under(place, "lines"), lines)
    if not used or len(set(used)) != len(used):
        raise Malformed(under(place, "lines"), "must be at least one, each once")
    return ClaimRecord(claim, verdict, used)


def _numbers(value: Any, place: str, below: int) -> tuple[int, ...]:
    found = tuple(whole(one, f"{place}[{k}]") for k, one in enumerate(listed(value, place, MOST_LINES)))
    if any(one >= below for one in found):
        raise Malformed(place, f"must be lines below {below}")
    return found


def _digest(value: Any, place: str) -> str:
    found = text(value, place)
    if _DIGEST.fullmatch(found) is None:
        raise Malformed(place, "must be 64 hexadecimal digits, lower case")
    return found
