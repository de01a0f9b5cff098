"""What an audit's code is compared with: the exact law, certaudit's own models, or nothing.

Seeds are fixed; honest code of another seed would differ with probability at most LEVEL each.
"""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from shadow_runs import logistic_run, ridge_run, softmax_run

from certaudit.audit.conformance import own
from certaudit.audit.conformance.audited import conformance
from certaudit.audit.shadows.train import ShadowError, Shadows, train
from certaudit.audit.statistics.results import AuditReport
from certaudit.run import Network, Phase, Request, Start
from certaudit.search.evidence import Evidence

LEVEL = 0.02


def report(trained, shadows=None, broken=()):
    budget = trained if shadows is None else shadows
    return AuditReport("sequential", budget, trained, 0, 0, "float64", 0.95, 1, 0.05, (), broken)


def mlp_run():
    """Few steps of learning, so that those of unlearning show in the models they end at."""
    phase = Phase(6, F(1, 2), F(1, 400))
    run = softmax_run(loss="network", network=Network("mlp", (2,), "tanh"), learn=phase)
    run = replace(run, requests=(Request((7,), phase),), reference=replace(run.reference, steps=6))
    return replace(run, start=Start((F(1, 2),) * run.parameters, F(1, 100)))


def honest(run, world, first, count):
    """As good code of somebody else's: other seeds."""
    trained = train(run, world, first + count, seed=99).final
    return Shadows(trained[first:], {})


def unlearns_nothing(run, world, first, count):
    return honest(run.after(0) if world == "P" else run, world, first, count)


def random_numbers(run, world, first, count):
    rng = np.random.default_rng((5, "PQ".index(world)))
    return Shadows(rng.normal(size=(first + count, run.parameters))[first:], {})


def another_size(run, world, first, count):
    models = honest(run, world, first, count).final
    return Shadows(np.pad(models, ((0, 0), (0, 1 if world == "Q" else 0))), {})


def breaks_down(run, world, first, count):
    made = honest(run, world, first, count)
    if count > 40:
        raise ShadowError("it broke", made.until(40))
    return made


RUNS = {"logistic": logistic_run, "softmax": softmax_run, "mlp": mlp_run, "ridge": ridge_run}


def judged(run, code, trained=128, law=None, **changes):
    return conformance(run, law, report(trained, **changes), code, LEVEL)


@pytest.mark.parametrize("name", RUNS)
def test_code_of_every_loss_is_checked(name):
    """Ridge as well where its law is not used."""
    run = RUNS[name]()
    found = judged(run, honest)
    assert found.passed, found
    assert "128 models of each world against 256 of certaudit's own" in found.compared
    assert found.level == LEVEL
    assert judged(run, unlearns_nothing).state == "differs"
    assert judged(run, random_numbers).state == "differs"


def test_where_the_law_is_known_all_the_models_are_held_to_it():
    run = ridge_run()
    law = Evidence(run).float_law()
    for code in (honest, None):
        found = judged(run, code, trained=300, law=law)
        assert found.passed
        assert found.models == 300
        assert "exact law" in found.compared
    assert judged(run, unlearns_nothing, trained=300, law=law).differs


def test_code_without_noise_is_compared_with_certaudits_own():
    """Its law has no density, so nothing can be whitened by it."""
    quiet = Phase(10, F(5, 2), F(0))
    run = ridge_run(learn=replace(quiet, steps=60), requests=(Request((7,), quiet),))
    law = Evidence(run).float_law()
    found = judged(run, honest, law=law)
    assert found.passed
    assert "certaudit's own" in found.compared
    assert judged(run, unlearns_nothing, law=law).differs


def test_another_number_of_parameters_is_a_difference():
    run = logistic_run()
    found = judged(run, another_size)
    assert found.state == "differs"
    (check,) = found.failures
    assert "7 parameters, the spec's model has 6" in check.meaning


def test_code_that_breaks_down_is_not_called_conforming():
    run = logistic_run()
    assert judged(run, breaks_down).state == "not checked"
    found = judged(run, breaks_down, trained=40, shadows=128, broken=("it broke",))
    assert found.passed
    assert found.models == 32
    assert judged(run, breaks_down, trained=0, shadows=128, broken=("it broke",)).state == "not checked"


def test_an_audit_without_claims_to_attack_still_checks_its_code():
    run = logistic_run()
    assert judged(run, random_numbers, trained=0, shadows=64).models == 64


def test_dynamics_that_certaudit_cannot_train_are_not_checked(monkeypatch):
    def diverges(run, count, seed, dtype):
        raise ShadowError("world P, shadow 3: left the finite numbers", Shadows(np.zeros((0, 6)), {}))

    monkeypatch.setattr(own, "models", diverges)
    found = judged(logistic_run(), honest)
    assert found.state == "not checked"
    assert "certaudit's own models" in found.skipped
    assert "shadow 3" in found.skipped


def test_certaudits_own_dynamics_without_a_law_are_traced():
    found = judged(logistic_run(), None)
    assert found.passed
    assert "trace of each world" in found.compared
    assert judged(logistic_run(), None, broken=("no",)).state == "not checked"
