"""What the attacks are given: one model, or the learned one and the final one side by side."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from scipy.stats import binom
from shadow_runs import huber_run, logistic_run, ridge_run, softmax_run

from certaudit.audit.attack import audit
from certaudit.audit.implementations.load import Code
from certaudit.audit.implementations.shadow import make
from certaudit.audit.rows import Rows
from certaudit.audit.scores.log_ratio import LogRatio
from certaudit.audit.shadows.store import ShadowStore
from certaudit.audit.shadows.train import train
from certaudit.claims import EpsilonDelta, SensitivityClaim
from certaudit.run import Phase, Reference, Request
from certaudit.search.evidence import Evidence

PAIR = {
    "release": "before-and-after",
    "learn": Phase(40, F(5, 2), F(1, 40000)),
    "requests": (Request((7,), Phase(60, F(5, 2), F(1, 400))),),
    "reference": Reference("unlearn-retrained", 40),
}
DELTA = F(1, 100)


def epsilon(run):
    return max(float(pair.epsilon(DELTA).upper) for pair in Evidence(run).exact.values())


@pytest.mark.parametrize("make_run", [ridge_run, logistic_run, huber_run, softmax_run])
@pytest.mark.parametrize("world", ["P", "Q"])
def test_the_learned_model_stands_before_the_final_one(make_run, world, tmp_path):
    run = make_run(release="before-and-after")
    alone = replace(run, release="final")
    store = ShadowStore(tmp_path)
    both, again = (train(run, world, 20, seed=3, record=[5], store=store).final for _ in range(2))
    final = train(alone, world, 20, seed=3, record=[60], store=store)
    assert both.shape == (20, 2 * run.parameters) == (20, run.shown)
    assert np.array_equal(both, again)
    assert np.array_equal(both[:, : run.parameters], final.recorded[60])
    assert np.array_equal(both[:, run.parameters :], final.final)


def test_scores_of_one_model_look_at_the_learned_one():
    run = ridge_run(**PAIR)
    models = train(run, "P", 16, seed=1).final
    learned = models[:, : run.parameters]
    rows, law = Rows(run, run.forget), Evidence(run).float_law()
    assert np.array_equal(rows.losses(models), rows.losses(learned))
    assert np.array_equal(rows.gradient_norms(models), rows.gradient_norms(learned))
    assert np.array_equal(LogRatio(*law).score(models), LogRatio(*law).score(learned))


def test_no_law_is_known_where_the_pair_tells_more_than_the_learned_model():
    twice = tuple(Request((row,), Phase(3, F(5, 2), F(1, 400))) for row in (7, 8))
    assert Evidence(ridge_run(**{**PAIR, "requests": twice})).float_law() is None
    assert Evidence(ridge_run(**PAIR)).float_law() is not None


def run_audit(run, claim, seed=0, shadows=300):
    evidence = Evidence(run)
    report = audit(
        run,
        [claim],
        shadows=shadows,
        confidence=F(95, 100),
        seed=seed,
        exact_law=lambda requests: evidence.float_law(),
    )
    (found,) = report.claims
    return found


def test_a_claim_true_of_the_final_model_is_refuted_for_who_kept_the_learned_one():
    run = ridge_run(**PAIR)
    alone = replace(run, release="final")
    claim = EpsilonDelta("issued", F(epsilon(alone) * 1.5), DELTA)
    assert epsilon(run) > 4 * float(claim.epsilon)
    assert run_audit(run, claim).refuted
    assert not run_audit(alone, claim).refuted


def test_a_true_claim_of_the_pair_is_not_refuted_over_seeds():
    """Confidence 0.95: more than binom.isf(1e-6, 6, 0.05) false alarms have probability 1e-6."""
    run = ridge_run(**PAIR)
    claim = EpsilonDelta("exact", F(epsilon(run)), DELTA)
    alarms = sum(run_audit(run, claim, seed, 96).refuted for seed in range(6))
    assert alarms <= binom.isf(1e-6, 6, 0.05)


def test_a_claim_about_a_step_is_counted_beside_the_pair():
    run = ridge_run(**PAIR)
    claim = SensitivityClaim("step", 10, F(1, 10**6), F(1, 100))
    assert run_audit(run, claim, shadows=64).refuted


def test_foreign_code_is_asked_for_the_learned_model_first(tmp_path):
    def learn(X, y, seed):
        return np.full(3, float(len(X)))

    def unlearn(parameters, X, y, forget, seed):
        parameters *= 0
        return parameters - 1.0

    code = Code(learn, unlearn, "", tmp_path)
    run = ridge_run(release="before-and-after")
    for world, rows in (("P", 60.0), ("Q", 59.0)):
        assert make(code, run, world, 0, 0).tolist() == [rows] * 3 + [-1.0] * 3
        assert make(code, replace(run, release="final"), world, 0, 0).tolist() == [-1.0] * 3
