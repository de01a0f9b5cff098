"""Models of foreign code against certaudit's own: every test sees its fault, honest code passes.

Seeds are fixed; an honest comparison of another seed would differ with probability at most LEVEL each.
"""

import numpy as np
import pytest
from scipy.stats import binom
from shadow_runs import huber_run, logistic_run, softmax_run

from certaudit.audit.conformance import against_own, own
from certaudit.audit.conformance.coordinates import coordinates, standardized
from certaudit.audit.conformance.looks import sequential
from certaudit.audit.shadows.train import train

D, LEVEL = 5, 1e-3
ROOT = np.random.default_rng(3).normal(size=(D, D)) + 2 * np.eye(D)


def first(models):
    """A direction fixed beforehand."""
    return models[:, 0]


def normals(rng, m, d=D):
    return rng.normal(size=(m, d)) @ ROOT.T if d == D else rng.normal(size=(m, d))


def samples(draw, seed, n=100, m=200):
    """Models of the code and of certaudit's own, both worlds, of one law."""
    rng = np.random.default_rng(seed)
    return {w: draw(rng, n) for w in "PQ"}, {w: draw(rng, m) for w in "PQ"}


def failed(code, ours, score=first):
    return {(c.name, c.where) for c in against_own.conform(code, ours, score, LEVEL).failures}


def change(kind, code, rng):
    """One fault of the code in world P."""
    p = code["P"]
    n = len(p)
    if kind == "mean":
        p += 1.0 * ROOT @ np.array([0.5, 0.5, 0.5, -0.5, 0])
    elif kind == "directed mean":
        p[:, 0] += 0.7 * np.linalg.norm(ROOT[0])
    elif kind == "noise scale":
        p *= 1.5
    elif kind == "noise scale, too small":
        p *= 0.6
    elif kind == "variance by direction":
        _, axes = np.linalg.eigh(ROOT @ ROOT.T)
        p += 1.2 * np.outer(p @ axes[:, -1], axes[:, -1])
    elif kind == "covariance":
        z = np.linalg.solve(ROOT, p.T).T
        z[:, 0] = 0.8 * z[:, 3] + 0.6 * z[:, 0]
        p[:] = z @ ROOT.T
    elif kind == "kernel":
        z = np.linalg.solve(ROOT, p.T).T
        p[:] = (z**2 - 1) / 2**0.5 @ ROOT.T
    elif kind == "duplicates":
        p[:] = p[rng.integers(n // 2, size=n)]
    elif kind == "consecutive models":
        p[1::2] = 0.7 * p[::2] + 0.5**0.5 * p[1::2]
    elif kind == "consecutive models, antithetic":
        p[1::2] = -p[::2]


KINDS = (
    "mean",
    "directed mean",
    "noise scale",
    "noise scale, too small",
    "variance by direction",
    "covariance",
    "kernel",
    "duplicates",
    "consecutive models",
    "consecutive models, antithetic",
)


@pytest.mark.parametrize("world", "PQ")
@pytest.mark.parametrize("kind", KINDS)
def test_each_test_sees_its_fault_in_its_world(kind, world):
    code, ours = samples(normals, 1)
    change(kind, {"P": code[world]}, np.random.default_rng(2))
    names = failed(code, ours)
    assert (kind.split(",")[0], f"world {world}") in names
    assert {where for _, where in names} == {f"world {world}"}


def test_a_seed_used_in_both_worlds():
    code, ours = samples(normals, 4)
    code["Q"] = code["P"] + 3
    ours["Q"] = ours["Q"] + 3
    assert failed(code, ours) == {("between worlds", "both worlds")}


def test_the_report_counts_and_shares():
    code, ours = samples(normals, 5)
    report = against_own.conform(code, ours, first, LEVEL)
    assert report.passed
    assert len(report.checks) == against_own.TESTS
    assert len({(c.name, c.where) for c in report.checks}) == against_own.TESTS
    assert sum(c.threshold for c in report.checks) == pytest.approx(LEVEL)
    assert report.models == 100
    assert "100 models of each world against 200" in report.compared
    assert "4 times in 5" in report.sees[0]


def test_the_same_models_give_the_same_report():
    code, ours = samples(normals, 6)
    one, other = (against_own.conform(code, ours, first, LEVEL, seed=3) for _ in range(2))
    assert one == other


def cauchy(rng, m, d=D):
    return rng.standard_cauchy(size=(m, d))


def coarse(rng, m, d=D):
    """Few values: ties and equal models."""
    return rng.integers(2, size=(m, 3)).astype(float)


def partly_constant(rng, m, d=D):
    return np.concatenate([np.full((m, 2), 7.0), rng.normal(size=(m, 2)), np.zeros((m, 1))], axis=1)


def deterministic(rng, m, d=D):
    return np.full((m, 3), np.pi)


def wide(rng, m, d=D):
    """More parameters than models."""
    return rng.normal(size=(m, 400)) * np.geomspace(1e-3, 1e3, 400)


def singular(rng, m, d=D):
    """All on a line, far from 0."""
    return 5 + rng.normal(size=(m, 1)) * np.array([1.0, -2.0, 1e-3])


def mixed(rng, m, d=D):
    """Now and then a model that diverged."""
    return rng.normal(size=(m, 3)) * np.where(rng.random((m, 1)) < 0.05, 1e150, 1.0)


def one(rng, m, d=D):
    return rng.exponential(size=(m, 1))


LAWS = {
    law.__name__: law
    for law in (normals, cauchy, coarse, partly_constant, deterministic, wide, singular, mixed, one)
}


@pytest.mark.parametrize("name", LAWS)
def test_honest_code_passes_whatever_its_law(name):
    code, ours = samples(LAWS[name], 7, 24, 48)
    report = against_own.conform(code, ours, first, LEVEL)
    assert report.passed, report.failures


@pytest.mark.parametrize("name", LAWS)
def test_a_gross_fault_shows_whatever_the_law(name):
    code, ours = samples(LAWS[name], 8, 32, 64)
    code["P"] = code["P"] + np.abs(ours["P"]).max(axis=0) + 1
    assert {name for name, where in failed(code, ours) if where == "world P"}


def test_rounding_of_single_precision_is_no_difference():
    """Of code without noise, and of code with noise."""
    for draw in (deterministic, normals):
        code, ours = samples(draw, 9)
        single = {w: m.astype(np.float32).astype(float) for w, m in code.items()}
        assert not failed(single, ours)


def test_code_without_noise_must_give_the_same_numbers():
    code, ours = samples(deterministic, 10)
    code["Q"][:, 1] += 1e-4
    assert ("mean", "world Q") in failed(code, ours)
    assert not {where for _, where in failed(code, ours)} & {"world P"}


def test_few_models_are_not_called_a_pass():
    code, ours = samples(normals, 11, 3, 6)
    report = against_own.conform(code, ours, first, LEVEL)
    assert report.state == "not checked"
    assert "too few" in report.skipped
    code, ours = samples(normals, 11, 8, 16)
    code["P"] += 1000
    assert ("mean", "world P") in failed(code, ours)


def test_a_level_that_permutations_cannot_reach_is_not_called_a_pass():
    code, ours = samples(normals, 12)
    assert "too long" in against_own.conform(code, ours, first, 1e-9).skipped


def test_numbers_at_the_end_of_the_floats():
    code, ours = samples(normals, 13)
    code["P"][::2] = 1.7e308
    code["P"][1::2] = -1.7e308
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert ("noise scale", "world P") in failed(code, ours)


def test_coordinates_are_blind_to_scale_and_order():
    pooled = np.random.default_rng(14).normal(size=(60, 4))
    at = coordinates(pooled)
    scaled = coordinates(pooled[::-1] * [1e-9, 1, 1e9, 1e200] + [0, 5, 0, 0])
    assert np.allclose(np.abs(at.white), np.abs(scaled.white[::-1]), atol=1e-6)
    assert np.allclose(at.white.T @ at.white / 60, np.eye(4))
    assert np.allclose(coordinates(np.ones((9, 3))).white, np.zeros((9, 0)))
    assert standardized(np.ones((9, 3))).shape == (9, 0)


@pytest.mark.parametrize("of", [logistic_run, softmax_run, huber_run])
def test_code_that_unlearns_nothing_or_returns_random_numbers_differs(of):
    run = of()
    ours, score = own.models(run, 256, 0, "float64"), own.direction(run, 0)
    honest = {w: train(run, w, 128, seed=99).final for w in "PQ"}
    nothing = {w: train(run.after(0), w, 128, seed=99).final for w in "P"} | {"Q": honest["Q"]}
    noise = {w: np.random.default_rng(5).normal(size=honest[w].shape) for w in "PQ"}

    def judged(code):
        return sequential(
            128,
            128,
            0.02,
            lambda look: against_own.conform(
                {w: m[: look.models] for w, m in code.items()},
                {w: m[: 2 * look.models] for w, m in ours.items()},
                score,
                look.level,
            ),
        ).state

    assert judged(honest) == "passed"
    assert judged(nothing) == "differs"
    assert judged(noise) == "differs"


def test_the_direction_is_that_of_the_worlds_means():
    """Shared noise shows it with few models: a thousand independent ones agree."""
    run = logistic_run()
    score = own.direction(run, 0)
    p, q = (train(run, w, 1024, seed=5).final for w in "PQ")
    gap = p.mean(axis=0) - q.mean(axis=0)
    best = np.linalg.solve(np.cov(p.T), gap)
    found = score(np.eye(6)) - score(np.zeros((1, 6)))
    root = np.linalg.cholesky(np.cov(p.T))
    cosine = (root.T @ found) @ (root.T @ best)
    cosine /= np.linalg.norm(root.T @ found) * np.linalg.norm(root.T @ best)
    assert cosine > 0.8


def alarms(draw, count, n, level):
    found = 0
    for seed in range(count):
        code, ours = samples(draw, (50, n, seed), n, 2 * n)
        found += against_own.conform(code, ours, first, level, seed=seed).differs
    return found


@pytest.mark.parametrize("name", ["normals", "cauchy", "coarse"])
def test_false_alarms(name):
    """100 audits at level 0.2; the bound fails falsely with probability at most 1e-6."""
    assert alarms(LAWS[name], 100, 12, 0.2) <= binom.isf(1e-6, 100, 0.2)


@pytest.mark.statistics
@pytest.mark.parametrize("name", LAWS)
def test_false_alarms_over_many_audits(name):
    """2000 honest audits each at level 0.1; a bound fails falsely with probability at most 1e-6."""
    count = alarms(LAWS[name], 2000, 16, 0.1)
    print(f"{name}: {count} alarms in 2000 at level 0.1, at most {binom.isf(1e-6, 2000, 0.1):.0f}")
    assert count <= binom.isf(1e-6, 2000, 0.1)
