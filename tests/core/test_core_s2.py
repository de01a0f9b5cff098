"""S2 is tested beside S1 (test_core_s1), which shares its premises; here what is its own."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from step_runs import small
from test_core_s1 import apply

from certaudit.core.balls import precision
from certaudit.run import Clip, Request


@pytest.fixture(autouse=True)
def bits():
    with precision(128):
        yield


def test_only_the_rows_that_matter_count():
    run = small()
    larger = run.X.copy()
    larger[0] *= 1000
    other = replace(run, X=larger)
    mine, same = (apply(one, "S2").statement.shifts[0][1] for one in (other, run))
    assert abs(mine - same) < arb("1e-30")


def test_a_zero_row_shifts_nothing_but_the_weights_of_the_others():
    emptied = small().X.copy()
    emptied[[1, 4]] = 0.0
    run = small(X=emptied)
    assert apply(run, "S2").statement.shifts[0][1].is_zero()
    assert apply(replace(run, normalizer="current"), "S2").statement.shifts[0][1] > 0


def test_all_rows_removed():
    run = small(requests=(Request(tuple(range(7)), small().learn),), normalizer="current")
    shift = apply(run, "S2").statement.shifts[0][1]
    expected = sum(np.linalg.norm(x) for x in run.X) / 14
    assert abs(float(shift) / expected - 1) < 1e-12


def test_the_least_of_clip_and_slope():
    run = small()
    sizes = [np.linalg.norm(run.X[j]) for j in (1, 4)]
    low, high = sorted(sizes)
    clip = F((low + high) / 2)
    shift = apply(replace(run, clip=Clip(clip, False)), "S2").statement.shifts[0][1]
    assert abs(shift - (arb(low) + arb(float(clip))) / 14) < arb("1e-15")
