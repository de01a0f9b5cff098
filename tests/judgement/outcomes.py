"""Outcomes of every combination of what the halves may say, without running either."""

from dataclasses import dataclass, field
from fractions import Fraction as F
from pathlib import Path

import numpy as np

from certaudit.audit.conformance.result import Check, ConformanceReport
from certaudit.audit.statistics.power import Power
from certaudit.audit.statistics.results import AuditReport, ClaimAudit
from certaudit.claims import EpsilonDelta
from certaudit.core.proof import Proof
from certaudit.judgement.judge import Terms
from certaudit.judgement.policy import Policy
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.session import Case, Outcome
from certaudit.spec.model import PolicySpec
from certaudit.verdict import ClaimVerdict, Status

RUN = Run(
    X=np.eye(6, 2),
    y=np.ones(6),
    loss="ridge",
    l2=F(1),
    normalizer="fixed",
    learn=Phase(3, F(1, 2), F(1)),
    requests=(Request((1,), Phase(2, F(1, 2), F(1))), Request((2,), Phase(2, F(1, 2), F(1)))),
    start=Start((F(0), F(0)), F(0)),
    projection=None,
    clip=None,
    reference=Reference("unlearn-retrained", 3),
    release="final",
)
NOTHING = Proof(RUN)

CERTIFICATES = (Status.PROVED, Status.REFUTED, Status.NOT_PROVED, Status.PREMISE_FAILED)
ATTACKS = ("none", "quiet", "blind", "skipped", "refuted", "broken", "broken and refuted")
CODES = ("none", "agrees", "differs", "skipped", "empty")


@dataclass
class Names:
    """What is read of a loaded spec."""

    implementation: object = None
    stated: bool = True
    name: str = "spec"
    policy: object = None


@dataclass
class Loaded:
    spec: Names = field(default_factory=Names)
    path: Path = Path("spec.yaml")


def claim(id_="issued", delta=F(1, 100), **changes):
    return EpsilonDelta(id_, F(1, 2), delta, **changes)


def verdict(status, one=None):
    return ClaimVerdict(one or claim(), status, NOTHING, (), ())


def attacked(kind, id_="issued", smallest=1.5, bound=0.0):
    return ClaimAudit(
        id_,
        "epsilon",
        0.5,
        "refuted" in kind,
        bound,
        (),
        Power(0.1 if kind == "blind" else 5.0, None if kind == "blind" else smallest),
        blind=kind == "blind",
        skipped="no counterpart" if kind == "skipped" else None,
    )


def report(kind, claims):
    if kind == "none":
        return None
    broken = ("world P, shadow 3: it raised",) if "broken" in kind else ()
    return AuditReport("sequential", 64, 64, 0, 0, "float64", 0.96, 1, 0.04, tuple(claims), broken)


def compared(kind):
    if kind == "none":
        return None
    p = 1e-9 if kind == "differs" else 0.5
    checks = (Check("noise scale", "world P", 1.0, p, 1e-3, "the noise is 0.5 times what it should be"),)
    if kind in ("skipped", "empty"):
        reason = "the exact law is not known" if kind == "skipped" else ""
        return ConformanceReport(0.01, 64, (), skipped=reason)
    return ConformanceReport(0.01, 64, checks)


def outcome(
    status=Status.PROVED,
    attack="quiet",
    code="none",
    *,
    named=False,
    stated=True,
    accept=False,
    policies=(),
    left_out=0,
    one=None,
    run=RUN,
    **of_attack,
):
    loaded = Loaded(Names(object() if named else None, stated))
    held = tuple(Policy("the policy", PolicySpec.model_validate(p)) for p in policies)
    case = Case(loaded, run, "", (one or claim(),), left_out=left_out, terms=Terms(held, accept))
    return Outcome(
        case,
        (verdict(status, one),),
        report(attack, [attacked(attack, **of_attack)]),
        compared(code),
    )
