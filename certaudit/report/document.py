"""The report as JSON-ready data: everything the verdicts rest on."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from certaudit import __version__
from certaudit.report import subjects, words
from certaudit.report.derivation import to_data
from certaudit.report.numbers import down, enclosure, exact, up
from certaudit.session import Outcome
from certaudit.verdict import Bound, ClaimVerdict, FailedPremise, NamedTheorem, Status

if TYPE_CHECKING:
    from certaudit.audit.conformance.result import ConformanceReport


def report(outcomes: list[dict[str, Any]], exit_code: int) -> dict[str, Any]:
    """The whole report."""
    return {"certaudit": __version__, "exit_code": exit_code, "reports": outcomes}


def outcome(one: Outcome) -> dict[str, Any]:
    """One spec: what was checked, the verdicts, the audit."""
    loaded, run = one.case.loaded, one.case.run
    code = loaded.spec.implementation
    return {
        "name": loaded.spec.name,
        "spec": {"path": str(loaded.path), "sha256": loaded.sha256},
        "data": {
            "source": loaded.spec.data.source,
            "sha256": one.case.data_sha256,
            "preprocessed_sha256": hashlib.sha256(run.X.tobytes() + run.y.tobytes()).hexdigest(),
            "rows": run.n,
            "features": run.d,
        },
        "forgotten": subjects.data(one.case),
        "run": {f.name: _plain(getattr(run, f.name)) for f in fields(run) if f.name not in ("X", "y")},
        "implementation": None if code is None else {"learn": code.learn, "unlearn": code.unlearn},
        "claims": [verdict(v) for v in one.verdicts],
        "audit": None if one.audit is None else _plain(asdict(one.audit)),
        "conformance": None if one.conformance is None else _conformance(one.conformance),
    }


def _conformance(report: ConformanceReport) -> dict[str, Any]:
    verdict = Status.IMPLEMENTATION_DIFFERS.value if report.differs else "no difference found"
    failed = [check.name for check in report.failures]
    return {
        "verdict": "skipped" if report.skipped else verdict,
        "failed": failed,
        **_plain(asdict(report)),
    }


def verdict(one: ClaimVerdict) -> dict[str, Any]:
    """One claim's formal verdict with its derivation."""
    claim = {key: value for key, value in asdict(one.claim).items() if value is not None}
    return {
        "claim": _plain(claim),
        "claimed": words.claimed(one.claim),
        "verdict": one.status.value,
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
