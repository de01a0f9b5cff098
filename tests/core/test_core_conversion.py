"""C1, C2 and the search for orders: golden numbers and ranges."""

from fractions import Fraction as F

import pytest
from flint import arb
from law_runs import GOLDEN, agrees

from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.search.conversion import improved_epsilon, mironov_epsilon
from certaudit.search.orders import best_order, better_order, epsilon_range

BOTH_WAYS = [(mironov_epsilon, "mironov"), (improved_epsilon, "canonne_kamath_steinke")]


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


@pytest.mark.parametrize("row", GOLDEN["conversions"])
@pytest.mark.parametrize(("convert", "key"), BOTH_WAYS)
def test_golden_conversions(row, convert, key):
    assert agrees(convert(F(row["alpha"]), F(row["renyi"]), F(row["delta"])), row[key])


@pytest.mark.parametrize("row", GOLDEN["renyi_curve_optimum"][:2])
@pytest.mark.parametrize(("convert", "key"), BOTH_WAYS)
def test_best_order_of_a_linear_curve(row, convert, key):
    rho, delta = F(row["rho"]), F(row["delta"])

    def cost(order):
        return convert(order, rho * order, delta)

    assert agrees(cost(best_order(cost)), row[key])
    rough = better_order(lambda order: float(cost(order).mid()), F(2))
    assert float(cost(rough).mid()) == pytest.approx(float(row[key]), rel=1e-7)


@pytest.mark.parametrize("convert", [mironov_epsilon, improved_epsilon])
@pytest.mark.parametrize(
    ("order", "renyi", "delta"),
    [
        (F(1), F(1), F(1, 10)),
        (F(2), F(-1), F(1, 10)),
        (F(2), F(1), F(0)),
        (F(2), F(1), F(11, 10)),
        (arb("nan"), F(1), F(1, 10)),
        (F(2), arb("nan"), F(1, 10)),
        (F(2), F(1), arb("nan")),
        (arb("inf"), F(1), F(1, 10)),
    ],
)
def test_ranges(convert, order, renyi, delta):
    with pytest.raises(ValueError, match=r"order|bound|delta"):
        convert(order, renyi, delta)


@pytest.mark.parametrize("delta", [F(1), F(1, 3), F(1, 10**9), F(1, 10**300)])
@pytest.mark.parametrize("mu", [F(0), F(1, 1000), F(2)])
def test_epsilon_range_brackets(mu, delta):
    low, high = epsilon_range(ball(mu), delta)
    assert gaussian_delta(mu, high) <= ball(delta)
    assert low == 0 or gaussian_delta(mu, low) > ball(delta)
    assert high - low <= F(1, 10**9)


@pytest.mark.parametrize("delta", [F(0), F(-1), F(2)])
def test_epsilon_range_refuses(delta):
    with pytest.raises(ValueError, match="delta"):
        epsilon_range(ball(1), delta)
