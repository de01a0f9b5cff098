"""P-values against scipy's distributions and against simulation.

Simulations fix their seeds; with others, one of their assertions would fail with probability below 1e-6.
"""

import numpy as np
import pytest
from scipy import stats

from certaudit.audit.conformance import nulls


@pytest.mark.parametrize("freedom", [1, 4, 60])
@pytest.mark.parametrize("quantile", [1e-8, 0.02, 0.5, 0.9, 1 - 1e-8])
def test_chi_square_tails(freedom, quantile):
    law = stats.chi2(freedom)
    value = law.ppf(quantile)
    assert nulls.chi_square(value, freedom) == pytest.approx(law.sf(value), rel=1e-9)
    both = 2 * min(law.sf(value), law.cdf(value))
    assert nulls.chi_square_both(value, freedom) == pytest.approx(both, rel=1e-9)


def test_the_least_p_value_pays_for_all():
    assert nulls.smallest(np.array([0.3, 0.01, 0.5])) == pytest.approx(0.03)
    assert nulls.smallest(np.array([0.6, 0.9])) == 1.0


def test_kolmogorov_smirnov_agrees_with_scipy():
    uniforms = np.random.default_rng(1).uniform(size=(37, 5)) ** 1.3
    distance, p = nulls.kolmogorov(uniforms)
    for k in range(5):
        expected = stats.kstest(uniforms[:, k], "uniform", method="exact")
        assert distance[k] == pytest.approx(expected.statistic)
        assert p[k] == pytest.approx(expected.pvalue, rel=1e-6)


@pytest.mark.parametrize("value", [0.1, 1.0, 3.5, 6.0])
def test_the_largest_of_many_normals(value):
    """Two-sided: a largest number that is too small is as strange as one that is too large."""
    n = 50
    z = np.zeros(n)
    z[17] = -value
    below = (stats.norm.cdf(value) - stats.norm.cdf(-value)) ** n
    above = -np.expm1(n * np.log1p(-2 * stats.norm.sf(value)))
    got, p = nulls.largest(z)
    assert got == value
    assert p == pytest.approx(min(1.0, 2 * min(below, above)), rel=1e-9)


def test_the_correlation_is_student_t_whatever_the_first_array():
    """With b normal, the p-value is that of Student's t with N - 1 degrees."""
    rng = np.random.default_rng(2)
    a, b = rng.uniform(3, 4, size=30), rng.normal(size=30)
    r, p = nulls.correlation(a, b)
    assert r == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    t = r * np.sqrt(29 / (1 - r**2))
    assert p == pytest.approx(2 * stats.t.sf(abs(t), 29))
    values = [nulls.correlation(a, rng.normal(size=30))[1] for _ in range(3000)]
    assert stats.kstest(values, "uniform").pvalue > 1e-6


def test_correlation_of_the_same_and_of_nothing():
    x = np.random.default_rng(3).normal(size=(5, 4))
    assert nulls.correlation(x, x)[1] < 1e-100
    assert nulls.correlation(x, -x)[1] < 1e-100
    assert nulls.correlation(0 * x, x) == (0.0, 1.0)


@pytest.mark.parametrize(("d", "freedom"), [(1, 5), (3, 8), (4, 40)])
def test_the_likelihood_ratio_has_the_law_that_is_drawn(d, freedom):
    """Scatter matrices of simulated normals, and Bartlett's draws: the same law."""
    rng = np.random.default_rng((4, d, freedom))
    values = []
    for _ in range(1500):
        z = rng.normal(size=(freedom, d))
        values.append(nulls.likelihood_ratio(z.T @ z, freedom))
    drawn = nulls._likelihood_ratio_null(d, freedom)
    assert stats.ks_2samp(values, drawn).pvalue > 1e-6


def test_the_likelihood_ratio_by_densities():
    rng = np.random.default_rng(5)
    scatter = np.diag([7.0, 21.0, 12.0]) + 1.5
    freedom = 12
    estimate = scatter / freedom
    zeros = np.zeros(3)
    # Any sample with that scatter, about a known mean, gives the same difference of log-likelihoods.
    z = rng.normal(size=(freedom, 3))
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z)).T @ np.linalg.cholesky(scatter).T
    fitted = stats.multivariate_normal(zeros, estimate).logpdf(z).sum()
    null = stats.multivariate_normal(zeros, np.eye(3)).logpdf(z).sum()
    assert nulls.likelihood_ratio(scatter, freedom) == pytest.approx(2 * (fitted - null))


def test_a_singular_scatter_is_never_the_identity():
    assert nulls.likelihood_ratio(np.diag([5.0, 0.0]), 6) == float("inf")
    assert nulls.likelihood_ratio_p(float("inf"), 2, 6) == pytest.approx(1 / (1 + nulls.DRAWS))


def test_the_monte_carlo_p_value_counts_draws_at_least_as_large():
    drawn = nulls._likelihood_ratio_null(2, 9)
    assert nulls.likelihood_ratio_p(drawn[-1], 2, 9) == pytest.approx(2 / (1 + nulls.DRAWS))
    assert nulls.likelihood_ratio_p(0.0, 2, 9) == 1.0
