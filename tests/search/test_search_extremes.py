"""Runs at the edge: a right answer or "not proved", never nan, a crash or a hang."""

import dataclasses
import math
from fractions import Fraction as F

import numpy as np
import pytest
from given_laws import given_law

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.core import decide
from certaudit.core.rules import c6_1d, c6_event
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify
from certaudit.verdict import Status


def run(n=6, d=2, T=20, K=5, l2=F(1, 10), variance=F(1, 100), **changes):
    rng = np.random.default_rng(n + d)
    base = Run(
        X=rng.uniform(-0.7, 0.7, size=(n, d)),
        y=np.sign(rng.normal(size=n)),
        loss="ridge",
        l2=l2,
        normalizer="fixed",
        learn=Phase(T, F(1), variance),
        requests=(Request((1,), Phase(K, F(1), variance)),),
        start=Start((F(0),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", T),
        release="final",
    )
    return dataclasses.replace(base, **changes)


def twice(base):
    X, y = base.X.copy(), base.y.copy()
    X[0], y[0] = X[1], y[1]
    return dataclasses.replace(base, X=X, y=y)


def nothing_at_the_point(base):
    X = base.X.copy()
    X[1] = 0
    return dataclasses.replace(base, X=X)


CASES = {
    "a million steps": run(T=10**6, K=10**6),
    "a billion steps": run(T=10**9, K=10**9),
    "no regularizer to speak of": run(l2=F(1, 10**12), T=10**5),
    "hardly any noise": run(variance=F(1, 10**18)),
    "huge noise": run(variance=F(10**18)),
    "one feature": run(d=1),
    "two rows": run(n=2),
    "two rows, one feature": run(n=2, d=1),
    "the point twice": twice(run()),
    "a zero row": nothing_at_the_point(run()),
    "no noise": run(variance=F(0)),
    "no noise while learning": run(learn=Phase(20, F(1), F(0))),
    "steps that expand": run(learn=Phase(50, F(30), F(1, 100))),
    "huge labels": run(y=np.full(6, 1e150)),
    "cyclic, one row a batch": run(
        learn=Phase(20, F(1), F(1, 100), tuple((j,) for j in range(6))),
        normalizer="current",
    ),
}
CLAIMS = [
    EpsilonDelta("loose", F(10**9), F(1, 10)),
    EpsilonDelta("usual", F(1), F(1, 10**5)),
    EpsilonDelta("tiny", F(1), F(1, 10**300)),
    EpsilonDelta("pure", F(1), F(0)),
    EpsilonDelta("none", F(0), F(0)),
    RenyiClaim("near-one", 1 + F(1, 10**9), F(1, 10)),
    RenyiClaim("far", F(10**6), F(1)),
    GaussianClaim("gaussian", F(1), F(1, 10**6)),
    GaussianClaim("bare", F(1), F(0)),
    SensitivityClaim("shift", 1, F(1), F(1, 10**6)),
]


@pytest.mark.parametrize("loss", ["ridge", "logistic", "huber"])
@pytest.mark.parametrize("name", CASES)
def test_every_claim_gets_a_verdict_and_looser_claims_no_worse_ones(name, loss):
    case = dataclasses.replace(CASES[name], loss=loss, threshold=F(1) if loss == "huber" else None)
    if loss == "logistic":
        case = dataclasses.replace(case, y=np.sign(case.y))
    verdicts = {v.claim.id: v for v in verify(Evidence(case), CLAIMS)}
    for verdict in verdicts.values():
        assert verdict.status in set(Status)
        for bound in verdict.bounds:
            assert bound.value is None or bound.value >= 0
    order = [Status.REFUTED, Status.PREMISE_FAILED, Status.NOT_PROVED, Status.PROVED]
    ranks = [order.index(verdicts[name].status) for name in ("none", "pure", "usual")]
    if Status.REFUTED in (verdicts["usual"].status, verdicts["pure"].status):
        assert ranks[0] <= ranks[1] <= max(ranks[2], 2)
    if verdicts["none"].status is Status.PROVED:
        assert verdicts["loose"].status is Status.PROVED


def test_known_answers_at_the_edge():
    usual = [EpsilonDelta("usual", F(1), F(1, 10**5))]
    expected = {
        "a million steps": Status.PROVED,
        "a billion steps": Status.PROVED,
        "hardly any noise": Status.REFUTED,
        "huge noise": Status.PROVED,
        "a zero row": Status.PROVED,
    }
    for name, status in expected.items():
        (verdict,) = verify(Evidence(CASES[name]), usual)
        assert verdict.status is status, name
    claim = GaussianClaim("g", F(1, 2), F(1, 10**6))
    (verdict,) = verify(Evidence(nothing_at_the_point(run(T=1000))), [claim])
    assert verdict.status is Status.PROVED


@pytest.mark.parametrize("spread", [F(1, 2), F(3)])
def test_an_event_is_never_above_the_whole_and_proves_nothing(spread):
    """In one dimension against the exact value and the normal CDF; it may refute but not prove."""
    proof, law = given_law([1], [[spread]], [0], [[1]])
    for epsilon in (F(0), F(1, 2), F(2)):
        whole = proof.apply("C6-1d", (law,), c6_1d.Witness("P|Q", epsilon)).statement.delta
        assert float(whole) == pytest.approx(numerical(1.0, float(spread), float(epsilon)), abs=1e-8)
        for threshold in (F(-3), F(0), F(1), F(5, 2), F(40)):
            event = c6_event.Witness("P|Q", epsilon, (F(1),), threshold)
            part = proof.apply("C6-event", (law,), event).statement.delta
            assert part <= whole
            p = math.erfc((float(threshold) - 1) / math.sqrt(2 * float(spread))) / 2
            q = math.erfc(float(threshold) / math.sqrt(2)) / 2
            assert float(part) == pytest.approx(p - math.exp(float(epsilon)) * q, abs=1e-12)
    evidence = Evidence(run())
    parts = [pair.event(F(0), F(0)) for pair in evidence.exact.values()]
    assert all(part.statement.exactness == "lower" for part in parts)
    assert decide.prove(evidence.proof, EpsilonDelta("c", F(5), F(9, 10)), parts) is None
    assert decide.refute(evidence.proof, EpsilonDelta("c", F(0), F(0)), parts) is not None


def numerical(mean, variance, epsilon):
    x = np.linspace(-40, 40, 800_001)
    p = np.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    q = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return float(np.maximum(p - math.exp(epsilon) * q, 0).sum() * (x[1] - x[0]))
