"""Exceedance against mpmath; its premises."""

import math
from dataclasses import replace
from fractions import Fraction as F

import mpmath
import pytest
from flint import arb
from law_runs import exact_residuals, law, residuals, tiny

from certaudit.core.balls import precision
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import exceedance
from certaudit.run import Phase, Request

Witness = exceedance.Witness


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize("step", [2, 3, 4])
@pytest.mark.parametrize("shift", [F(0), F(1, 100), F(1, 20), F(3)])
def test_the_tail_is_the_exact_one(world, step, shift):
    run = tiny()
    proof, line = law(run, world)
    found = proof.apply("exceedance", (line,), Witness(step, shift)).statement
    assert (found.world, found.step, found.sensitivity) == (world, step, shift)
    means, variances = exact_residuals(run, world)
    with mpmath.workdps(60):
        mean, variance = (
            mpmath.mpf(t[step - 1][0].numerator) / t[step - 1][0].denominator for t in (means, variances)
        )
        norm = mpmath.sqrt(sum(mpmath.mpf(x) ** 2 for x in run.X[1].tolist()))
        q = mpmath.mpf(shift.numerator) / shift.denominator * 5 / (norm / 2)
        scale = mpmath.sqrt(2 * variance)
        expected = (mpmath.erfc((q - mean) / scale) + mpmath.erfc((q + mean) / scale)) / 2
        assert abs(found.probability / arb(mpmath.nstr(expected, 50)) - 1) < arb("1e-25")


def test_a_constant_residual_exceeds_surely_or_never():
    run = tiny()
    proof, line = law(run)
    size = abs(line.statement.means[0][0])
    norm = exceedance.row_norm(run, 1)
    cut = size * norm / 10
    below, above = (F(str(float(cut.mid()) * k)) for k in (0.999, 1.001))
    assert proof.apply("exceedance", (line,), Witness(1, below)).statement.probability == 1
    assert proof.apply("exceedance", (line,), Witness(1, above)).statement.probability.is_zero()


def test_a_constant_residual_at_its_own_size_is_not_decided_by_accident():
    run = tiny(learn=Phase(1, F(1, 2), F(1)))
    vague = residuals(run, [["0.3 +/- 1e-9"]], [["0"]])
    s = F(3, 10) * F(1, 10) * F(math.sqrt(float((run.X[1] ** 2).sum())))
    found = exceedance.RULE.apply(run, (vague,), Witness(1, s)).statement.probability
    assert found.contains(arb(0))
    assert found.contains(arb(1))


def test_a_step_that_removes_nothing_never_exceeds():
    proof, line = law(tiny())
    assert proof.apply("exceedance", (line,), Witness(6, F(0))).statement.probability.is_zero()


def test_a_zero_row_never_exceeds():
    run = tiny()
    X = run.X.copy()
    X[1] = 0
    proof, line = law(replace(run, X=X))
    assert proof.apply("exceedance", (line,), Witness(3, F(0))).statement.probability.is_zero()


def test_rows_below_the_smallest_float():
    run = tiny()
    X = run.X.copy()
    X[1] = X[1] * 1e-200
    proof, line = law(replace(run, X=X))
    assert proof.apply("exceedance", (line,), Witness(3, F(0))).statement.probability > arb("0.9")
    small = F(1, 10**210)
    assert proof.apply("exceedance", (line,), Witness(3, small)).statement.probability > arb("0.9")


@pytest.mark.parametrize("step", [0, -1, 8, 10**9, math.nan, 2.5, F(5, 2)])
def test_steps_the_worlds_do_not_share_are_refused(step):
    proof, line = law(tiny())
    with pytest.raises(NotApplicable, match="do not share"):
        proof.apply("exceedance", (line,), Witness(step, F(1)))


@pytest.mark.parametrize("shift", [F(-1), math.nan, math.inf, -math.inf])
def test_nonsense_shifts_are_refused(shift):
    proof, line = law(tiny())
    with pytest.raises(Undecided):
        proof.apply("exceedance", (line,), Witness(2, shift))


def test_a_vague_variance_is_refused():
    run = tiny(learn=Phase(1, F(1, 2), F(1)))
    with pytest.raises(Undecided, match="could not be enclosed"):
        exceedance.RULE.apply(run, (residuals(run, [["1"]], [["0 +/- 1e-9"]]),), Witness(1, F(1)))


def test_one_removed_row_and_the_normalizer_are_premises():
    proof, line = law(tiny(requests=(Request((1, 2), Phase(3, F(1, 2), F(1))),)))
    with pytest.raises(NotApplicable, match="single removed row"):
        proof.apply("exceedance", (line,), Witness(2, F(1)))
    proof, line = law(tiny(normalizer="current"))
    with pytest.raises(NotApplicable, match="reweights"):
        proof.apply("exceedance", (line,), Witness(2, F(1)))
    with pytest.raises(NotApplicable, match="ResidualLaw"):
        proof.apply("exceedance", (), Witness(2, F(1)))
