"""O1: a run that shows the learned model and the final one unlearns nothing, for a proof."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from law_runs import tiny
from oracles.gaussian_law import MP, final_law, pair_law, path_law
from oracles.gaussian_pair import diagonal, renyi

from certaudit.claims import EpsilonDelta, RenyiClaim
from certaudit.core.observer import subject
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable
from certaudit.run import Phase, Reference, Request
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify
from certaudit.verdict import Status

UNLEARN = Phase(3, F(1, 2), F(1, 16))


def pair(**changes):
    return tiny(release="before-and-after", **changes)


def divergence(law, run, order="1.01"):
    return renyi(diagonal(law(run, "P"), law(run, "Q")), MP.mpf(order))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
def test_the_pair_has_the_divergence_of_the_learned_model(seed, normalizer):
    run = pair(seed=seed, normalizer=normalizer)
    learned = subject(run)
    assert learned.release == "final"
    assert [one.unlearn.steps for one in learned.requests] == [0]
    assert abs(divergence(pair_law, run) - divergence(final_law, learned)) < MP.mpf(10) ** -25
    assert divergence(final_law, replace(run, release="final")) < 0.99 * divergence(pair_law, run)


def test_the_exact_tier_gives_the_divergence_of_the_pair():
    run = pair(seed=1)
    found = Evidence(run).exact["P|Q"].renyi(F(2)).statement.r
    assert abs(float(found.mid()) - float(divergence(pair_law, run, 2))) < 1e-12


@pytest.mark.parametrize(
    "changes",
    [
        {"requests": (Request((1,), UNLEARN), Request((3,), UNLEARN))},
        {"reference": Reference("unlearn-retrained", 4, unlearn_variance=F(1, 4))},
        {"output_variance": F(1, 9)},
        {"reference": Reference("unlearn-retrained", 4, output_variance=F(1, 9))},
    ],
)
def test_where_the_worlds_unlearn_differently_nothing_is_reduced(changes):
    run = pair(**changes)
    with pytest.raises(NotApplicable, match="O1"):
        subject(run)
    proof = Proof(run)
    assert proof.subject is run
    assert proof.unreduced is not None


def test_two_requests_tell_more_than_the_learned_model():
    run = pair(requests=(Request((1,), UNLEARN), Request((3,), UNLEARN)), seed=2)
    idle = tuple(Request(one.rows, replace(one.unlearn, steps=0)) for one in run.requests)
    learned = replace(run, requests=idle)
    assert divergence(pair_law, run) > divergence(final_law, learned) * MP.mpf("1.001")


def test_two_requests_whose_batches_do_not_tell_them_apart_are_one_kernel():
    phase = replace(UNLEARN, batches=((0, 2), (4, 2)))
    run = pair(requests=(Request((1,), phase), Request((3,), phase)))
    assert subject(run).release == "final"
    first = subject(run)
    assert abs(divergence(pair_law, run) - divergence(final_law, first)) < MP.mpf(10) ** -25


def test_a_reference_without_a_model_before_is_no_such_run():
    with pytest.raises(ValueError, match="before unlearning"):
        Proof(pair(reference=Reference("retrained", 7)))


def test_other_observers_are_left_alone():
    for release in ("final", "every-step"):
        run = tiny(release=release)
        assert subject(run) is run


def verdict(run, claim):
    (found,) = verify(Evidence(run), [claim])
    return found.status


@pytest.mark.parametrize("release", ["final", "before-and-after", "every-step"])
def test_each_observer_has_a_number_of_its_own(release):
    run = tiny(seed=1, release=release)
    law = {"final": final_law, "before-and-after": pair_law, "every-step": path_law}[release]
    exact = F(float(divergence(law, run, 2)))
    assert verdict(run, RenyiClaim("above", F(2), exact * F(1001, 1000), ("P|Q",))) is Status.PROVED
    assert verdict(run, RenyiClaim("below", F(2), exact * F(999, 1000), ("P|Q",))) is Status.REFUTED


def test_momentum_carried_over_would_tell_more():
    """The trap of the theory: heavy ball on a line, h .3, beta .6, T 5, K 3."""
    h, beta = 0.3, 0.6
    A = np.array([[1 + beta - h, -beta], [1.0, 0.0]])
    noise = np.diag([1.0, 0.0])
    mean, spread, states = np.zeros(2), np.zeros((2, 2)), []
    for t in range(8):
        mean = A @ mean + np.array([float(t < 5), 0.0])
        spread = A @ spread @ A.T + noise
        states.append((mean, spread))
    (m5, s5), (m8, s8) = states[4], states[7]
    across = (np.linalg.matrix_power(A, 3) @ s5)[0, 0]
    joint = np.array([[s5[0, 0], across], [across, s8[0, 0]]])
    gap = np.array([m5[0], m8[0]])
    alone, both = gap[0] / np.sqrt(joint[0, 0]), np.sqrt(gap @ np.linalg.solve(joint, gap))
    assert both > alone * 1.003
    assert round(both / alone, 3) == round(2.0310 / 2.0226, 3)


def test_a_loss_that_is_not_quadratic_is_proved_through_learning_alone():
    fields = {"loss": "logistic", "learn": Phase(2, F(1, 2), F(1)), "l2": F(1, 2)}
    run = pair(**fields)
    idle = replace(
        run, release="final", requests=(replace(run.requests[0], unlearn=Phase(0, F(1), F(1))),)
    )
    claim = EpsilonDelta("e", F(3), F(1, 10**5))
    (found,), (alone,) = (verify(Evidence(one), [claim]) for one in (run, idle))
    assert found.status is Status.PROVED
    assert found.bounds[0].value == alone.bounds[0].value
    (final,) = verify(Evidence(replace(run, release="final")), [claim])
    assert final.bounds[0].value < found.bounds[0].value
