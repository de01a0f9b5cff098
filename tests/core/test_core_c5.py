"""C5 and C5-cover: golden numbers, mpmath, premises."""

import math
from dataclasses import replace
from fractions import Fraction as F

import mpmath
import pytest
from flint import arb
from law_runs import GOLDEN, agrees, law, tiny

from certaudit.claims import BOTH, GaussianClaim
from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import c5, c5_cover
from certaudit.core.statement import GaussianDP, HockeyStick
from certaudit.search.orders import epsilon_range


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def gaussian(mu, delta=0, directions=BOTH, observer="final"):
    mu = mu if isinstance(mu, arb) else ball(mu)
    return GaussianDP(mu, arb(delta), directions, observer)


def stick(epsilon, delta, directions=("P|Q",), observer="final", exactness="upper"):
    return HockeyStick(epsilon, arb(delta), directions, observer, exactness)


def apply(statement, epsilon):
    return c5.RULE.apply(tiny(), (statement,), c5.Witness(epsilon)).statement


def cover(mu, delta, *sticks):
    return c5_cover.RULE.apply(tiny(), sticks, c5_cover.Witness(mu, delta)).statement


@pytest.mark.parametrize("row", GOLDEN["gaussian_dp"])
def test_golden_numbers(row):
    mu = F(row["mu"])
    if "/" in row["epsilon"]:
        assert agrees(apply(gaussian(mu), F(row["epsilon"])).delta, row["delta"])
        return
    low, high = epsilon_range(ball(mu), F(row["delta"]), bits=100)
    assert apply(gaussian(mu), high).delta <= ball(F(row["delta"]))
    assert apply(gaussian(mu), low).delta > ball(F(row["delta"]))
    assert agrees(ball(low), row["epsilon"])


@pytest.mark.parametrize("mu", [F(1, 10**6), F(1, 10), F(1), F(30)])
@pytest.mark.parametrize("epsilon", [F(0), F(1, 3), F(20), F(400)])
def test_delta_agrees_with_mpmath(mu, epsilon):
    if epsilon / mu > 10**4:
        epsilon = mu * 100
    with mpmath.workdps(1500):
        m, e = (mpmath.mpf(x.numerator) / x.denominator for x in (mu, epsilon))
        near, far = ((e / m + side * m / 2) / mpmath.sqrt(2) for side in (-1, 1))
        expected = (mpmath.erfc(near) - mpmath.exp(e) * mpmath.erfc(far)) / 2
        found = apply(gaussian(mu), epsilon).delta
        assert abs(found / arb(mpmath.nstr(expected, 60)) - 1) < arb("1e-40")


def test_the_upper_end_of_mu_counts_and_slack_is_added():
    wide = apply(gaussian(arb(1, 0.5), "0.25", ("Q|P",), "every-step"), F(1))
    assert wide.delta >= gaussian_delta(F(3, 2), F(1)) + arb("0.2499999")
    assert (wide.directions, wide.observer, wide.exactness) == (("Q|P",), "every-step", "upper")
    assert apply(gaussian(0), F(0)).delta.is_zero()


@pytest.mark.parametrize("mu", ["inf", "nan"])
def test_no_bound_gives_delta_one(mu):
    assert apply(gaussian(arb(mu)), F(10)).delta >= 1


@pytest.mark.parametrize("epsilon", [F(-1, 10**9), math.nan, math.inf])
def test_nonsense_epsilons_are_refused(epsilon):
    with pytest.raises(Undecided, match="epsilon"):
        apply(gaussian(1), epsilon)


def test_a_gaussian_statement_is_a_premise():
    proof, line = law(tiny())
    for uses in ((), (line,)):
        with pytest.raises(NotApplicable, match="GaussianDP"):
            proof.apply("C5", uses, c5.Witness(F(1)))


def under(mu, levels, **scope):
    """Hockey sticks of a mu-GDP pair."""
    return [stick(level, gaussian_delta(mu, level), **scope) for level in levels]


LEVELS = [F(k, 10) for k in range(60)]


def test_a_fine_cover_proves_a_slightly_larger_curve():
    found = cover(F(11, 10), F(1, 10**4), *under(F(1), LEVELS, directions=("Q|P",)))
    assert (found.mu, found.delta, found.direction, found.observer) == (
        F(11, 10),
        F(1, 10**4),
        "Q|P",
        "final",
    )
    claim = GaussianClaim("c", F(11, 10), F(1, 10**4))
    assert claim.proved_by(found, "Q|P", "final")
    assert not claim.proved_by(found, "P|Q", "final")
    assert not claim.proved_by(found, "Q|P", "every-step")


@pytest.mark.parametrize(
    ("mu", "delta", "levels"),
    [
        (F(99, 100), F(1, 10**12), LEVELS),
        (F(11, 10), F(1, 10**9), LEVELS),
        (F(11, 10), F(1, 10**4), LEVELS[::20]),
        (F(11, 10), F(0), LEVELS),
    ],
)
def test_curves_not_certainly_covered_are_refused(mu, delta, levels):
    with pytest.raises(Undecided, match="below the curve"):
        cover(mu, delta, *under(F(1), levels))


def test_a_stick_above_the_curve_between_two_is_not_missed():
    sticks = under(F(1), LEVELS)
    sticks[7] = stick(LEVELS[7], sticks[6].delta)
    with pytest.raises(Undecided, match="below the curve"):
        cover(F(21, 20), F(1, 10**4), *sticks)
    sticks[7] = stick(LEVELS[7], "nan")
    with pytest.raises(Undecided, match="below the curve"):
        cover(F(3, 2), F(1, 10**3), *sticks)


def test_premises_of_the_cover():
    good = under(F(1), LEVELS)
    run = tiny()
    assert cover(F(2), F(1, 100), *good).mu == 2
    for bad in (
        (),
        good[1:],
        good[::-1],
        [good[0], *good[2:4], good[1], *good[4:]],
        [*good[:-1], replace(good[-1], directions=("Q|P",))],
        [*good[:-1], replace(good[-1], observer="every-step")],
        [*good[:-1], replace(good[-1], exactness="lower")],
        [replace(one, directions=BOTH) for one in good],
    ):
        with pytest.raises(NotApplicable):
            cover(F(2), F(1, 100), *bad)
    proof, line = law(run)
    with pytest.raises(NotApplicable, match="HockeyStick"):
        proof.apply("C5-cover", (line,), c5_cover.Witness(F(1), F(1)))


@pytest.mark.parametrize(
    ("mu", "delta"), [(F(-1), F(1)), (F(1), F(-1)), (math.nan, F(1)), (F(1), math.nan), (math.inf, F(1))]
)
def test_nonsense_curves_are_refused(mu, delta):
    with pytest.raises(Undecided, match="finite"):
        cover(mu, delta, *under(F(1), LEVELS))
