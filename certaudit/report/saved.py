"""A derivation as one file: the run it is about, the claims, and every step, for ``certaudit check``.

The file holds all that is needed to check it again: the data, the exact parameters, and for each step
its rule, formulas, premises, enclosures and the steps it uses.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from certaudit import __version__
from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel.balls import precision
from certaudit.kernel.statement import Statement
from certaudit.report.derivation import to_data
from certaudit.report.numbers import exact
from certaudit.run import Run
from certaudit.session import Outcome

FORMAT = "certaudit derivation 1"
KINDS: dict[type, str] = {
    EpsilonDelta: "epsilon-delta",
    RenyiClaim: "renyi",
    GaussianClaim: "gaussian",
    SensitivityClaim: "sensitivity",
}


def document(outcome: Outcome) -> dict[str, Any]:
    """The derivation of every claim that was proved or refuted by proof, JSON-ready and sealed."""
    decided = [verdict for verdict in outcome.verdicts if verdict.proof is not None]
    roots: list[Statement] = [verdict.proof for verdict in decided if verdict.proof is not None]
    with precision(320):
        steps = to_data(roots)
    verdicts = {step["exact"]["claim"]: step["step"] for step in steps if step["kind"] == "verdict"}
    content = {
        "format": FORMAT,
        "certaudit": __version__,
        "spec": {"name": outcome.case.loaded.spec.name, "sha256": outcome.case.loaded.sha256},
        "run": run_data(outcome.case.run),
        "claims": [
            {
                **claim_data(verdict.claim),
                "verdict": verdict.status.value,
                "proof": verdicts[verdict.claim.id],
            }
            for verdict in decided
        ],
        "steps": steps,
    }
    return {**content, "sha256": seal(content)}


def seal(content: dict[str, Any]) -> str:
    """SHA-256 of the content as canonical JSON (keys sorted, no spaces, ASCII)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def claim_data(claim: Claim) -> dict[str, Any]:
    """A claim with its kind; numbers exact, as text."""
    facts = {f.name: getattr(claim, f.name) for f in fields(claim)}
    return {"kind": KINDS[type(claim)], **{key: _plain(value) for key, value in facts.items()}}


def run_data(run: Run, *, data: bool = True) -> dict[str, Any]:
    """A run with its data: float64 numbers as JSON numbers, other exact numbers as text."""
    facts = {f.name: getattr(run, f.name) for f in fields(run) if f.name not in ("X", "y")}
    arrays = {"X": _numbers(run.X), "y": _numbers(run.y)} if data else {}
    return {**{key: _plain(value) for key, value in facts.items()}, **arrays}


def _numbers(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype == np.float64:
        return array.tolist()
    return [_numbers(row) if isinstance(row, np.ndarray) else exact(row) for row in array]


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return exact(value)
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value
