"""The kernel reproduces every independent reference number to all its digits."""

from fractions import Fraction as F

import pytest
import sympy as sp
from flint import arb
from golden_numbers import GOLDEN, PUBLISHED, agrees, ridge_run

from certaudit.kernel.balls import ball, precision
from certaudit.kernel.conversion import gaussian_delta, improved_epsilon, mironov_epsilon
from certaudit.kernel.hockey_stick import hockey_stick_line
from certaudit.kernel.iteration import pooled_energy
from certaudit.kernel.law import affine_law, given_law
from certaudit.kernel.pair import exact_renyi, whiten
from certaudit.prove import published
from certaudit.prove.orders import best_order, epsilon_range


@pytest.fixture(autouse=True)
def _precise():
    with precision(320):
        yield


@pytest.mark.parametrize("row", GOLDEN["conversions"])
def test_conversions(row):
    order, renyi, delta = F(row["alpha"]), F(row["renyi"]), F(row["delta"])
    assert agrees(mironov_epsilon(order, renyi, delta), row["mironov"])
    assert agrees(improved_epsilon(order, renyi, delta), row["canonne_kamath_steinke"])


@pytest.mark.parametrize("row", GOLDEN["gaussian_dp"])
def test_gaussian_dp(row):
    mu = F(row["mu"])
    if "/" in row["epsilon"]:
        assert agrees(gaussian_delta(mu, F(row["epsilon"])), row["delta"])
        return
    low, high = epsilon_range(ball(mu), F(row["delta"]), bits=100)
    assert gaussian_delta(mu, high) <= ball(F(row["delta"]))
    assert gaussian_delta(mu, low) > ball(F(row["delta"]))
    assert agrees(ball(low), row["epsilon"])
    assert agrees(ball(high), row["epsilon"])


@pytest.mark.parametrize("row", GOLDEN["renyi_curve_optimum"])
@pytest.mark.parametrize(
    ("convert", "key"),
    [(mironov_epsilon, "mironov"), (improved_epsilon, "canonne_kamath_steinke")],
)
def test_best_order_of_a_linear_curve(row, convert, key):
    rho, delta = F(row["rho"]), F(row["delta"])

    def cost(order):
        return convert(order, rho * order, delta)

    assert agrees(cost(best_order(cost)), row[key])


@pytest.mark.parametrize("row", GOLDEN["contractive_iteration"])
def test_contractive_iteration(row):
    energy = pooled_energy(
        [ball(F(x)) for x in row["contraction"]],
        [ball(F(x)) for x in row["sensitivity"]],
        [ball(F(x) ** 2) for x in row["noise_std"]],
        ball(F(row["initial_distance"])),
    )
    assert agrees(energy, row["mu_squared"])


@pytest.mark.parametrize("row", GOLDEN["gaussian_pair_1d"])
def test_gaussian_pair_1d(row):
    law = given_law([F(row["mean_p"])], [[F(row["var_p"])]], [F(row["mean_q"])], [[F(row["var_q"])]])
    stick = hockey_stick_line(whiten(law, "P|Q"), F(row["epsilon"]))
    assert agrees(stick.ball("delta"), row["delta"])


@pytest.mark.parametrize("row", GOLDEN["ridge_langevin"])
def test_ridge_langevin(row):
    law = affine_law(ridge_run(row))
    for world, name in (("P", "unlearned"), ("Q", "reference")):
        mean = law.values[f"mean_{world}"].entries()
        assert all(map(agrees, mean, row[f"mean_{name}"]))
        covariance = law.values[f"covariance_{world}"].entries()
        assert all(map(agrees, covariance, [x for line in row[f"covariance_{name}"] for x in line]))
    for direction, column in (("P|Q", 0), ("Q|P", 1)):
        pair = whiten(law, direction)
        for order, numbers in row["renyi_forward_reverse"].items():
            value = exact_renyi(pair, F(order)).ball("r")
            if numbers[column].startswith("-"):
                # A Rényi divergence is never negative: the reference continued the closed form
                # past the order at which it turns infinite.
                assert value == arb("inf")
            else:
                assert agrees(value, numbers[column])


@pytest.mark.parametrize("row", PUBLISHED["langevin"])
def test_published_langevin_certificates(row):
    strong = F(row["lam"]) * row["n"]
    values = {
        published.m: ball(strong),
        published.eta: ball(1 / (F(row["Lbase"]) + strong)),
        published.K: arb(row["K"]),
        published.S: arb(row["S"]),
        published.M: arb(row["M"]),
        published.s2: ball(F(row["sigma"]) ** 2),
        published.n: arb(row["n"]),
    }
    assert agrees(published.chien_epsilon(values, F(1, row["n"])), row["eps_opt"])
    assert isinstance(published.CHIEN, sp.Eq)
