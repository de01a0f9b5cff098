"""Writing a certificate: the run, the claims decided, and the lines that decide them, no others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from certaudit.certificate import data as data_file
from certaudit.certificate.codec import encode
from certaudit.certificate.data import Data
from certaudit.certificate.read import sealed
from certaudit.certificate.record import FORMAT, RUN, Decided, Spec
from certaudit.certificate.replay import conclusive
from certaudit.core.proof import Line, Proof
from certaudit.core.rules import RULES
from certaudit.run import Run


def document(
    run: Run, decided: Sequence[Decided], spec: Spec, *, include_data: bool = False
) -> dict[str, Any]:
    """The certificate of the claims ``decided`` about ``run``, JSON-ready and sealed.

    Data go in only where ``include_data`` asks for them; else their digest alone does.
    Raises ValueError if there is no claim, or its lines do not decide it, or are about another run.
    """
    if not decided:
        raise ValueError("a certificate needs a claim that is proved or refuted")
    data = data_file.content(Data(run.X, run.y))
    content = {
        "format": FORMAT,
        "spec": encode(spec, Spec),
        "run": run_content(run),
        "data": {
            "rows": run.n,
            "columns": run.d,
            "sha256": data_file.digest(data),
            **(data if include_data else {}),
        },
        "proofs": [
            _proof(run, k, [one for one in decided if _requests(one) == k])
            for k in sorted(set(map(_requests, decided)))
        ],
    }
    return {**content, "sha256": sealed(content)}


def dumps(content: dict[str, Any]) -> str:
    """The text of a file, every line of a proof and every claim on a line of its own."""
    proofs = ",\n".join(_proof_text(one) for one in content["proofs"])
    parts = [
        f'"proofs": [\n{proofs}\n]' if key == "proofs" else f"{json.dumps(key)}: {json.dumps(value)}"
        for key, value in content.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def run_content(run: Run) -> dict[str, Any]:
    """The fields of a run but its data."""
    return {name: encode(getattr(run, name), hint) for name, hint in RUN.items()}


def claim_content(claim: Any) -> dict[str, Any]:
    """A claim with its kind."""
    return {"kind": claim.kind, **encode(claim, type(claim))}


def _requests(one: Decided) -> int:
    return len(one.proof.run.requests)


def _proof(run: Run, requests: int, decided: Sequence[Decided]) -> dict[str, Any]:
    for one in decided:
        if run_content(one.proof.run) != run_content(run.after(requests)):
            raise ValueError(f"the lines for claim {one.claim.id} are about another run")
    settled = [(one, _settled(one)) for one in decided]
    number: dict[tuple[int, int], int] = {}
    lines: list[dict[str, Any]] = []
    for proof in {id(one.proof): one.proof for one in decided}.values():
        roots = [line for one, used in settled if one.proof is proof for line in used]
        for line in _reachable(proof, roots):
            number[id(proof), line.number] = len(lines)
            lines.append(
                {
                    "rule": line.rule,
                    "uses": [number[id(proof), use] for use in line.uses],
                    "witness": encode(line.witness, RULES[line.rule].witness),
                }
            )
    claims = [
        {
            "claim": claim_content(one.claim),
            "verdict": one.verdict,
            "lines": [number[id(one.proof), line.number] for line in used],
        }
        for one, used in settled
    ]
    return {"requests": requests, "lines": lines, "claims": claims}


def _settled(one: Decided) -> tuple[Line, ...]:
    """The lines that decide a claim, as a reader who has them alone finds them."""
    used = conclusive(one.proof, one, one.lines)
    again = None if used is None else conclusive(one.proof, one, used)
    if again is None:
        raise ValueError(f"the lines for claim {one.claim.id} do not show that it is {one.verdict}")
    return again


def _reachable(proof: Proof, roots: Iterable[Line]) -> list[Line]:
    wanted = {line.number for line in roots}
    for line in reversed(proof.lines):
        if line.number in wanted:
            wanted |= set(line.uses)
    return [line for line in proof.lines if line.number in wanted]


def _proof_text(proof: dict[str, Any]) -> str:
    lists = ",\n".join(
        f' "{key}": [\n' + ",\n".join(f"  {json.dumps(one)}" for one in proof[key]) + "\n ]"
        for key in ("lines", "claims")
    )
    return f' {{"requests": {proof["requests"]},\n{lists}}}'
