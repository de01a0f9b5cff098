"""Whole audits: planted faults are refuted, honest runs are not."""

from fractions import Fraction as F

import pytest
from scipy.stats import binom
from shadow_runs import (
    RUNS,
    UNLEARN,
    SilentPhases,
    exact_law,
    logistic_run,
    ridge_run,
    two_requests,
)

from certaudit.attacks.scores.removed_point_loss import RemovedPointLoss
from certaudit.audit import audit
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.run import Phase, Reference, Request

CLAIM = EpsilonDelta("issued", F(12, 100), F(1, 10**5))


def run_audit(run, claims, seed=0, shadows=400, noise=None, confidence=F(95, 100)):
    return audit(
        run,
        claims,
        shadows=shadows,
        confidence=confidence,
        seed=seed,
        exact_law=exact_law(run) if run.loss == "ridge" else lambda requests: None,
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
    law = exact_law(run)
    alarms = 0
    for seed in range(100):
        report = audit(run, [CLAIM], shadows=200, confidence=F(95, 100), seed=seed, exact_law=law)
        alarms += report.claims[0].refuted
    assert alarms <= binom.isf(1e-6, 100, 0.05)


@pytest.mark.statistics
def test_false_alarms_at_the_boundary_of_the_null():
    """The claim is the exact epsilon of a leaky run; 2000 audits at confidence 0.9."""
    from certaudit.kernel.balls import precision
    from certaudit.prove.evidence import BITS, Evidence

    run = ridge_run(learn=Phase(60, F(5, 2), F(1, 10**6)))
    evidence = Evidence(run)
    delta = F(1, 100)
    with precision(BITS):
        exact = max(pair.epsilon(delta).upper for pair in evidence.exact.values())
    law = exact_law(run)
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


THREE = tuple(Request((row,), UNLEARN) for row in (7, 20, 31))


def test_a_claim_is_attacked_at_its_own_stage():
    """Noise is left out of learning and the first two stages: only the last one is as specified."""

    class LastStageOnly(SilentPhases):
        def open(self, world, blocks, parameters):
            stream = self.inner.open(world, blocks, parameters)

            class Stream:
                def draw(self, phase, request=0):
                    return stream.draw(phase, request) * (phase == "unlearn" and request == 2)

            return Stream()

    run = ridge_run(requests=(*THREE[:2], Request((31,), Phase(200, F(5, 2), F(1, 4)))))
    claims = [
        EpsilonDelta("first", F(1, 10), F(1, 10**5), after=1),
        EpsilonDelta("second", F(1, 10), F(1, 10**5), after=2),
        EpsilonDelta("all", F(1, 10), F(1, 10**5)),
        RenyiClaim("renyi", F(2), F(1, 100), after=2),
        GaussianClaim("gaussian", F(1, 10), F(1, 10**6), after=3),
    ]
    report = run_audit(run, claims, noise=LastStageOnly(0), shadows=2000)
    assert [c.refuted for c in report.claims] == [True, True, False, True, False]
    assert report.tests == 6 + 6 + 6 + 2 + 6


def test_stages_differ_in_the_removed_point():
    """The true log-ratio of stage 1 is that of ``run.after(1)``: asked for once a stage."""
    run, asked = ridge_run(requests=THREE), []

    def law(requests):
        asked.append(requests)
        return exact_law(run)(requests)

    claims = [EpsilonDelta(str(k), F(5), F(1, 10), after=k) for k in (3, 1, 1, None)]
    audit(run, claims, shadows=64, confidence=F(95, 100), seed=0, exact_law=law)
    assert asked == [1, 3]


@pytest.mark.parametrize("loss", RUNS)
def test_the_loss_of_the_removed_points_tells_noiseless_worlds_apart(loss):
    run = RUNS[loss](**two_requests(output_variance=F(0)))
    report = run_audit(run, [CLAIM], noise=SilentPhases(0, "learn", "unlearn", "output"))
    lines = [line for line in report.claims[0].lines if line.attack == RemovedPointLoss.name]
    assert len(lines) == 2
    assert max(line.lower_bound for line in lines) > 0.12


def test_sensitivity_is_audited_in_unlearning_too():
    """Steps 18 to 22 are the first request's: row 31 is still there, in the second batch alone."""
    run = ridge_run(**two_requests())
    claims = [SensitivityClaim(str(t), t, F(1, 10**9), F(1, 100)) for t in (18, 19, 23)]
    report = run_audit(run, claims)
    assert [c.refuted for c in report.claims] == [False, True, False]
    assert [line.direction for line in report.claims[1].lines] == ["world P", "world Q"]


def test_a_step_that_the_reference_does_not_make_is_skipped_and_costs_nothing():
    run = ridge_run(**two_requests(reference=Reference("retrained", 17)))
    claims = [SensitivityClaim("s", 20, F(1), F(1, 100)), CLAIM]
    report = run_audit(run, claims, shadows=64)
    skipped, other = report.claims
    assert skipped.skipped == "step 20 is an unlearning step, and the reference has none"
    assert not skipped.refuted
    assert report.tests == len(other.lines)
    alone = run_audit(run, claims[:1], shadows=64)
    assert alone.tests == 0
    assert alone.claims == (skipped,)
