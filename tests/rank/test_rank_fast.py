"""The fast tier against rigorous brackets, golden runs and plain numerical integrals."""

import dataclasses
import json
import math
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from certaudit.core.balls import precision
from certaudit.core.proof import BITS
from certaudit.estimates.epsilon import epsilons
from certaudit.estimates.laws import Laws, forgetting
from certaudit.estimates.pairs import whitened
from certaudit.rank import NotRankable, rank
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())
DELTA = F(1, 10**5)


def small(**changes):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(14, 3))
    base = Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True),
        y=rng.uniform(-1, 1, size=14),
        loss="ridge",
        l2=F(1, 20),
        normalizer="fixed",
        learn=Phase(40, F(1), F(1, 100)),
        requests=(Request((0,), Phase(6, F(1), F(1, 100))),),
        start=Start((F(0),) * 3, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 40),
        release="final",
    )
    return dataclasses.replace(base, **changes)


CYCLE = tuple(tuple(range(k, min(k + 4, 14))) for k in range(0, 14, 4))
VARIANTS = {
    "plain": small(),
    "current": small(normalizer="current"),
    "sum": small(normalizer="sum", l2=F(1), learn=Phase(40, F(1, 20), F(1, 100))),
    "cyclic": small(
        learn=Phase(41, F(1, 2), F(1, 100), CYCLE),
        requests=(Request((0,), Phase(6, F(1, 2), F(1, 100), CYCLE)),),
        reference=Reference("unlearn-retrained", 41),
    ),
    "retrained": small(reference=Reference("retrained", 46)),
    "other noise": small(reference=Reference("unlearn-retrained", 40, unlearn_variance=F(1, 80))),
    "output noise": small(output_variance=F(1, 50), start=Start((F(1),) * 3, F(1, 4))),
}


def brackets(run, row, delta):
    with precision(BITS):
        ends = [pair.epsilon(delta) for pair in Evidence(forgetting(run, row)).exact.values()]
    return [(0 if e.low is None else float(e.low.statement.epsilon), float(e.upper)) for e in ends]


@pytest.mark.parametrize("name", VARIANTS)
def test_estimates_lie_in_the_rigorous_brackets(name):
    run = VARIANTS[name]
    ranked = {one.row: one for one in rank(run, DELTA)}
    for row in (0, 5, 13):
        (low, high), (low_back, high_back) = brackets(run, row, DELTA)
        one = ranked[row]
        slack = one.error + 1e-6 * high_back + 1e-12
        assert low - slack <= one.first <= high + slack
        assert low_back - slack <= one.second <= high_back + slack
        assert one.error < 1e-3 * max(one.first, one.second)


@pytest.mark.parametrize("row", GOLDEN["ridge_langevin"][:6])
def test_laws_are_the_golden_ones(row):
    step = F(row["step_size"])
    X = np.array([[float(F(x)) for x in line] for line in row["X"]])
    removed = row["removed_index"]
    run = Run(
        X=X,
        y=np.array([float(F(x)) for x in row["y"]]),
        loss="ridge",
        l2=F(row["ridge"]),
        normalizer=row["normalizer"],
        learn=Phase(row["learn_steps"], step, F(row["learn_noise_std"]) ** 2),
        requests=(
            Request((removed,), Phase(row["unlearn_steps"], step, F(row["unlearn_noise_std"]) ** 2)),
        ),
        start=Start((F(0),) * X.shape[1], F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", row["learn_steps"]),
        release="final",
    )
    laws = Laws(run)
    for world, name in (("P", "unlearned"), ("Q", "reference")):
        mean, covariance = laws(world, [removed])
        assert mean[0] == pytest.approx([float(x) for x in row[f"mean_{name}"]], rel=1e-11, abs=1e-14)
        expected = np.array([[float(x) for x in line] for line in row[f"covariance_{name}"]])
        assert covariance[0] == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_many_points_give_what_each_gives_alone():
    run = VARIANTS["cyclic"]
    laws = Laws(run)
    together = laws("P", list(range(run.n)))
    for row in range(run.n):
        alone = laws("P", [row])
        assert together[0][row] == pytest.approx(alone[0][0], rel=1e-12, abs=1e-15)
        assert together[1][row] == pytest.approx(alone[1][0], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("gap", "variance"), [(0.5, 1.3), (0.02, 1.05), (1.0, 0.6), (0.0, 2.0)])
def test_one_dimension_against_a_plain_integral(gap, variance):
    pairs = whitened(np.array([[gap]]), np.array([[[variance]]]), np.array([[0.0]]), np.array([[[1.0]]]))
    found = epsilons(pairs, 1e-4).epsilon[0]
    x = np.linspace(-30, 30, 1_200_001)
    p = np.exp(-((x - gap) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    q = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    delta = np.maximum(p - math.exp(found) * q, 0).sum() * (x[1] - x[0])
    assert delta == pytest.approx(1e-4, rel=2e-3)


def test_swapping_is_the_other_direction():
    rng = np.random.default_rng(4)
    root = np.eye(3) + 0.2 * rng.normal(size=(3, 3))
    mean, cov = rng.normal(size=(1, 3)), (root @ root.T)[None]
    zero, eye = np.zeros((1, 3)), np.eye(3)[None]
    there = epsilons(whitened(mean, cov, zero, eye).swapped(), 1e-3).epsilon
    back = epsilons(whitened(zero, eye, mean, cov), 1e-3).epsilon
    assert there == pytest.approx(back, rel=1e-8)


def test_rows_without_influence_come_last_with_nothing():
    X = small().X.copy()
    X[3] = 0
    ranked = rank(small(X=X), DELTA)
    assert ranked[-1].row == 3
    assert ranked[-1].estimate == 0
    sizes = [one.size for one in ranked]
    assert sizes == sorted(sizes, reverse=True)


def test_other_losses_are_ranked_by_what_is_proved():
    run = small(loss="logistic", y=np.sign(small().y), X=small().X * np.linspace(0.2, 1, 14)[:, None])
    ranked = rank(run, DELTA)
    assert all(one.first is None and one.proved.upper > 0 for one in ranked)
    assert [one.proved.upper for one in ranked] == sorted(
        (one.proved.upper for one in ranked), reverse=True
    )


def test_runs_that_cannot_be_ranked_say_why():
    two = (Request((0,), Phase(6, F(1), F(1, 100))), Request((1,), Phase(6, F(1), F(1, 100))))
    quiet = small(learn=Phase(5, F(1), F(0)), requests=(Request((0,), Phase(6, F(1), F(0))),))
    for run, delta in ((small(requests=two), DELTA), (small(), F(0)), (quiet, DELTA)):
        with pytest.raises(NotRankable):
            rank(run, delta)
