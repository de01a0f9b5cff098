"""Models against an exact law: each check sees its own fault, and honest models pass."""

from fractions import Fraction as F

import numpy as np
import pytest
from scipy.stats import binom, chi2, kstest, norm, t
from shadow_runs import ridge_run

from certaudit.audit.conformance.checks import (
    coordinates,
    covariance,
    dependence,
    directed,
    scale_words,
)
from certaudit.audit.conformance.models import conform
from certaudit.audit.conformance.result import Check
from certaudit.audit.conformance.whitening import IllConditioned, whiten
from certaudit.audit.shadows.train import train
from certaudit.run import Phase, Request
from certaudit.search.evidence import Evidence

D = 5
LEVEL = 1e-3


def a_law(seed=0):
    """Two Gaussian laws in D dimensions, correlated and of unequal scales."""
    rng = np.random.default_rng((99, seed))
    parts = []
    for _ in "PQ":
        root = rng.normal(size=(D, D)) + 2 * np.eye(D)
        parts += [rng.normal(size=D), root @ root.T * 10.0 ** rng.integers(-4, 3)]
    return tuple(parts)


LAW = a_law()


def normals(seed, m=200):
    return {
        w: np.random.default_rng([*np.atleast_1d(seed), k]).normal(size=(m, D))
        for k, w in enumerate("PQ")
    }


def models(z, law=LAW):
    """Models whose whitened numbers are z."""
    placed = {}
    for world, (mean, spread) in (("P", law[:2]), ("Q", law[2:])):
        placed[world] = mean + z[world] @ np.linalg.cholesky(spread).T
    return placed


def failed(z):
    return {(c.name, c.where) for c in conform(models(z), LAW, LEVEL).failures}


def test_whitening_gives_back_the_numbers():
    z = normals(1)["P"]
    white = whiten(models({"P": z, "Q": z})["P"], *LAW[:2])
    assert np.allclose(white.numbers, z, atol=1e-9)
    root = np.sqrt(np.diag(LAW[1]))
    assert white.condition == pytest.approx(np.linalg.cond(LAW[1] / np.outer(root, root)))


@pytest.mark.parametrize(
    ("covariance", "text"),
    [
        (np.diag([1.0, 0.0]), "without noise"),
        (np.array([[1.0, 1.0], [1.0, 1.0]]), "rounding would show"),
        (np.diag([1.0, np.inf]), "left the floats"),
    ],
)
def test_laws_that_floats_cannot_whiten(covariance, text):
    with pytest.raises(IllConditioned, match=text):
        whiten(np.zeros((3, 2)), np.zeros(2), covariance)


def test_a_law_far_out_for_its_noise_cannot_be_used():
    """Numbers of 1e14 standard deviations have lost the digits that the tests look at."""
    with pytest.raises(IllConditioned, match="rounding would show"):
        whiten(np.zeros((3, 2)), np.full(2, 1e14), np.eye(2))


@pytest.mark.parametrize("far", [1e14, 1e200, 1.7e308])
def test_models_far_out_differ(far):
    """They say nothing against the law; an overflow must not turn into a pass."""
    z = models(normals(20))
    z["P"][3] = far
    assert ("noise scale", "both worlds") in {(c.name, c.where) for c in conform(z, LAW, LEVEL).failures}
    z["P"][:] = far
    report = conform(z, LAW, LEVEL)
    assert {"mean", "duplicates"} <= {check.name for check in report.failures}


def test_a_mean_along_the_difference_of_the_worlds_is_tested_in_that_direction():
    """Each world moved by 0.3 of its standard deviations, away from the other."""
    z = models(normals(21, 400))
    gap = LAW[0] - LAW[2]
    for world, (_, spread), sign in (("P", LAW[:2], 1), ("Q", LAW[2:], -1)):
        size = float(np.sqrt(gap @ np.linalg.solve(spread, gap)))
        z[world] = z[world] + sign * 0.3 * gap / size
    report = conform(z, LAW, LEVEL)
    found = {c.where: c for c in report.checks if c.name == "directed mean"}
    for world in "PQ":
        check = found[f"world {world}"]
        assert check.failed
        assert check.statistic / 20 == pytest.approx(0.3, abs=0.15)
        assert "away from" in check.meaning


def test_the_directed_mean_is_normal_along_a_fixed_direction():
    z = normals(22)["P"]
    direction = np.array([0.6, 0, -0.8, 0, 0])
    found = directed("P", z, direction)
    expected = z @ direction
    assert found.statistic == pytest.approx(expected.sum() / 200**0.5)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(found.statistic)))


def test_worlds_with_one_mean_have_no_direction():
    law = (LAW[0], LAW[1], LAW[0], LAW[1])
    report = conform(models(normals(23), law), law, LEVEL)
    assert not report.differs
    assert {c.p_value for c in report.checks if c.name == "directed mean"} == {1.0}


def test_a_p_value_that_is_no_number_fails():
    check = Check("mean", "world P", np.nan, np.nan, 0.01, "")
    assert check.failed
    assert not check.passed


def test_honest_models_pass():
    report = conform(models(normals(2)), LAW, LEVEL)
    assert not report.differs
    assert not report.failures
    assert not report.skipped
    assert report.models == 200


def test_the_shares_add_up_to_the_level():
    report = conform(models(normals(3)), LAW, 0.05)
    assert sum(check.threshold for check in report.checks) == pytest.approx(0.05)
    pooled = report.checks[0]
    assert (pooled.name, pooled.where) == ("noise scale", "both worlds")
    assert pooled.threshold == pytest.approx(0.0125)
    assert {c.where for c in report.checks} == {"both worlds", "world P", "world Q"}


def test_failures_come_with_the_smallest_p_value_first():
    z = normals(4)
    z["P"] *= 1.5
    p_values = [check.p_value for check in conform(models(z), LAW, LEVEL).failures]
    assert len(p_values) > 1
    assert p_values == sorted(p_values)


def change(kind, z):
    """One fault in the numbers of world P."""
    p = z["P"]
    m = len(p)
    rng = np.random.default_rng(77)
    if kind == "mean":
        p += 0.35
    elif kind in ("noise scale", "noise scale, too small"):
        p *= 1.2 if kind == "noise scale" else 0.8
    elif kind == "covariance":
        p[:, 0] = 0.6 * p[:, 3] + 0.8 * p[:, 0]
    elif kind == "variance by direction":
        p[:, 2] *= 1.5
    elif kind == "variance by direction, neighbours":
        p[:, 0] = 0.5 * p[:, 1] + 0.75**0.5 * p[:, 0]
    elif kind == "variance by direction, last and first":
        p[:, 0] = 0.5 * p[:, -1] + 0.75**0.5 * p[:, 0]
    elif kind == "all numbers":
        p[:] = rng.choice([-1.0, 1.0], size=p.shape)
    elif kind == "coordinates":
        p[:, 1] = rng.choice([-1.0, 1.0], size=m)
    elif kind == "norms":
        p *= (D**0.5 / np.linalg.norm(p, axis=1))[:, None]
    elif kind == "consecutive models":
        p[1::2] = 0.5 * p[::2] + 0.75**0.5 * p[1::2]
    elif kind == "consecutive models, from the second":
        p[2::2] = 0.5 * p[1:-1:2] + 0.75**0.5 * p[2::2]
    elif kind == "duplicates":
        p[-1] = p[0]


KINDS = (
    "mean",
    "noise scale",
    "noise scale, too small",
    "covariance",
    "variance by direction",
    "variance by direction, neighbours",
    "variance by direction, last and first",
    "all numbers",
    "coordinates",
    "norms",
    "consecutive models",
    "consecutive models, from the second",
    "duplicates",
)


@pytest.mark.parametrize("world", "PQ")
@pytest.mark.parametrize("kind", KINDS)
def test_each_check_sees_its_fault_in_its_world(kind, world):
    z = normals(5)
    change(kind, {"P": z[world]})
    other = "world Q" if world == "P" else "world P"
    names = failed(z)
    assert (kind.split(",")[0], f"world {world}") in names
    assert not [where for _, where in names if where == other]


def test_a_seed_used_in_both_worlds():
    z = normals(6, 20)
    z["Q"] = z["P"].copy()
    assert failed(z) == {("between worlds", "both worlds")}


def test_worlds_of_unequal_size_are_compared_model_by_model():
    z = normals(7)
    z["Q"] = np.concatenate([z["P"], normals(8)["Q"]])
    assert ("between worlds", "both worlds") in failed(z)
    assert conform(models(z), LAW, LEVEL).models == 200


def test_a_scale_that_is_a_little_off_in_both_worlds_is_seen_by_pooling():
    z = {world: 1.085 * numbers for world, numbers in normals(9, 300).items()}
    assert ("noise scale", "both worlds") in failed(z)


def test_a_mean_off_does_not_count_as_noise():
    z = normals(10)
    z["P"] += 3
    names = {name for name, where in failed(z)}
    assert "mean" in names
    assert not names & {"noise scale", "variance by direction", "covariance"}


@pytest.mark.parametrize("d", [2, 3, 5])
def test_the_p_value_of_the_worst_direction(d):
    """By scipy's chi-square with m - 1 degrees, over coordinates and sums and differences of neighbours
    in a ring; two coordinates are neighbours once."""
    m = 4
    z = np.random.default_rng((17, d)).normal(size=(m, d))
    z[:, 0] *= 3
    ring = [(i, (i + 1) % d) for i in range(d if d > 2 else 1)]
    directions = list(z.T) + [(z[:, i] + s * z[:, j]) / 2**0.5 for i, j in ring for s in (1, -1)]
    law = chi2(m - 1)
    tails = []
    for numbers in directions:
        total = (m - 1) * numbers.var(ddof=1)
        tails.append(2 * min(law.sf(total), law.cdf(total)))
    (found,) = [one for one in covariance("P", z) if one.name == "variance by direction"]
    assert found.p_value == pytest.approx(min(1.0, len(tails) * min(tails)))


def test_laws_of_the_numbers_by_scipy():
    """All together, the worst coordinate of D, and the squared norms."""
    z = np.random.default_rng(19).normal(size=(30, D)) + 0.2
    expected = {
        "all numbers": kstest(z.ravel(), norm.cdf, method="exact").pvalue,
        "coordinates": D * min(kstest(z[:, k], norm.cdf, method="exact").pvalue for k in range(D)),
        "norms": kstest((z**2).sum(axis=1), chi2(D).cdf, method="exact").pvalue,
    }
    for found in coordinates("P", z):
        assert found.p_value == pytest.approx(min(1.0, expected.pop(found.name)), rel=1e-6)
    assert not expected


def test_dependence_pays_for_both_pairings():
    """Pairs from the first model on, and from the second on."""
    z = np.random.default_rng(18).normal(size=(6, D))
    p_values = []
    for k in (0, 1):
        x, y = z[k:5:2].ravel(), z[k + 1 :: 2].ravel()
        r = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
        p_values.append(2 * t.sf(abs(r) * np.sqrt((x.size - 1) / (1 - r**2)), x.size - 1))
    found = next(dependence("P", z))
    assert found.name == "consecutive models"
    assert found.p_value == pytest.approx(min(1.0, 2 * min(p_values)))


@pytest.mark.parametrize("m", [2, 3, D])
def test_fewer_models_than_parameters(m):
    """No covariance test then; a gross fault still shows."""
    names = {c.name for c in conform(models(normals(11, m)), LAW, LEVEL).checks}
    assert "covariance" not in names
    z = {world: 100 * numbers for world, numbers in normals(11, m).items()}
    assert ("noise scale", "both worlds") in failed(z)
    assert not failed(normals(12, m))


def test_the_covariance_is_tested_as_soon_as_it_can_be():
    names = {c.name for c in conform(models(normals(13, D + 1)), LAW, LEVEL).checks}
    assert "covariance" in names


def test_one_parameter():
    law = (np.zeros(1), np.eye(1), np.ones(1), 4 * np.eye(1))
    z = {w: n[:, :1] for w, n in normals(14).items()}
    placed = {"P": z["P"], "Q": 1 + 2 * z["Q"]}
    assert not conform(placed, law, LEVEL).differs
    assert conform({"P": z["P"], "Q": 1 + 3 * z["Q"]}, law, LEVEL).differs


def test_what_cannot_be_tested_is_skipped_with_a_reason():
    z = models(normals(15))
    assert "not known" in conform(z, None, LEVEL).skipped
    few = {"P": z["P"][:1], "Q": z["Q"]}
    assert "fewer than two" in conform(few, LAW, LEVEL).skipped
    flat = (LAW[0], 0 * LAW[1], *LAW[2:])
    report = conform(z, flat, LEVEL)
    assert report.skipped.startswith("world P: ")
    assert not report.differs


def test_models_of_another_shape_or_not_finite_are_an_error():
    z = models(normals(16))
    with pytest.raises(ValueError, match=r"world P: models of shape \(200, 4\)"):
        conform({"P": z["P"][:, :4], "Q": z["Q"]}, LAW, LEVEL)
    z["Q"][3, 1] = np.nan
    with pytest.raises(ValueError, match="world Q, model 3"):
        conform(z, LAW, LEVEL)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.0, "no noise"),
        (0.01, "0.01 times"),
        (2.5, "2.5 times"),
        (1.1, "10 % too large"),
        (0.9, "10 % too small"),
    ],
)
def test_what_a_ratio_means(ratio, words):
    assert words in scale_words(ratio)


def with_noise(variance):
    return ridge_run(requests=(Request((7,), Phase(4, F(5, 2), variance)),))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_built_in_trainer_follows_its_law(seed):
    run = with_noise(F(1, 2500))
    trained = {world: train(run, world, 64, seed=seed).final for world in "PQ"}
    assert not conform(trained, Evidence(run).float_law(), LEVEL).differs
    louder = Evidence(with_noise(F(1, 500))).float_law()
    assert conform(trained, louder, LEVEL).differs


def audits(count, level, m):
    """Reports on ``count`` honest audits of m models in each world."""
    return [conform(models(normals((50, m, seed), m)), LAW, level) for seed in range(count)]


def test_false_alarms_of_all_and_of_each_check():
    """300 audits; 24 bounds, one of which fails falsely with probability at most 1e-6 each."""
    reports = audits(300, 0.05, 12)
    assert sum(report.differs for report in reports) <= binom.isf(1e-6, 300, 0.05)
    for checks in zip(*(report.checks for report in reports), strict=True):
        small = sum(check.p_value <= 0.1 for check in checks)
        assert small <= binom.isf(1e-6, 300, 0.1), checks[0].name


@pytest.mark.statistics
@pytest.mark.parametrize("m", [4, 20, 100])
@pytest.mark.parametrize("level", [0.05, 0.5])
def test_false_alarms_over_many_audits(level, m):
    """2000 honest audits each; a bound fails falsely with probability at most 1e-6."""
    count = sum(report.differs for report in audits(2000, level, m))
    print(f"level {level}, {m} models: {count} alarms in 2000")
    assert count <= binom.isf(1e-6, 2000, level)
