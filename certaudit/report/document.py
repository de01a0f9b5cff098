"""The report as JSON-ready data: everything the verdicts rest on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from certaudit import __version__
from certaudit.judgement.columns import Row, State
from certaudit.judgement.result import Result, overall
from certaudit.report import assumptions, conformance, meaning, subjects, words
from certaudit.report.derivation import to_data
from certaudit.report.numbers import down, enclosure, exact, up
from certaudit.session import Outcome
from certaudit.verdict import Bound, ClaimVerdict, FailedPremise, NamedTheorem, Status

if TYPE_CHECKING:
    from certaudit.audit.statistics.results import ClaimAudit


def report(outcomes: Sequence[Outcome], exit_code: int) -> dict[str, Any]:
    """The whole report."""
    judged = [(one.case.loaded.spec.name, one.judgement) for one in outcomes]
    result = overall(judged)
    return {
        "certaudit": __version__,
        "result": result.result.value,
        "reason": result.reason,
        "exceptions": list(result.exceptions),
        "exit_code": exit_code,
        "reports": [outcome(one) for one in outcomes],
    }


def error(reasons: Sequence[str], exit_code: int) -> dict[str, Any]:
    """In place of a report where nothing could be judged."""
    return {
        "certaudit": __version__,
        "result": Result.ERROR.value,
        "reason": "; ".join(reasons),
        "exceptions": [],
        "exit_code": exit_code,
        "reports": [],
    }


def outcome(one: Outcome) -> dict[str, Any]:
    """One spec: what was checked, the verdicts, the audit."""
    loaded, run = one.case.loaded, one.case.run
    code, judged = loaded.spec.implementation, one.judgement
    skipped = ("X", "y")
    return {
        "name": loaded.spec.name,
        "result": judged.result.value,
        "reason": judged.reason,
        "exceptions": list(judged.exceptions),
        "policies": [
            {"source": policy.source, **policy.spec.model_dump(mode="json", exclude_none=True)}
            for policy in one.case.terms.policies
        ],
        "claims_left_out": one.case.left_out,
        "spec": {"path": str(loaded.path), "sha256": loaded.sha256},
        "data": {
            "source": loaded.spec.data.source,
            "sha256": one.case.data_sha256,
            "preprocessed_sha256": hashlib.sha256(run.X.tobytes() + run.y.tobytes()).hexdigest(),
            "rows": run.n,
            "features": run.d,
        },
        "forgotten": subjects.data(one.case),
        "dynamics": loaded.spec.dynamics,
        "run": {f.name: _plain(getattr(run, f.name)) for f in fields(run) if f.name not in skipped}
        if one.case.stated
        else {"forget": list(run.forget), "reference": run.reference.kind},
        "implementation": None if code is None else code.model_dump(),
        "claims": [
            verdict(v, row, None if one.audit is None else one.audit.claims[k])
            for k, (v, row) in enumerate(zip(one.verdicts, one.rows, strict=True))
        ],
        "audit": None if one.audit is None else _plain(asdict(one.audit)),
        "conformance": None if one.conformance is None else _plain(conformance.data(one.conformance)),
        "levels": None if one.levels is None else _plain(asdict(one.levels)),
        "assumptions": list(dict.fromkeys([*_taken(one), *one.assumptions])),
    }


def _taken(one: Outcome) -> Iterator[str]:
    """What is taken for granted of a run whose dynamics are stated."""
    if one.case.stated:
        yield from assumptions.assumed(one.case.run, one.case.claims)


def verdict(one: ClaimVerdict, row: Row, attack: ClaimAudit | None) -> dict[str, Any]:
    """One claim: what each half says, the numbers declared, proved and measured, the derivation."""
    claim = {key: value for key, value in asdict(one.claim).items() if value is not None}
    broken = row.attack.state is State.BREAKS and one.status is not Status.REFUTED
    found = None if attack is None or attack.skipped else attack
    return {
        "claim": _plain(claim),
        "claimed": words.claimed(one.claim),
        "verdict": (Status.REFUTED_STATISTICALLY if broken else one.status).value,
        "columns": {
            name: {"state": cell.state.value, "word": cell.word, "why": cell.why}
            for name, cell in row.cells().items()
        },
        "declared": words.claimed(one.claim),
        "proved": words.proved_bound(one) if one.bounds else None,
        "measured": None
        if found is None
        else {"quantity": found.quantity, "at_least": found.lower_bound},
        "meaning": meaning.data(one),
        "by": words.by(one),
        "bounds": [_bound(one, bound) for bound in one.bounds],
        "premises_failed": [_failed(failed) for failed in one.failed],
        "named_theorem": None if one.named is None else _named(one.named),
        "notes": list(one.notes),
        "skipped": list(one.skipped),
        "derivation": to_data(one.proof, one.decided_by),
    }


def _bound(verdict: ClaimVerdict, bound: Bound) -> dict[str, Any]:
    return {
        "route": bound.route,
        "quantity": bound.quantity,
        "upper": None if bound.value is None else up(bound.value, 17),
        "lower": None if bound.floor is None else down(bound.floor, 17),
        "derivation": to_data(verdict.proof, bound.lines),
    }


def _failed(failed: FailedPremise) -> dict[str, Any]:
    return {
        "rule": failed.rule,
        "premise": failed.premise.name,
        "text": failed.premise.text,
        "values": {name: enclosure(value) for name, value in failed.premise.numbers},
    }


def _named(named: NamedTheorem) -> dict[str, Any]:
    return {
        "name": named.name,
        "source": named.source,
        "value": None if named.value is None else up(named.value, 17),
        "premises_failed": [_failed(failed) for failed in named.failed],
        "assumed": list(named.assumed),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return exact(value) if isinstance(value, Fraction) else value
