"""C1 to C5 against mpmath: erfc and an integral for Gaussian pairs, brute force for one Rényi order."""

from fractions import Fraction as F
from functools import cache

import mpmath
import pytest
from flint import arb
from given_laws import given_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.claims import BOTH
from certaudit.core.balls import ball, fraction, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.rule import NotApplicable, Refusal
from certaudit.core.rules import c3
from certaudit.core.statement import HockeyStick, Renyi
from certaudit.search.c3 import epsilon_by_tangent, log_delta, log_ratios, optimal_epsilon
from certaudit.search.conversion import improved_epsilon, mironov_epsilon
from certaudit.search.orders import epsilon_range
from certaudit.search.slack import conversions, gaussian_slack

MUS = [F(1, 10**6), F(1, 1000), F(1, 10), F(1), F(30), F(1000)]
DIGITS = [1, 2, 5, 12, 40, 150, 300]
REFERENCE_ERROR = mpmath.mpf("1e-30")


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def number(x):
    return mpmath.mpf(x.numerator) / x.denominator


def exact_delta(mu, epsilon):
    """delta of a mu-GDP pair, to a relative 1e-30: two working precisions must agree."""
    values = []
    for digits in (60, 120):
        with mpmath.workdps(digits):
            m, e = number(mu), number(epsilon)
            near, far = ((e / m + side * m / 2) / mpmath.sqrt(2) for side in (-1, 1))
            values.append((mpmath.erfc(near) - mpmath.exp(e) * mpmath.erfc(far)) / 2)
    with mpmath.workdps(120):
        assert abs(values[0] / values[1] - 1) < REFERENCE_ERROR
    return values[1]


def at_most(mu, epsilon, allowed):
    with mpmath.workdps(120):
        return exact_delta(mu, epsilon) <= number(allowed) * (1 + REFERENCE_ERROR)


def at_least(mu, epsilon, allowed):
    with mpmath.workdps(120):
        return exact_delta(mu, epsilon) >= number(allowed) * (1 - REFERENCE_ERROR)


def proved(order, renyi, plane):
    """delta that rule C3 states for D_order <= ``renyi``."""
    bound = Renyi(order, ball(renyi), BOTH, "final", "upper")
    return c3.RULE.apply(None, (bound,), plane).statement.delta


def optimal_delta(order, renyi, epsilon, ratios):
    return proved(order, renyi, c3.Witness(epsilon, *ratios))


def reference(value, error="1e-30"):
    """Ball around an mpmath number, ``error`` wide relative to it."""
    middle = arb(mpmath.nstr(value, 60))
    return middle + abs(middle) * arb(0, arb(error))


@pytest.mark.parametrize(
    ("mu", "epsilon"), [(F(1, 10**6), F(1, 10**5)), (F(1), F(40)), (F(3), F(1)), (F(1000), F(502000))]
)
def test_the_reference_agrees_with_an_integral_without_cancellation(mu, epsilon):
    """delta = phi(x) int_0^oo exp(-x t - t^2/2) (1 - exp(-mu t)) dt, x = epsilon/mu - mu/2."""
    with mpmath.workdps(40):
        m = number(mu)
        x = number(epsilon) / m - m / 2
        cuts = [0] + [mpmath.mpf(4) ** k for k in range(-12, 3)]
        area = mpmath.quad(
            lambda t: -mpmath.exp(-x * t - t * t / 2) * mpmath.expm1(-m * t), [*cuts, mpmath.inf]
        )
        assert abs(mpmath.npdf(x) * area / exact_delta(mu, epsilon) - 1) < mpmath.mpf("1e-25")


@cache
def slack(mu, digits):
    with precision(192):
        return gaussian_slack(mu, F(1, 10**digits))


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("mu", MUS)
def test_epsilon_range_holds_the_exact_value(mu, digits):
    allowed = F(1, 10**digits)
    low, high = slack(mu, digits).exact
    assert at_most(mu, high, allowed)
    if high == 0:
        return
    assert low == 0 or at_least(mu, low, allowed)
    assert high - low <= F(1, 2**55) * (mu**2 / 2 + 40 * mu)


@pytest.mark.parametrize("allowed", [F(1, 10), F(1, 10**5), F(1, 10**300)])
def test_epsilon_range_of_a_wide_ball_holds_for_all_of_it(allowed):
    low, high = epsilon_range(arb(1, arb("0.01")), allowed)
    assert at_most(F("1.01"), high, allowed)
    assert low == 0 or at_least(F("0.99"), low, allowed)
    assert high < 3 * epsilon_range(arb(1), allowed)[1]


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("mu", MUS)
def test_no_conversion_falls_below_the_exact_value(mu, digits):
    found = slack(mu, digits)
    first, second, third = found.ends
    assert [end.rule for end in found.ends] == ["C1", "C2", "C3"]
    assert all(at_most(mu, end.epsilon, F(1, 10**digits)) for end in found.ends)
    assert first.epsilon >= second.epsilon >= third.epsilon * (1 - F(1, 2**40)) >= 0
    assert found.exact[1] == 0 or third.epsilon / found.exact[1] < 2
    assert all(found.ratio(end) >= 1 for end in found.ends)


@settings(max_examples=60, deadline=None)
@given(st.floats(-6, 3), st.floats(-300, -1))
def test_between_the_grid_points_too(log_mu, log_slack):
    with precision(192):
        mu, allowed = F(10**log_mu), F(10**log_slack)
        found = gaussian_slack(mu, allowed)
    low, high = found.exact
    assert at_most(mu, high, allowed)
    assert low == 0 or at_least(mu, low, allowed)
    assert all(at_most(mu, end.epsilon, allowed) for end in found.ends)


@settings(max_examples=80, deadline=None)
@given(st.floats(-6, 3), st.floats(-2, 37))
def test_c5_encloses_the_exact_delta(log_mu, shift):
    """epsilon = mu^2/2 + mu shift, so that delta runs from near 1 to about 1e-300."""
    mu = F(10**log_mu)
    epsilon = max(mu**2 / 2 + mu * F(shift), F(0))
    with precision(128):
        value = gaussian_delta(mu, epsilon)
        assert value.overlaps(reference(exact_delta(mu, epsilon)))
        assert value.rel_accuracy_bits() >= 60


def power_sum(a, p, q):
    return p**a * q ** (1 - a) + ((1 - p) ** a * (1 - q) ** (1 - a) if p < 1 else 0)


def brute_force(order, renyi, epsilon, floor, digits):
    """max p - e^epsilon q over events with p > ``floor``, by three grids in log p; q by bisection."""
    with mpmath.workdps(digits):
        a, top = number(order), mpmath.exp((number(order) - 1) * number(renyi))
        factor = mpmath.exp(number(epsilon))

        def least_q(p):
            low, high = mpmath.mpf(10) ** -digits * p, p
            for _ in range(200):
                middle = mpmath.sqrt(low * high)
                low, high = (middle, high) if power_sum(a, p, middle) > top else (low, middle)
                if high < low * (1 + mpmath.mpf("1e-22")):
                    break
            return high

        left, right = mpmath.log(floor), mpmath.mpf(0)
        best = mpmath.mpf(0)
        for _ in range(7):
            points = [left + (right - left) * k / 8 for k in range(9)]
            values = [p - factor * least_q(p) for p in map(mpmath.exp, points)]
            k = max(range(9), key=values.__getitem__)
            best = max(best, values[k])
            left, right = points[max(k - 1, 0)], points[min(k + 1, 8)]
        return best


@pytest.mark.parametrize(
    ("order", "renyi", "epsilon"),
    [
        (1 + F(1, 10**6), F(1, 100), F(1)),
        (F(3, 2), F(1, 2), F(0)),
        (F(2), F(1, 100), F(1, 1000)),
        (F(2), F(1), F(20)),
        (F(2), F(3), F(1)),
        (F(37), F(1), F(1, 2)),
        (F(37), F(37, 2), F(1878, 50)),
        (F(10**4), F(1, 1000), F(1, 100)),
    ],
)
def test_c3_is_the_maximum_over_events(order, renyi, epsilon):
    value = optimal_delta(order, renyi, epsilon, log_ratios(order, float(renyi), epsilon))
    floor = mpmath.mpf(float(value.mid())) / 2
    digits = 30 - int(mpmath.log10(floor)) + 10
    found = reference(brute_force(order, renyi, epsilon, floor, digits), "1e-18")
    assert value > found * (1 - arb("1e-9"))
    assert value < found * (1 + arb("1e-5"))
    assert float(value.log()) == pytest.approx(log_delta(order, float(renyi), float(epsilon)), abs=1e-9)


orders = st.floats(-6, 4).map(lambda x: 1 + F(10**x))
levels = st.floats(-8, 5).map(lambda x: F(10**x))


@settings(max_examples=150, deadline=None)
@given(orders, levels, st.one_of(st.just(F(0)), levels))
def test_c3_is_never_above_c2(order, renyi, epsilon):
    with mpmath.workdps(60):
        a = number(order)
        log_other = (a - 1) * (number(renyi) - number(epsilon)) - mpmath.log(a - 1)
        other = mpmath.exp(log_other + a * mpmath.log(1 - 1 / a)) if log_other < 0 else mpmath.mpf(1)
    with precision(192):
        value = optimal_delta(order, renyi, epsilon, log_ratios(order, float(renyi), epsilon))
        assert value >= 0
        assert value <= reference(other) * (1 + arb("1e-20"))
        assert value <= 1


hints = st.tuples(st.floats(-3, 40), st.floats(1e-9, 1e3)).map(lambda h: (F(h[0]), F(h[0]) - F(h[1])))


@settings(max_examples=200, deadline=None)
@given(orders, st.floats(-3, 1.5), st.floats(-2, 30), hints)
def test_any_tangent_plane_bounds_a_gaussian_pair(order, log_mu, shift, hint):
    mu = F(10**log_mu)
    epsilon = max(mu**2 / 2 + mu * F(shift), F(0))
    with precision(192):
        value = optimal_delta(order, order * mu**2 / 2, epsilon, hint)
        assert value >= reference(exact_delta(mu, epsilon)) * (1 - arb("1e-25"))


events = st.tuples(st.floats(1e-9, 1 - 1e-9), st.floats(1e-9, 1 - 1e-9))


@settings(max_examples=200, deadline=None)
@given(st.floats(-3, 1.5), events, st.floats(0, 5), hints, st.booleans())
def test_any_tangent_plane_bounds_a_coin_pair(log_gap, event, epsilon, hint, best):
    """A pair of coins has exactly the events C3 maximizes over: the tightest test of its formula."""
    order = 1 + F(10**log_gap)
    p, q = sorted(event, reverse=True)
    with mpmath.workdps(80):
        a = number(order)
        renyi = mpmath.log(power_sum(a, mpmath.mpf(p), mpmath.mpf(q))) / (a - 1)
    with precision(192):
        divergence = fraction(arb(mpmath.nstr(renyi, 70)).upper()) + F(1, 10**60)
        used = log_ratios(order, float(divergence), F(epsilon)) if best else hint
        value = optimal_delta(order, divergence, F(epsilon), used)
        assert value >= ball(p) - ball(epsilon).exp() * ball(q) - arb("1e-40")


def test_statements_carry_direction_and_observer():
    pair = given_pair([F(1)], [[1]], [0], [[1]])
    renyi = pair.renyi(F(27, 5))
    line = epsilon_by_tangent(pair.proof, renyi, F(1, 10**5))
    assert (line.rule, line.uses) == ("C3", (renyi.number,))
    stick = line.statement
    assert isinstance(stick, HockeyStick)
    assert stick.directions == ("P|Q",)
    assert stick.observer == "final"
    assert stick.exactness == "upper"
    assert stick.delta <= ball(F(1, 10**5))
    improved = improved_epsilon(F(27, 5), renyi.statement.r, F(1, 10**5))
    assert ball(stick.epsilon) <= improved
    assert ball(stick.epsilon) > improved - arb("1e-3")
    with pytest.raises(NotApplicable, match="needs a Renyi statement"):
        pair.proof.apply("C3", (line,), c3.Witness(F(1), F(1), F(0)))


@pytest.mark.parametrize("digits", [1, 10, 100, 300])
@pytest.mark.parametrize("gap", [F(1, 10**6), F(1, 10), F(1), F(30), F(10**4)])
def test_epsilon_by_c3_is_proved_and_near_the_least(gap, digits):
    order, renyi, allowed = 1 + gap, F(1, 3), F(1, 10**digits)
    plane = optimal_epsilon(order, renyi, allowed)
    epsilon = plane.epsilon
    assert proved(order, renyi, plane) <= ball(allowed)
    assert ball(epsilon) <= improved_epsilon(order, renyi, allowed) * (1 + arb("1e-12"))
    nearer = epsilon * (1 - F(1, 10**6))
    best = optimal_delta(order, renyi, nearer, log_ratios(order, float(renyi), nearer))
    assert epsilon == 0 or best > ball(allowed)


@settings(max_examples=60, deadline=None)
@given(st.floats(-12, 9), st.floats(-300, 8), st.floats(-500, 0))
def test_epsilon_by_c3_at_extreme_parameters(log_gap, log_renyi, log_slack):
    order, renyi = 1 + F(10**log_gap), F(10**log_renyi)
    with precision(192):
        allowed = fraction((ball(F(log_slack)) * arb(10).log()).exp().mid())
        plane = optimal_epsilon(order, renyi, allowed)
        epsilon = plane.epsilon
        assert epsilon >= 0
        assert proved(order, renyi, plane) <= ball(allowed)
        limit = improved_epsilon(order, renyi, allowed)
        assert ball(epsilon) <= limit * (1 + arb("1e-9")) + arb("1e-300")


def test_an_infinite_bound_gives_delta_one_and_no_epsilon():
    hint = F(2), F(0)
    assert optimal_delta(F(2), arb("inf"), F(1), hint) == 1
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        optimal_epsilon(F(2), arb("inf"), F(1, 10))
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        conversions(lambda order: arb("inf"), F(1, 10))


def test_no_divergence_gives_nothing():
    assert optimal_epsilon(F(2), F(0), F(1, 10**300)).epsilon == 0
    assert conversions(lambda order: arb(0), F(1, 10**9))[2].epsilon == 0


nan, half = float("nan"), F(1, 2)
REFUSED = {
    "C1, nan in the curve": lambda: mironov_epsilon(2, nan, half),
    "C2, nan in the curve": lambda: improved_epsilon(2, nan, half),
    "C3, nan in the curve": lambda: optimal_epsilon(F(2), arb("nan"), half),
    "C2, infinite order": lambda: improved_epsilon(float("inf"), 1, half),
    "C2, order 1": lambda: improved_epsilon(1, 1, half),
    "C2, negative bound": lambda: improved_epsilon(2, F(-1), half),
    "C2, delta nan": lambda: improved_epsilon(2, 1, nan),
    "C2, delta 2": lambda: improved_epsilon(2, 1, 2),
    "C2, delta 0": lambda: improved_epsilon(2, 1, 0),
    "C1, delta 2": lambda: mironov_epsilon(2, 1, 2),
    "C3, delta 2": lambda: optimal_epsilon(F(2), F(1), F(2)),
    "C3, hint upside down": lambda: optimal_delta(F(2), F(1), F(1), (F(0), F(1))),
    "C5, mu nan": lambda: gaussian_delta(arb("nan"), F(1)),
    "C5, mu negative": lambda: gaussian_delta(F(-1), F(1)),
    "C5, epsilon nan": lambda: gaussian_delta(F(1), arb("nan")),
    "range, mu nan": lambda: epsilon_range(arb("nan"), half),
    "range, delta nan": lambda: epsilon_range(arb(1), nan),
    "range, delta 2": lambda: epsilon_range(arb(1), F(2)),
    "range, delta 0": lambda: epsilon_range(arb(1), F(0)),
    "curve, delta nan": lambda: conversions(lambda order: arb(1), nan),
    "curve of nan": lambda: conversions(lambda order: arb("nan"), half),
    "slack, delta 2": lambda: gaussian_slack(F(1), F(2)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_an_error_of_one_line(case):
    with pytest.raises((ValueError, Refusal), match=r"\A[^\n]+\Z"):
        REFUSED[case]()


@pytest.mark.parametrize(
    ("mu", "allowed", "digits"),
    [
        (F(1), F(1, 10**5), "4.377178"),
        (F(10**10), F(1, 10**5), "5.00000000426e19"),
        (F(1), F(1, 10**300), "37.4488479121391"),
        (F(28), F(1, 10**5), None),
        (F(1, 10**5), F(1, 10**5), "0"),
        (F(1, 10), F(1, 10), "0"),
        (F(1), F(9, 10), "0"),
    ],
)
def test_what_accountants_get_wrong_at_a_delta(mu, allowed, digits):
    """Inputs at which released accountants return 0, a negative number, too little or an error."""
    low, high = epsilon_range(ball(mu), allowed)
    assert at_most(mu, high, allowed)
    assert low == 0 or at_least(mu, low, allowed)
    if digits is not None:
        places = len(digits.replace(".", "").split("e")[0])
        assert mpmath.nstr(number(high), places) == mpmath.nstr(mpmath.mpf(digits), places)
    assert all(end.epsilon >= high for end in gaussian_slack(mu, allowed).ends)


@pytest.mark.parametrize(("mu", "epsilon", "digits"), [(1, 50, "1.3723529e-536"), (30, 710, None)])
def test_what_accountants_get_wrong_at_an_epsilon(mu, epsilon, digits):
    value = gaussian_delta(F(mu), F(epsilon))
    exact = exact_delta(F(mu), F(epsilon))
    assert value.overlaps(reference(exact))
    assert digits is None or mpmath.nstr(exact, 8) == mpmath.nstr(mpmath.mpf(digits), 8)
    order = F(epsilon, mu**2) + half
    best = optimal_delta(
        order, order * mu**2 / 2, F(epsilon), log_ratios(order, float(order * mu**2 / 2), F(epsilon))
    )
    assert best >= reference(exact)
    assert best <= 200 * reference(exact)


def test_real_orders_undercut_a_grid():
    """1000 Gaussian steps at noise 4: 67.424 by C2 on a usual grid of orders; 64.1688 is the truth."""
    allowed = F(1, 10**5)
    low, high = epsilon_range(ball(1000).sqrt() / 4, allowed)
    assert low <= F("64.1688103812740") + F(1, 10**13)
    assert high >= F("64.1688103812740") - F(1, 10**13)
    assert high - low < F(1, 10**12)
    _, second, third = conversions(lambda order: ball(order * 1000 / 32), allowed)
    assert high < third.epsilon < second.epsilon + F(1, 10**12) < F("67.4225")
