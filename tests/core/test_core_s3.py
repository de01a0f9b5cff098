"""S3 against mpmath and simulation; its premises; nonsense quantiles."""

import math
from dataclasses import replace
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from flint import arb
from law_runs import exact_residuals, law, residuals, tiny

from certaudit.core import schedule
from certaudit.core.balls import precision
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import s3
from certaudit.core.statement import Sensitivity
from certaudit.run import Phase, Request, Start
from certaudit.search import s3 as search

TWO = (Request((1,), Phase(3, F(1, 2), F(1, 16))), Request((0, 3), Phase(2, F(1, 2), F(1))))
CYCLIC = ((0, 1), (2, 3), (1, 4))
SHAPES = [
    {},
    {"start": Start((F(1), F(-2)), F(1, 3))},
    {"requests": TWO, "normalizer": "sum"},
    {"learn": Phase(7, F(1, 2), F(1, 16), CYCLIC)},
]


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def number(x):
    return mpmath.mpf(x.numerator) / x.denominator


def shifts(statement):
    return [s for count, s in statement.shifts for _ in range(count)]


@pytest.mark.parametrize("delta", [F(1, 10), F(1, 10**6), F(1, 10**400)])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_shifts_and_delta_are_those_of_the_exact_law(shape, delta):
    run = tiny(seed=shape, **SHAPES[shape])
    for world in "PQ":
        proof, line = law(run, world)
        witness = search.witness(line.statement, delta)
        found = proof.apply("S3", (line,), witness).statement
        assert isinstance(found, Sensitivity)
        assert (found.world, found.last) == (world, None)
        means, variances = exact_residuals(run, world)
        spent, expected = mpmath.mpf(0), []
        with mpmath.workdps(60):
            pairs = [pair for pair in schedule.from_start("test", run) for _ in range(pair.count)]
            for t, pair in enumerate(pairs):
                rows, total = pair.removed(run), mpmath.mpf(0)
                for k, i in enumerate(rows):
                    m, v = (number(table[t][k]) for table in (means, variances))
                    q = abs(m) + number(witness.quantiles[t][k]) * mpmath.sqrt(v)
                    if v:
                        near, far = ((q - m) / mpmath.sqrt(2 * v), (q + m) / mpmath.sqrt(2 * v))
                        spent += (mpmath.erfc(near) + mpmath.erfc(far)) / 2
                    total += q * mpmath.sqrt(sum(number(F(x)) ** 2 for x in run.X[i].tolist()))
                expected.append(number(pair.step_size / run.count(pair.first)) * total)
            assert found.delta <= arb(delta.numerator) / arb(delta.denominator)
            assert abs(found.delta / arb(mpmath.nstr(spent, 50)) - 1) < arb("1e-30")
            assert found.delta > arb("0.998") * delta.numerator / delta.denominator
            for mine, theirs in zip(shifts(found), expected, strict=True):
                assert abs(mine - arb(mpmath.nstr(theirs, 50))) < arb("1e-30")


def test_the_event_is_as_rare_as_stated():
    """Simulated runs exceed some shift about as often as delta says, never clearly more."""
    run = tiny(start=Start((F(1), F(-2)), F(1, 3)))
    proof, line = law(run, "P")
    found = proof.apply("S3", (line,), search.witness(line.statement, F(3, 10))).statement
    rng, times = np.random.default_rng(5), 20000
    x, y = run.X, run.y
    w = np.array([float(m) for m in run.start.mean]) + rng.normal(0, math.sqrt(1 / 3), (times, 2))
    worse = np.zeros(times, bool)
    for s in shifts(found)[:4]:
        move = 0.5 / 5 * np.linalg.norm(x[1]) * abs(w @ x[1] - y[1])
        worse |= move > float(s.mid())
        gradient = (w @ x.T - y) @ x / 5 + w / 8
        w = w - gradient / 2 + rng.normal(0, 0.25, (times, 2))
    rate = worse.mean()
    assert rate <= float(found.delta.mid()) + 4 * math.sqrt(0.3 / times)
    assert rate > 0.1


def test_steps_that_remove_nothing_shift_by_nothing():
    run = tiny()
    proof, line = law(run)
    found = proof.apply("S3", (line,), search.witness(line.statement, F(1, 100))).statement
    assert [count for count, _ in found.shifts] == [1, 1, 1, 1, 3]
    assert found.shifts[-1][1].is_zero()


def test_a_constant_residual_spends_nothing_whatever_its_quantile():
    run = tiny(learn=Phase(1, F(1, 2), F(1)))
    proof, line = law(run)
    found = [proof.apply("S3", (line,), s3.Witness(((z,),))).statement for z in (F(0), F(10**6))]
    assert all(one.delta.is_zero() for one in found)
    assert found[0].shifts[0][1].overlaps(found[1].shifts[0][1])


def test_only_a_variance_that_is_exactly_zero_spends_nothing():
    run = tiny(learn=Phase(1, F(1, 2), F(1)))
    vague = residuals(run, [["1"]], [["0 +/- 1e-300"]])
    with pytest.raises(Undecided, match="told from zero"):
        s3.RULE.apply(run, (vague,), s3.Witness(((F(5),),)))
    small = residuals(run, [["1"]], [["1e-600"]])
    assert s3.RULE.apply(run, (small,), s3.Witness(((F(1),),))).statement.delta > arb("0.15")


@pytest.mark.parametrize("scale", [1e-200, 1e150, 0.0])
def test_extreme_rows(scale):
    run = tiny()
    X = run.X.copy()
    X[1] = X[1] * scale
    run = replace(run, X=X)
    for world in "PQ":
        proof, line = law(run, world)
        found = proof.apply("S3", (line,), search.witness(line.statement, F(1, 10**6))).statement
        assert found.delta <= arb("1e-6")
        assert all(s > 0 or scale == 0 for s in shifts(found)[:4])
        assert scale or all(s.is_zero() for s in shifts(found))


@pytest.mark.parametrize(
    "change",
    [
        lambda z: z[:-1],
        lambda z: (*z, (F(1),)),
        lambda z: ((F(1), F(1)), *z[1:]),
        lambda z: ((), *z[1:]),
        lambda z: ((F(-1, 10**9),), *z[1:]),
        lambda z: (*z[:-1], (math.nan,)),
        lambda z: (*z[:-1], (math.inf,)),
        lambda z: (),
    ],
)
def test_nonsense_quantiles_are_refused(change):
    proof, line = law(tiny())
    quantiles = search.witness(line.statement, F(1, 100)).quantiles
    with pytest.raises(Undecided):
        proof.apply("S3", (line,), s3.Witness(change(quantiles)))


def test_quantiles_of_zero_spend_at_least_a_half_each():
    proof, line = law(tiny())
    found = proof.apply("S3", (line,), s3.Witness(((F(0),),) * 4)).statement
    assert found.delta > arb("1.5")


def test_huge_quantiles_spend_almost_nothing_but_cost():
    proof, line = law(tiny())
    found = proof.apply("S3", (line,), s3.Witness(((F(2) ** 100000,),) * 4)).statement
    assert arb("1e-1000") > found.delta.upper() > 0
    assert shifts(found)[1] > arb(2) ** 90000


def test_the_normalizer_is_a_premise():
    proof, line = law(tiny(normalizer="current"))
    with pytest.raises(NotApplicable, match="reweights"):
        proof.apply("S3", (line,), search.witness(line.statement, F(1, 100)))


def test_a_residual_law_is_a_premise():
    proof, line = law(tiny())
    for uses in ((), (line, line), proof.lines[:1]):
        with pytest.raises(NotApplicable, match="ResidualLaw"):
            proof.apply("S3", uses, s3.Witness(()))
