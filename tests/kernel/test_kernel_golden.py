"""The kernel reproduces every independent reference number to all its digits."""

import importlib
from fractions import Fraction as F

import pytest
import sympy as sp
from flint import arb
from golden_numbers import GOLDEN, PUBLISHED, agrees, ridge_run

from certaudit.kernel.balls import ball, precision
from certaudit.kernel.conversion import gaussian_delta, improved_epsilon, mironov_epsilon
from certaudit.kernel.hockey_stick import hockey_stick_line
from certaudit.kernel.iteration import Block, pooled_energy
from certaudit.kernel.law import affine_law, given_law
from certaudit.kernel.pair import exact_renyi, whiten
from certaudit.prove.orders import best_order, epsilon_range
from certaudit.prove.published import chien_2024a, chien_2024b, koloskova_2025, neel_2021
from certaudit.prove.published.premises import best_epsilon


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
    steps = zip(row["contraction"], row["sensitivity"], row["noise_std"], strict=True)
    blocks = [Block(1, ball(F(c)), ball(F(s)), ball(F(sigma) ** 2)) for c, s, sigma in steps]
    energy = pooled_energy(blocks, ball(F(row["initial_distance"])))
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


def langevin_values(row, sigma):
    strong = F(row.get("lam", "1e-6")) * row["n"]
    theorem = importlib.import_module(chien_2024a.__module__)
    return theorem, {
        theorem.m: ball(strong),
        theorem.eta: ball(1 / (F(row["Lbase"]) + strong)),
        theorem.K: arb(row["K"]),
        theorem.S: arb(row["S"]),
        theorem.M: arb(row["M"]),
        theorem.s2: ball(F(sigma) ** 2),
        theorem.n: arb(row["n"]),
    }


@pytest.mark.parametrize("row", PUBLISHED["langevin"])
def test_published_langevin_certificates(row):
    theorem, values = langevin_values(row, row["sigma"])

    def renyi(order):
        return theorem.renyi(ball(order), values)

    assert agrees(best_epsilon(renyi, F(1, row["n"])), row["eps_opt"])
    at_ten = mironov_epsilon(F(10), renyi(F(10)), F(1, row["n"]))
    assert agrees(at_ten, row["eps_at_alpha10"])


@pytest.mark.parametrize("row", PUBLISHED["sgd"])
def test_published_noisy_sgd_certificates(row):
    """Their constants: lambda 1e-6 n, L = 1/4 + m, eta = 1/L, M = 1; b = 0 is the full batch."""
    theorem = importlib.import_module(chien_2024b.__module__)
    size = row["b"] or row["n"]
    epoch = row["n"] // size
    strong = F(row["n"], 10**6)
    step = 1 / (F(1, 4) + strong)
    rate = 1 - ball(step * strong)
    values = {
        theorem.eta: ball(step),
        theorem.M: arb(1),
        theorem.b: arb(size),
        theorem.c: rate,
        theorem.c_epoch: rate**epoch,
        theorem.s2: ball(F(row["sigma"]) ** 2),
        theorem.c_unlearn: rate ** (epoch * row["K"]),
    }
    values[theorem.Z] = theorem.distance(values)
    assert agrees(values[theorem.Z], row["Z_B"])
    assert agrees(theorem.renyi(arb(1), values), row["D_over_alpha"])
    epsilon = best_epsilon(lambda order: theorem.renyi(ball(order), values), F(1, row["n"]))
    assert agrees(epsilon, row["eps_opt"])


@pytest.mark.parametrize("row", PUBLISHED["d2d"])
def test_published_descent_to_delete_noise(row):
    theorem = importlib.import_module(neel_2021.__module__)
    strong = F(row["n"], 10**6)
    smooth = F(row["L"]) + strong
    rate = ball((smooth - strong) / (smooth + strong))
    values = {
        theorem.M: arb(row["M"]),
        theorem.m: ball(strong),
        theorem.n: arb(row["n"]),
        theorem.g_I: rate ** row["I"],
        theorem.delta: ball(F(1, row["n"])),
        theorem.eps: ball(F(row["eps"])),
    }
    sigma = theorem.noise(values)
    assert agrees(sigma, row["sigma"])
    back = theorem.epsilon({**values, theorem.sigma: sigma})
    assert abs(back - ball(F(row["eps"]))) < arb("1e-60")


def test_clipped_fine_tuning_is_gaussian_dp_with_twice_rho():
    """Koloskova et al.: D_alpha <= alpha rho is what mu-GDP with mu^2 = 2 rho has; exact conversion."""
    low, high = epsilon_range(ball(2).sqrt().mid(), F(1, 10**5))
    reference = F(PUBLISHED["koloskova"]["gdp exact lam>0"])
    assert abs(low - reference) < F(1, 10**10)
    assert abs(high - reference) < F(1, 10**10)
    theorem = importlib.import_module(koloskova_2025.__module__)
    assert isinstance(theorem.RHO, sp.Eq)
