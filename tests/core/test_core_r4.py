"""R4 against integration of two steps and against exact final laws; its premises."""

import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from law_runs import law, residuals, tiny

from certaudit.core.balls import precision
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import r4
from certaudit.run import Phase, Reference, Request, Start
from certaudit.search import r4 as search


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def one_dimension(**changes):
    return tiny(d=1, learn=Phase(2, F(1, 2), F(1, 4)), start=Start((F(1),), F(0)), **changes)


def step(run, world):
    rows = [j for j in range(5) if world == "P" or j != 1]
    x, y = run.X[rows, 0], run.y[rows]
    return 1 - 0.5 * ((x * x).sum() / 5 + 1 / 8), 0.5 * (x * y).sum() / 5


@pytest.mark.parametrize("order", [F(3, 2), F(2), F(5)])
@pytest.mark.parametrize("world", ["P", "Q"])
def test_two_steps_by_integration(world, order):
    """D_alpha of the two-step trajectories, the inner step in closed form, the outer by quadrature."""
    run = one_dimension(seed=3)
    (a, b), (c, d) = (step(run, w) for w in ((world, "Q") if world == "P" else (world, "P")))
    alpha, var = float(order), 0.25
    w1 = np.linspace(-20, 20, 400001)
    here, there = a + b, c + d
    log = -(alpha * (w1 - here) ** 2 + (1 - alpha) * (w1 - there) ** 2) / (2 * var)
    log += alpha * (alpha - 1) * (a * w1 + b - c * w1 - d) ** 2 / (2 * var)
    total = np.exp(log).sum() * (w1[1] - w1[0]) / math.sqrt(2 * math.pi * var)
    truth = math.log(total) / (alpha - 1)
    proof, line = law(run, world)
    best = math.inf
    for p in (F(101, 100), F(11, 10), F(3, 2), F(3), F(20)):
        found = proof.apply("R4", (line,), r4.Witness(order, (p,))).statement
        assert found.r > arb(truth * (1 - 1e-9))
        best = min(best, float(found.r.upper()))
    assert best < 2 * truth
    chosen = proof.apply("R4", (line,), search.witness(run, line.statement, order)).statement
    assert truth * (1 - 1e-9) <= float(chosen.r.upper()) <= best * 1.01
    assert chosen.directions == (("P|Q",) if world == "P" else ("Q|P",))
    assert (chosen.observer, chosen.exactness, chosen.order) == ("every-step", "upper", order)


def test_one_step_is_exact():
    """One step from a point: two Gaussians at a distance of (eta/N)|x||r|."""
    run = replace(
        one_dimension(), learn=Phase(1, F(1, 2), F(1, 4)), reference=Reference("unlearn-retrained", 1)
    )
    proof, line = law(run)
    found = proof.apply("R4", (line,), r4.Witness(F(3), ())).statement
    x, y = float(run.X[1, 0]), float(run.y[1])
    shift = 0.1 * x * (x - y)
    assert float(found.r.mid()) == pytest.approx(3 * shift**2 / (2 * 0.25), rel=1e-14)


def test_an_expectation_that_diverges_is_infinite():
    run = one_dimension()
    for variance in ("1e9", "0 +/- 1e9", "nan"):
        vague = residuals(run, [["1"], ["1"]], [["0"], [variance]])
        found = r4.RULE.apply(run, (vague,), r4.Witness(F(2), (F(2),))).statement
        assert not found.r <= 10**9


def test_no_costly_step_costs_nothing():
    run = one_dimension()
    X = run.X.copy()
    X[1] = 0
    proof, line = law(replace(run, X=X))
    assert proof.apply("R4", (line,), r4.Witness(F(2), (F(2),))).statement.r.contains(0)
    run = tiny(learn=Phase(0, F(1, 2), F(1, 4)))
    proof, line = law(run)
    assert proof.apply("R4", (line,), r4.Witness(F(2), ())).statement.r.is_zero()


def test_rows_below_the_smallest_float_still_cost():
    run = one_dimension()
    X = run.X.copy()
    X[1] = 1e-200
    proof, line = law(replace(run, X=X), "Q")
    assert proof.apply("R4", (line,), r4.Witness(F(2), (F(2),))).statement.r.upper() > 0


@pytest.mark.parametrize("order", [F(1), F(0), F(-2), math.inf, math.nan])
def test_orders_out_of_range(order):
    proof, line = law(one_dimension())
    with pytest.raises(Undecided, match="order"):
        proof.apply("R4", (line,), r4.Witness(order, (F(2),)))


@pytest.mark.parametrize(
    "exponents", [(), (F(2), F(2)), (F(1),), (F(1, 2),), (F(-3),), (math.inf,), (math.nan,)]
)
def test_nonsense_exponents_are_refused(exponents):
    proof, line = law(one_dimension())
    with pytest.raises(Undecided, match="exponent"):
        proof.apply("R4", (line,), r4.Witness(F(2), exponents))


def test_exponents_near_one_and_far_off_are_dear_not_wrong():
    proof, line = law(one_dimension(seed=3))
    good = proof.apply("R4", (line,), search.witness(proof.run, line.statement, F(2))).statement.r
    for p in (1 + F(1, 10**300), F(10**300), F(2) ** 100000, 1 + F(1, 2**100000)):
        found = proof.apply("R4", (line,), r4.Witness(F(2), (p,))).statement.r
        assert not found < good


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"normalizer": "current"}, "reweights"),
        ({"learn": Phase(2, F(1, 2), F(0))}, "adds no noise"),
        ({"requests": (Request((1, 2), Phase(3, F(1, 2), F(1))),)}, "single removed row"),
        ({"reference": Reference("retrained", 4)}, "reference takes other steps"),
        ({"reference": Reference("unlearn-retrained", 4, None, F(1))}, "output noise"),
    ],
)
def test_premises(changes, reason):
    proof, line = law(tiny(**changes))
    with pytest.raises(NotApplicable, match=reason):
        proof.apply("R4", (line,), r4.Witness(F(2), (F(2),) * 3))


def test_a_residual_law_is_a_premise():
    proof = law(tiny())[0]
    with pytest.raises(NotApplicable, match="ResidualLaw"):
        proof.apply("R4", proof.lines[:1], r4.Witness(F(2), (F(2),) * 3))
