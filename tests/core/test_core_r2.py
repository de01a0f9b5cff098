"""R2 against the exact divergences of one-dimensional runs; its premises."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from law_runs import law, lines, tiny

from certaudit.core.balls import precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Nothing
from certaudit.core.rules import r2
from certaudit.core.statement import Renyi
from certaudit.run import Phase, Reference, Request, Start
from certaudit.search import r4 as search


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def final(run, world):
    """Mean and variance of the released model of a one-dimensional ridge run, in floats."""
    m, v = float(run.start.mean[0]), float(run.start.variance)
    for one in run.schedule(world):
        rows, count = list(run.rows(one.batch)), run.count(one.batch)
        x, y = run.X[rows, 0], run.y[rows]
        eta = float(one.step_size)
        a = 1 - eta * (float((x * x).sum()) / count + float(run.l2))
        for _ in range(one.count):
            m = a * m + eta * float((x * y).sum()) / count
            v = a * a * v + float(one.noise_variance)
    return m, v + float(run.output_noise(world))


def divergence(order, p, q):
    """D_order(N(p) | N(q))."""
    (m1, v1), (m2, v2) = p, q
    mixed = order * v2 + (1 - order) * v1
    if mixed <= 0:
        return np.inf
    log = np.log(mixed / (v1 ** (1 - order) * v2**order)) / (1 - order) / 2
    return order * (m1 - m2) ** 2 / (2 * mixed) + log


@pytest.mark.parametrize("order", [F(3, 2), F(2), F(4)])
@pytest.mark.parametrize("seed", range(6))
def test_the_final_models_keep_to_the_decayed_bound(seed, order):
    noise = F(1, 4) if seed % 2 else F(4)
    run = tiny(
        d=1,
        seed=seed,
        learn=Phase(4, F(1, 2), noise),
        requests=(Request((1,), Phase(1 + seed, F(3, 4), noise / 2)),),
        start=Start((F(1, 4),), F(seed % 3)),
        output_variance=F(seed % 2, 10),
    )
    for world, other in (("P", "Q"), ("Q", "P")):
        proof, line = law(run, world)
        composed = proof.apply("R4", (line,), search.witness(run, line.statement, order))
        decayed = proof.apply("R2", (composed, *lines(proof, other)), Nothing())
        found = decayed.statement
        truth = divergence(float(order), final(run, world), final(run, other))
        assert truth <= float(found.r.upper()) * (1 + 1e-12)
        before = composed.statement.r
        assert found.r < before or before.is_zero() or not before.is_finite()
        assert (found.observer, found.exactness, found.order) == ("final", "upper", order)
        assert found.directions == composed.statement.directions


def bound(direction="P|Q", observer="every-step", exactness="upper", r=1):
    return Renyi(F(2), arb(r), (direction,), observer, exactness)


def apply(run, *uses):
    return r2.RULE.apply(run, uses, Nothing())


def test_the_factor_of_equal_steps_is_the_product_of_single_ones():
    run = tiny(d=1, requests=(Request((1,), Phase(5, F(1, 2), F(1, 16))),))
    known = [line.statement for line in lines(Proof(run), "Q")]
    c = {(one.batch, one.step_size): one.c for one in known}
    spread, factor = F(0), F(1)
    for pair in r2.schedule.whole("test", run):
        rate = c[pair.second, pair.step_size]
        for _ in range(pair.count):
            after = rate**2 * spread + pair.noise_variance
            factor *= rate**2 * spread / after if pair.first == pair.second else 1
            spread = after
    found = apply(run, bound(), *known).statement.r
    assert abs(found - (arb(factor.numerator) / factor.denominator).sqrt()) < arb("1e-40")


def test_an_infinite_bound_stays_infinite():
    run = tiny(learn=Phase(0, F(1, 2), F(1)))
    known = [line.statement for line in lines(Proof(run), "Q")]
    assert not apply(run, bound(r="inf"), *known).statement.r <= 10**9
    run = tiny()
    known = [line.statement for line in lines(Proof(run), "Q")]
    assert not apply(run, bound(r="inf"), *known).statement.r <= 10**9


def test_premises():
    run = tiny()
    proof = Proof(run)
    of_q = tuple(line.statement for line in lines(proof, "Q"))
    of_p = tuple(line.statement for line in lines(proof, "P"))
    assert apply(run, bound(), *of_q).statement.r < 1
    assert apply(run, bound("Q|P"), *of_p).statement.r < 1
    with pytest.raises(NotApplicable, match="Renyi"):
        apply(run)
    with pytest.raises(NotApplicable, match="Renyi"):
        apply(run, *of_q)
    for known in ((), of_p[:1]):
        with pytest.raises(NotApplicable, match="contraction of a step is missing"):
            apply(run, bound(), *known)
    with pytest.raises(NotApplicable, match="needs a Contraction"):
        apply(run, bound(), bound())
    with pytest.raises(NotApplicable, match="trajectories"):
        apply(run, bound(observer="final"), *of_q)
    with pytest.raises(NotApplicable, match="trajectories"):
        apply(run, replace(bound(), directions=("P|Q", "Q|P")), *of_q)
    with pytest.raises(NotApplicable, match="upper bound"):
        apply(run, bound(exactness="lower"), *of_q)


@pytest.mark.parametrize(
    "reference",
    [
        Reference("unlearn-retrained", 5),
        Reference("retrained", 4),
        Reference("unlearn-retrained", 4, F(1)),
        Reference("unlearn-retrained", 4, None, F(1)),
    ],
)
def test_both_worlds_take_the_same_steps(reference):
    run = tiny(reference=reference)
    known = [line.statement for line in lines(Proof(run), "Q")]
    with pytest.raises(NotApplicable, match="reference"):
        apply(run, bound(), *known)


def test_a_second_law_that_is_a_point_is_refused():
    run = tiny(learn=Phase(4, F(1, 2), F(0)), requests=(Request((1,), Phase(3, F(1, 2), F(0))),))
    known = [line.statement for line in lines(Proof(run), "Q")]
    with pytest.raises(NotApplicable, match="it is a point"):
        apply(run, bound(), *known)
