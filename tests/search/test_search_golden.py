"""The reference numbers of whole runs and of published certificates, reproduced to all their digits."""

import importlib
from fractions import Fraction as F

import pytest
from flint import arb
from given_laws import given_pair
from golden_numbers import GOLDEN, PUBLISHED, agrees, ridge_run

from certaudit.core.balls import ball, precision
from certaudit.core.rules.c6_1d import Witness
from certaudit.core.term import Formula
from certaudit.search.conversion import improved_epsilon, mironov_epsilon
from certaudit.search.evidence import Evidence
from certaudit.search.orders import best_order, epsilon_range
from certaudit.search.published import chien_2024a, chien_2024b, koloskova_2025, neel_2021
from certaudit.search.published.premises import best_epsilon


@pytest.fixture(autouse=True)
def _precise():
    with precision(320):
        yield


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


@pytest.mark.parametrize("row", GOLDEN["gaussian_pair_1d"])
def test_gaussian_pair_1d(row):
    pair = given_pair([F(row["mean_p"])], [[F(row["var_p"])]], [F(row["mean_q"])], [[F(row["var_q"])]])
    line = pair.proof.apply("C6-1d", (pair.law,), Witness("P|Q", F(row["epsilon"])))
    assert agrees(line.statement.delta, row["delta"])


@pytest.mark.parametrize("row", GOLDEN["ridge_langevin"])
def test_ridge_langevin(row):
    evidence = Evidence(ridge_run(row))
    law = evidence.law.statement
    for mean, covariance, name in (
        (law.mean_p, law.covariance_p, "unlearned"),
        (law.mean_q, law.covariance_q, "reference"),
    ):
        assert all(map(agrees, mean, row[f"mean_{name}"]))
        for line, digits in zip(covariance, row[f"covariance_{name}"], strict=True):
            assert all(map(agrees, line, digits))
    for direction, column in (("P|Q", 0), ("Q|P", 1)):
        for order, numbers in row["renyi_forward_reverse"].items():
            value = evidence.exact[direction].renyi(F(order)).statement.r
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
    assert isinstance(theorem.RHO, Formula)
