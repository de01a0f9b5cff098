"""S1-drift against the steps themselves."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from step_runs import moved, small
from test_core_s1 import CASES, SETTINGS, apply

from certaudit.core import schedule
from certaudit.core.balls import ball, precision
from certaudit.core.rule import NotApplicable
from certaudit.run import Clip, Reference


@pytest.fixture(autouse=True)
def bits():
    with precision(128):
        yield


@pytest.mark.parametrize(("loss", "setting", "normalizer"), CASES)
@pytest.mark.parametrize("l2", [F(1, 10), F(9)])
def test_no_two_points_drift_apart_by_more(loss, setting, normalizer, l2):
    run = small(loss, normalizer=normalizer, **{"l2": l2, **SETTINGS[setting]})
    rng = np.random.default_rng(2)
    pairs = schedule.from_start("test", run)
    steps = apply(run, "S1-drift").statement.steps
    for pair, (count, c, s) in zip(pairs, steps, strict=True):
        assert count == pair.count
        assert s > 0
        for scale in (0.0, 0.3, 30.0):
            u, v = rng.normal(size=(2, len(run.start.mean)))
            if run.projection is not None:
                scale = min(scale, float(run.projection) / max(map(np.linalg.norm, (u, v))))
            u, v = scale * u, scale * v
            gap = moved(run, u, pair.first, pair.step_size) - moved(run, v, pair.second, pair.step_size)
            bound = float(c) * np.linalg.norm(u - v) + float(s)
            assert np.linalg.norm(gap) <= bound * (1 + 1e-12) + 1e-12


def test_the_numbers_themselves():
    clip = Clip(F(1, 4), False)
    outside = apply(small(clip=clip, l2=F(3), normalizer="sum"), "S1-drift").statement.steps
    assert outside[0] == (4, ball(F(1, 2)), ball(F(1, 2) * (7 + 5) * F(1, 4)))
    assert outside[1] == (3, ball(F(1, 4)), ball(F(1, 4) * (5 + 5) * F(1, 4)))
    inside = apply(small(clip=replace(clip, regularizer=True), l2=F(3)), "S1-drift").statement.steps
    assert [c for _, c, _ in inside] == [1, 1]


@pytest.mark.parametrize(
    "reference",
    [
        Reference("unlearn-retrained", 5),
        Reference("retrained", 4),
        Reference("unlearn-retrained", 4, F(1), F(1)),
    ],
)
def test_worlds_with_other_steps_are_refused(reference):
    with pytest.raises(NotApplicable):
        apply(small(reference=reference), "S1-drift")
