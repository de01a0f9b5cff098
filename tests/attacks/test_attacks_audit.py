"""Whole audits: planted faults are refuted, honest runs are not."""

from fractions import Fraction as F

import pytest
from scipy.stats import binom
from shadow_runs import SilentPhases, logistic_run, ridge_run

from certaudit.audit import audit
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel.balls import precision
from certaudit.prove.evidence import BITS, Evidence

CLAIM = EpsilonDelta("issued", F(12, 100), F(1, 10**5))


def run_audit(run, claims, seed=0, shadows=400, noise=None, confidence=F(95, 100)):
    return audit(
        run,
        claims,
        shadows=shadows,
        confidence=confidence,
        seed=seed,
        exact_law=Evidence(run).float_law(),
        noise=noise,
    )


def test_the_planted_fault_is_refuted():
    """Learning without noise, and the unlearning noise left out of the shadow code path."""
    report = run_audit(ridge_run(), [CLAIM], noise=SilentPhases(0, "learn", "unlearn"))
    (claim,) = report.claims
    assert claim.refuted
    assert claim.lower_bound > 0.12
    assert not claim.blind


def test_the_honest_run_is_not_refuted_over_a_hundred_seeds():
    """Confidence 0.95: at most binom.isf(1e-6, 100, 0.05) = 17 false alarms (in fact none)."""
    run = ridge_run()
    law = Evidence(run).float_law()
    alarms = 0
    for seed in range(100):
        report = audit(run, [CLAIM], shadows=200, confidence=F(95, 100), seed=seed, exact_law=law)
        alarms += report.claims[0].refuted
    assert alarms <= binom.isf(1e-6, 100, 0.05)


@pytest.mark.statistics
def test_false_alarms_at_the_boundary_of_the_null():
    """The claim is the exact epsilon of a leaky run; 2000 audits at confidence 0.9."""
    run = ridge_run(
        learn=ridge_run().learn.__class__(60, F(5, 2), F(1, 10**6)), unlearn=ridge_run().unlearn
    )
    evidence = Evidence(run)
    delta = F(1, 100)
    with precision(BITS):
        exact = max(pair.epsilon(delta).upper for pair in evidence.exact.values())
    law = evidence.float_law()
    claim = EpsilonDelta("exact", exact, delta)
    alarms = sum(
        audit(run, [claim], shadows=200, confidence=F(9, 10), seed=seed, exact_law=law).claims[0].refuted
        for seed in range(2000)
    )
    assert alarms <= binom.isf(1e-6, 2000, 0.1)


def test_every_kind_of_claim_is_audited_and_false_ones_are_refuted():
    claims = [
        EpsilonDelta("e", F(1, 10), F(1, 10**5)),
        RenyiClaim("r", F(2), F(1, 100)),
        GaussianClaim("g", F(1, 10), F(1, 10**6)),
        SensitivityClaim("s", 10, F(1, 10**6), F(1, 100)),
    ]
    report = run_audit(ridge_run(), claims, noise=SilentPhases(0, "learn", "unlearn"), shadows=2000)
    assert [c.id for c in report.claims] == ["e", "r", "g", "s"]
    assert all(c.refuted for c in report.claims)
    honest = run_audit(
        ridge_run(),
        [
            EpsilonDelta("e", F(5), F(1, 10**5)),
            RenyiClaim("r", F(2), F(5)),
            GaussianClaim("g", F(3), F(0)),
            SensitivityClaim("s", 10, F(10), F(0)),
        ],
        shadows=2000,
    )
    assert not any(c.refuted for c in honest.claims)
    assert honest.tests == 6 + 2 + 6 + 2
    assert honest.level == pytest.approx(0.05 / 16)


def test_logistic_runs_are_audited_without_an_exact_law():
    report = run_audit(logistic_run(), [CLAIM], noise=SilentPhases(0, "learn", "unlearn"))
    assert {line.attack for line in report.claims[0].lines} == {
        "loss of the removed point",
        "linear discriminant",
    }
    assert report.claims[0].refuted


def test_an_audit_too_small_to_see_anything_says_so():
    report = run_audit(ridge_run(), [EpsilonDelta("wide", F(30), F(1, 10**5))], shadows=8)
    assert report.claims[0].blind
    assert not report.claims[0].refuted
