"""S1 against the steps themselves; its premises, each broken once."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from step_runs import LOSSES, moved, small

from certaudit.core import schedule
from certaudit.core.balls import ball, precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, PremiseFailed
from certaudit.core.rules import RULES
from certaudit.losses import LOSSES as FACTS
from certaudit.run import Clip, Network, Phase, Reference, Request, Start

CYCLIC = Phase(6, F(1, 2), F(1, 16), ((0, 1, 2), (1, 4), (3, 5, 6)))
TWICE = (Request((1,), Phase(2, F(1, 4), F(1, 16))), Request((4,), Phase(2, F(1, 4), F(1, 16))))
SETTINGS = {
    "plain": {},
    "cyclic": {"learn": CYCLIC, "reference": Reference("unlearn-retrained", 6)},
    "two requests": {"requests": TWICE},
    "ball": {"projection": F(1, 2)},
    "clip": {"clip": Clip(F(1, 4), False)},
    "clip inside": {"clip": Clip(F(1, 4), True)},
    "almost nobody left": {"requests": (Request((0, 1, 2, 3, 4, 5), Phase(2, F(1, 4), F(1, 16))),)},
}


@pytest.fixture(autouse=True)
def bits():
    with precision(128):
        yield


def apply(run, rule, last=None):
    return Proof(run).apply(rule, (), RULES[rule].witness(last))


def bounded(loss, setting):
    return FACTS[loss].slope_bound is not None or setting in ("ball", "clip", "clip inside")


CASES = [
    (loss, setting, normalizer)
    for loss in LOSSES
    for setting in SETTINGS
    for normalizer in ("fixed", "current", "sum")
    if bounded(loss, setting)
]


@pytest.mark.parametrize(("loss", "setting", "normalizer"), CASES)
def test_no_point_is_moved_apart_by_more(loss, setting, normalizer):
    run = small(loss, normalizer=normalizer, **SETTINGS[setting])
    rng = np.random.default_rng(1)
    parameters, worst = len(run.start.mean), 0.0
    found = {rule: apply(run, rule).statement for rule in ("S1", "S2")}
    pairs = schedule.from_start("test", run)
    assert [count for count, _ in found["S1"].shifts] == [pair.count for pair in pairs]
    for pair, (_, loose), (_, tight) in zip(pairs, found["S1"].shifts, found["S2"].shifts, strict=True):
        assert tight <= loose or (tight - loose).contains(0)
        for scale in (0.0, 0.3, 1.0, 30.0, 1000.0):
            w = rng.normal(size=parameters)
            if run.projection is not None:
                scale = min(scale, float(run.projection) / np.linalg.norm(w))
            w *= scale
            gap = moved(run, w, pair.first, pair.step_size) - moved(run, w, pair.second, pair.step_size)
            assert np.linalg.norm(gap) <= float(tight) + 1e-12 * (1 + np.linalg.norm(w))
            worst = max(worst, np.linalg.norm(gap) / max(float(tight), 1e-300))
        assert tight.is_zero() == (pair.first == pair.second)
    assert worst > 0.02
    assert found["S1"].delta == 0
    assert found["S1"].world == "any"


def test_the_number_itself():
    """eta M k/N, M the largest row (a logistic slope is below 1); twice that for ``current``."""
    X = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    base = small(X=X, y=np.ones(4), requests=(Request((1, 2), Phase(3, F(1, 4), F(1))),))
    numbers = {"fixed": F(5, 4), "sum": F(5), "current": F(5, 2)}
    for normalizer, expected in numbers.items():
        run = replace(base, normalizer=normalizer)
        assert apply(run, "S1").statement.shifts == ((4, ball(expected)), (3, arb(0)))
    own = {"fixed": F(3, 8), "sum": F(3, 2), "current": F(1, 8) * (3 + F(2, 2) * 5)}
    for normalizer, expected in own.items():
        run = replace(base, normalizer=normalizer)
        assert apply(run, "S2").statement.shifts == ((4, ball(expected)), (3, arb(0)))


@pytest.mark.parametrize("rule", ["S1", "S2", "S1-drift"])
def test_each_premise_broken(rule):
    ball_ = {"projection": F(1)}
    far = Start((F(1), F(1)), F(0))
    with pytest.raises(PremiseFailed, match="projection or a clip"):
        apply(small("ridge"), rule)
    assert apply(small("ridge", **ball_), rule)
    with pytest.raises(PremiseFailed, match="inside the ball"):
        apply(small("ridge", start=far, **ball_), rule)
    with pytest.raises(PremiseFailed, match="inside the ball"):
        apply(small("ridge", start=Start((F(0), F(0)), F(1, 10)), **ball_), rule)
    assert apply(small("ridge", start=far, clip=Clip(F(1), False), **ball_), rule)
    network = replace(
        small("softmax"),
        loss="network",
        network=Network("mlp", (2,), "tanh"),
        start=Start((F(0),) * 15, F(0)),
    )
    with pytest.raises(PremiseFailed, match="without a clip"):
        apply(network, rule)
    assert apply(replace(network, clip=Clip(F(1), True)), rule)


@pytest.mark.parametrize("rule", ["S1", "S2", "S1-drift"])
@pytest.mark.parametrize(
    ("loss", "label"), [("logistic", 8.0), ("logistic", 0.0), ("softmax", 3.0), ("softmax", 0.5)]
)
def test_labels_without_meaning_are_refused(rule, loss, label):
    """A logistic label of 8 makes the slope 8 times what its bound says."""
    labels = small(loss).y.copy()
    labels[1] = label
    run = small(loss, y=labels)
    with pytest.raises(PremiseFailed, match="labels"):
        apply(run, rule)


@pytest.mark.parametrize("rule", ["S1", "S2", "S1-drift"])
def test_restarts(rule):
    run = small("ridge", projection=F(2), start=Start((F(9), F(9)), F(1)))
    statement = apply(run, rule, 5).statement
    assert statement.last == 5
    assert sum(entry[0] for entry in (statement.shifts if rule != "S1-drift" else statement.steps)) == 5
    for last in (0, -1, 2.5, float("nan"), "3"):
        with pytest.raises(NotApplicable):
            apply(run, rule, last)
    for last in (7, 8, 10**30):
        with pytest.raises((PremiseFailed, NotApplicable)):
            apply(run, rule, last)
    with pytest.raises(PremiseFailed, match="one ball"):
        apply(small(), rule, 5)


def test_a_confined_slope_is_smaller():
    wide, narrow = (
        apply(run, "S2").statement.shifts[0][1] for run in (small(), small(projection=F(1, 100)))
    )
    assert narrow < wide * arb("0.6")


def test_a_start_outside_the_ball_gives_the_slope_of_everywhere():
    outside = small(projection=F(1, 100), start=Start((F(1), F(1)), F(0)))
    mine, plain = (apply(run, "S2").statement.shifts[0][1] for run in (outside, small()))
    assert abs(mine - plain) < arb("1e-30")


def test_rows_tiny_and_huge():
    for size in (1e-200, 1e200):
        run = small()
        run = replace(run, X=run.X * size)
        shift = apply(run, "S2").statement.shifts[0][1]
        expected = sum(np.linalg.norm(small().X[j]) for j in (1, 4)) / 14 * size
        assert abs(float(shift) / expected - 1) < 1e-12
