"""Permutation p-values against full enumeration, and their level where draws stop early.

Seeds are fixed; an assertion would fail under another with probability below 1e-6.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from certaudit.audit.conformance.permutation import orders, p_values, subsets


def test_subsets_are_of_the_size_asked_for_and_all_alike():
    rng = np.random.default_rng(0)
    masks = subsets(rng, 20_000, 2, 5)
    assert (masks.sum(axis=1) == 2).all()
    counts = [int(masks[:, list(pair)].all(axis=1).sum()) for pair in combinations(range(5), 2)]
    assert max(counts) <= binom.isf(1e-8, 20_000, 0.1)
    assert min(counts) >= binom.isf(1 - 1e-8, 20_000, 0.1)


def test_orders_are_orders_and_all_alike():
    found = orders(np.random.default_rng(0), 12_000, 3)
    assert (np.sort(found, axis=1) == np.arange(3)).all()
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 6
    assert max(counts) <= binom.isf(1e-8, 12_000, 1 / 6)


def test_the_p_value_is_the_share_of_relabellings():
    x = np.array([3.0, 2.5, 1.0, 0.0, -1.0, -0.5, 0.2, 0.7])
    sums = np.array([x[list(c)].sum() for c in combinations(range(8), 3)])
    observed = x[:3].sum()
    exact = (sums >= observed - 1e-12).mean()
    draw = lambda rng, b: (subsets(rng, b, 3, 8) @ x)[:, None]
    found = [
        p_values(np.array([observed]), draw, 0.001, 8, np.random.default_rng(k))[0] for k in range(50)
    ]
    assert np.mean(found) == pytest.approx(exact, rel=0.25)


def test_a_statistic_that_nothing_reaches_gets_the_least_p_value():
    (p,) = p_values(
        np.array([10.0]), lambda rng, b: rng.normal(size=(b, 1)), 0.01, 1, np.random.default_rng(0)
    )
    assert p == 1 / 401
    assert p <= 0.01


def test_ties_count_and_rounding_does_not_undo_them():
    (p,) = p_values(
        np.array([1.0 + 1e-12]), lambda rng, b: np.ones((b, 1)), 0.01, 1, np.random.default_rng(0)
    )
    assert p == 1.0


def test_draws_stop_once_they_have_told_enough():
    made = []

    def draw(rng, b):
        made.append(b)
        return rng.random((b, 1))

    (p,) = p_values(np.array([0.5]), draw, 1e-5, 1, np.random.default_rng(0))
    assert sum(made) <= 64
    assert p == pytest.approx(0.5, abs=0.4)


@pytest.mark.parametrize("size", [1, 1 << 22])
def test_the_p_value_is_at_most_p_with_probability_at_most_p(size):
    """Statistics from the law of the draws: 4000 p-values, block by block or draw by draw."""
    rng = np.random.default_rng(2)
    count = 4000 if size == 1 else 400
    observed = rng.normal(size=count)
    found = np.array(
        [
            p_values(np.array([x]), lambda rng, b: rng.normal(size=(b, 1)), 0.01, size, rng)[0]
            for x in observed
        ]
    )
    for p in (0.01, 0.05, 0.2, 0.5):
        hits = int((found <= p).sum())
        assert hits <= binom.isf(1e-8, count, p)
        assert hits >= binom.isf(1 - 1e-8, count, 0.6 * p)
