"""Nearer to retrained or to original, and beyond: what each case says, and how often it is wrong.

A bound of alarms fails falsely with probability at most 1e-6.
"""

import numpy as np
import pytest
from scipy.stats import binom
from shadow_runs import logistic_run

from certaudit.audit.shadows.train import train
from certaudit.audit.statistics.relative import LEAST, relative

LEVEL = 0.05
AWAY = np.array([1.5, 0, 0, 0])


def models(rng, m, middle):
    return rng.normal(size=(m, 4)) + np.asarray(middle)


def compare(seed, unlearned, m=512, level=LEVEL, draw=models):
    """The original lies at 0, the retrained model at AWAY."""
    rng = np.random.default_rng((61, seed))
    return relative(draw(rng, m, unlearned), draw(rng, m, 0 * AWAY), draw(rng, m, AWAY), level)


@pytest.mark.parametrize(
    ("where", "nearer", "beyond"),
    [(AWAY, "retrained", False), (0 * AWAY, "original", False), (2 * AWAY, "retrained", True)],
)
def test_what_is_said(where, nearer, beyond):
    for seed in range(3):
        found = compare(seed, where)
        assert found.nearer == nearer
        assert found.over_forgets == beyond


def test_half_way_nothing_is_said():
    assert not [k for k in range(5) if compare(k, AWAY / 2).nearer]


def test_gone_astray_is_beyond():
    """Moved in a direction that has nothing to do with either."""
    assert compare(0, AWAY + np.array([0, 3, 3, 3])).over_forgets


def test_a_real_run_and_one_that_unlearns_nothing():
    run = logistic_run()
    original = train(run.after(0), "P", 512).final
    honest, retrained = (train(run, world, 1024).final[512:] for world in "PQ")
    nothing = train(run.after(0), "P", 1024).final[512:]
    assert relative(honest, original, retrained, LEVEL).nearer == "retrained"
    assert relative(nothing, original, retrained, LEVEL).nearer == "original"


def test_what_cannot_be_asked():
    few = np.zeros((LEAST - 1, 4))
    found = relative(few, few, few, LEVEL)
    assert found.skipped
    assert not found.nearer
    assert not found.over_forgets
    assert "one size" in relative(np.zeros((99, 3)), np.zeros((99, 4)), np.zeros((99, 4)), 0.1).skipped


@pytest.mark.parametrize("far", [1e300, 1.7e308])
def test_models_far_out_and_models_without_noise(far):
    rng = np.random.default_rng(7)
    o, r = (models(rng, 200, middle) for middle in (0, 1.5))
    assert relative(np.full((200, 4), far), o, r, LEVEL).nearer != "original"
    same = np.ones((200, 4))
    assert not relative(same, same, same, LEVEL).nearer
    assert relative(same, 0 * same, same, LEVEL).nearer == "retrained"


def alarms(count, m, level, draw):
    """Audits in which a question whose answer is no is said yes to: U is as far from O as from R (they
    have one law), and no farther from O than R is."""
    wrong = 0
    for k in range(count):
        rng = np.random.default_rng((62, m, k))
        u, o, r = (draw(rng, m, 0) for _ in range(3))
        found = relative(u, o, r, level)
        wrong += bool(found.nearer) or found.over_forgets
    return wrong


def cauchy(rng, m, middle):
    return rng.standard_cauchy(size=(m, 4)) + middle


def test_false_answers():
    assert alarms(100, 1000, 0.3, models) <= binom.isf(1e-6, 100, 0.3)


@pytest.mark.statistics
@pytest.mark.parametrize("draw", [models, cauchy])
def test_false_answers_over_many_audits(draw):
    count = alarms(2000, 1000, 0.3, draw)
    print(f"{draw.__name__}: {count} false answers in 2000 at level 0.3")
    assert count <= binom.isf(1e-6, 2000, 0.3)
