"""Whole audits: planted faults are refuted, honest runs are not."""

from dataclasses import replace
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

from certaudit.audit import attack as audit_module
from certaudit.audit.attack import audit
from certaudit.audit.scores import kinds
from certaudit.audit.scores.removed_point_loss import RemovedPointLoss
from certaudit.audit.statistics.nulls import LADDER
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.run import Phase, Reference, Request

CLAIM = EpsilonDelta("issued", F(12, 100), F(1, 10**5))


def run_audit(run, claims, seed=0, shadows=400, noise=None, confidence=F(95, 100), **options):
    return audit(
        run,
        claims,
        shadows=shadows,
        confidence=confidence,
        seed=seed,
        exact_law=exact_law(run) if run.loss == "ridge" else lambda requests: None,
        noise=noise,
        **options,
    )


DESIGNS = pytest.mark.parametrize("design", ["sequential", "fixed"])


def test_the_planted_fault_is_refuted():
    """Learning without noise, and the unlearning noise left out of the shadow code path."""
    report = run_audit(ridge_run(), [CLAIM], noise=SilentPhases(0, "learn", "unlearn"))
    (claim,) = report.claims
    assert claim.refuted
    assert claim.lower_bound > 0.12
    assert not claim.blind


@pytest.mark.parametrize(("design", "audits"), [("sequential", 10), ("fixed", 60)])
def test_the_honest_run_is_not_refuted_over_many_seeds(design, audits):
    """Confidence 0.95: at most binom.isf(1e-6, audits, 0.05) false alarms (in fact none)."""
    run, alarms = ridge_run(), 0
    for seed in range(audits):
        alarms += run_audit(run, [CLAIM], seed, 96, design=design).claims[0].refuted
    assert alarms <= binom.isf(1e-6, audits, 0.05)


@pytest.mark.statistics
@DESIGNS
def test_false_alarms_at_the_boundary_of_the_null(design):
    """The claim is the exact epsilon, 0.751, of a leaky run; 2000 audits at confidence 0.9."""
    from certaudit.core.balls import precision
    from certaudit.core.proof import BITS
    from certaudit.search.evidence import Evidence

    phase = Phase(60, F(5, 2), F(1, 10**5))
    run = ridge_run(learn=phase, requests=(Request((7,), replace(phase, steps=5)),))
    evidence = Evidence(run)
    delta = F(1, 100)
    with precision(BITS):
        exact = max(pair.epsilon(delta).upper for pair in evidence.exact.values())
    assert exact > F(3, 4)
    claim = EpsilonDelta("exact", exact, delta)
    alarms = sum(
        run_audit(run, [claim], seed, 40, confidence=F(9, 10), design=design).claims[0].refuted
        for seed in range(2000)
    )
    assert alarms <= binom.isf(1e-6, 2000, 0.1)


@DESIGNS
def test_every_kind_of_claim_is_audited_and_false_ones_are_refuted(design):
    claims = [
        EpsilonDelta("e", F(1, 10), F(1, 10**5)),
        RenyiClaim("r", F(2), F(1, 100)),
        GaussianClaim("g", F(1, 10), F(1, 10**6)),
        SensitivityClaim("s", 10, F(1, 10**6), F(1, 100)),
    ]
    silent = SilentPhases(0, "learn", "unlearn")
    report = run_audit(ridge_run(), claims, noise=silent, shadows=1000, design=design)
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
        shadows=500,
        design=design,
    )
    assert not any(c.refuted for c in honest.claims)
    scores = len(list(kinds()))
    tests = {"sequential": 4, "fixed": 2 * scores + 2 + 2 * scores + 2}[design]
    assert honest.tests == tests
    assert honest.level == pytest.approx(0.05 / tests)


def test_logistic_runs_are_audited_without_an_exact_law():
    silent = SilentPhases(0, "learn", "unlearn")
    report = run_audit(logistic_run(), [CLAIM], noise=silent, design="fixed")
    names = {line.attack for line in report.claims[0].lines}
    assert names == {kind.name for kind in kinds()} - {"true log-ratio"}
    assert report.claims[0].refuted
    assert run_audit(logistic_run(), [CLAIM], noise=silent).claims[0].growth.estimated


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
    assert report.tests == 5


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
    silent = SilentPhases(0, "learn", "unlearn", "output")
    report = run_audit(run, [CLAIM], noise=silent, design="fixed")
    lines = [line for line in report.claims[0].lines if line.attack == RemovedPointLoss.name]
    assert len(lines) == 2
    assert max(line.lower_bound for line in lines) > 0.12


@DESIGNS
def test_sensitivity_is_audited_in_unlearning_too(design):
    """Steps 18 to 22 are the first request's: row 31 is still there, in the second batch alone."""
    run = ridge_run(**two_requests())
    claims = [SensitivityClaim(str(t), t, F(1, 10**9), F(1, 100)) for t in (18, 19, 23)]
    report = run_audit(run, claims, design=design)
    assert [c.refuted for c in report.claims] == [False, True, False]
    assert [line.direction for line in report.claims[1].lines] == ["world P", "world Q"]


def test_a_step_that_the_reference_does_not_make_is_skipped_and_costs_nothing():
    run = ridge_run(**two_requests(reference=Reference("retrained", 17)))
    claims = [SensitivityClaim("s", 20, F(1), F(1, 100)), CLAIM]
    report = run_audit(run, claims, shadows=64)
    skipped, other = report.claims
    assert skipped.skipped == "step 20 is an unlearning step, and the reference has none"
    assert not skipped.refuted
    assert report.tests == 1
    assert other.growth is not None
    alone = run_audit(run, claims[:1], shadows=64)
    assert alone.tests == 0
    assert alone.claims == (skipped,)


SHARP = {"learn": Phase(60, F(5, 2), F(1, 10**6))}
"""Learning with little noise: the removed point shows unless unlearning hides it."""


def test_a_refutable_claim_stops_early_and_says_how_fast():
    run = ridge_run(**SHARP, requests=(Request((7,), Phase(1, F(5, 2), F(1, 10**6))),))
    (claim,) = (report := run_audit(run, [CLAIM], shadows=4000)).claims
    assert claim.refuted
    assert report.trained == 256
    assert claim.growth.refuted_after <= 60
    assert claim.growth.reached > 0
    assert claim.growth.limit > 0.3
    assert not claim.growth.estimated
    assert claim.lower_bound >= 0.12


def test_the_identity_unlearner_fails():
    """One step of size 1e-9 and no noise: nothing is forgotten."""
    run = ridge_run(**SHARP, requests=(Request((7,), Phase(1, F(1, 10**9), F(0))),))
    for design in ("sequential", "fixed"):
        assert run_audit(run, [EpsilonDelta("e", F(1), F(1, 10**5))], design=design).claims[0].refuted


def in_place_of(run, other, monkeypatch):
    """World P is made by ``other(run, shadows, options)``."""
    real = audit_module.train

    def train(part, world, count, **options):
        return real(part, world, count, **options) if world == "Q" else other(real, part, count, options)

    monkeypatch.setattr(audit_module, "train", train)


@DESIGNS
def test_exact_retraining_passes(design, monkeypatch):
    """Six audits whose world P is retraining with another seed; even a claim of nearly nothing stands.

    At most binom.isf(1e-6, 6, 0.05) = 5 alarms.
    """
    run = ridge_run(**SHARP)
    in_place_of(
        run,
        lambda real, part, count, options: real(
            part, "Q", count, **{**options, "seed": options["seed"] + 10**6}
        ),
        monkeypatch,
    )
    claim = EpsilonDelta("tiny", F(1, 10**6), F(0))
    alarms = sum(run_audit(run, [claim], seed, 96, design=design).claims[0].refuted for seed in range(6))
    assert alarms <= binom.isf(1e-6, 6, 0.05)


def test_over_forgetting_fails(monkeypatch):
    """Retrained models pushed away from the removed row's target: less likely than never seen."""
    run = ridge_run(**SHARP)

    def push(real, part, count, options):
        shadows = real(part, "Q", count, **{**options, "seed": options["seed"] + 10**6})
        x = part.X[7]
        gaps = shadows.final @ x - part.y[7]
        away = shadows.final + 0.5 * gaps[:, None] * x
        return type(shadows)(away, shadows.recorded)

    in_place_of(run, push, monkeypatch)
    assert run_audit(run, [CLAIM], shadows=1000).claims[0].refuted


def leaky(seed):
    """A run whose exact epsilon is a few units."""
    return ridge_run(learn=Phase(60, F(5, 2), F(1, 30000)), requests=(Request((7,), UNLEARN_LITTLE),))


UNLEARN_LITTLE = Phase(3, F(5, 2), F(1, 30000))


@pytest.mark.parametrize("seed", range(2))
def test_lowering_the_claim_never_turns_fail_into_pass(seed):
    run, outcomes = leaky(seed), []
    values = sorted({F(LADDER[6]), F(LADDER[10]), F(1, 50), F(3, 10), F(7, 10), F(1), F(2), F(4)})
    for epsilon in values:
        claim = EpsilonDelta("e", epsilon, F(1, 10**5))
        outcomes.append(run_audit(run, [claim], seed, 128).claims[0].refuted)
    assert outcomes == sorted(outcomes, reverse=True)
    assert outcomes[0]
    assert not outcomes[-1]


def test_shadows_stored_by_an_audit_are_used_again(tmp_path, monkeypatch):
    run = ridge_run()
    first = run_audit(run, [CLAIM], shadows=1024, store=tmp_path)

    def broken(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr("certaudit.audit.shadows.train._train_chunk", broken)
    assert run_audit(run, [CLAIM], shadows=1024, store=tmp_path) == first
    assert first.trained == 1024


def test_truth_stands_beside_what_was_found():
    report = run_audit(ridge_run(), [CLAIM], shadows=64, truth={"issued": 0.0123})
    assert report.claims[0].truth == 0.0123
