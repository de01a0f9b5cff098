"""Contraction against the steps themselves; the clips that take convexity."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from step_runs import LOSSES, curved, moved, rate, small

from certaudit.core.balls import precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, PremiseFailed, Refusal
from certaudit.core.rules.contraction import Witness, require_contraction
from certaudit.run import Batch, Clip, Phase, Request

ALL = Batch(None, ())
CLIPS = [None, Clip(F(1, 4), False), Clip(F(1, 4), True), Clip(F(100), False), Clip(F(100), True)]


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
def test_no_two_points_are_moved_apart_by_more(loss, clip, normalizer):
    rng = np.random.default_rng(3)
    for l2, step_size in ((F(1, 10), F(1, 2)), (F(8), F(1)), (F(0), F(3))):
        run = small(loss, n=6, d=2, l2=l2, clip=clip, normalizer=normalizer)
        for batch in (ALL, Batch(None, (0, 2, 3, 5)), Batch((0, 1), (0, 1))):
            c = float(rate(run, batch, step_size).c)
            for scale in (0.01, 1.0, 10.0):
                u = rng.normal(size=len(run.start.mean)) * scale
                for size in (1e-3, 1.0):
                    v = u + rng.normal(size=len(u)) * size
                    gap = moved(run, u, batch, step_size) - moved(run, v, batch, step_size)
                    bound = c * np.linalg.norm(u - v)
                    assert np.linalg.norm(gap) <= bound * (1 + 1e-9) + 1e-10


@pytest.mark.parametrize(("normalizer", "part"), [("fixed", 4), ("current", 1), ("sum", 1)])
def test_a_regularizer_outside_the_clip_counts_in_full_whatever_rows_are_left(normalizer, part):
    """Counted once for each row left, the regularizer of the one row would make c = 3 or less."""
    forget = Request((0, 1, 2), Phase(1, F(1), F(1)))
    run = small(
        "softmax", n=4, l2=F(8), clip=Clip(F(1, 2), False), normalizer=normalizer, requests=(forget,)
    )
    c = rate(run, Batch(None, (0, 1, 2)), F(1)).c
    loss_part = np.sum(run.X[3] ** 2) / 2 / part
    assert c >= 7
    assert abs(float(c) - (7 + loss_part)) < 1e-9
    emptied = rate(run, Batch((0, 1), (0, 1)), F(1)).c
    assert 7 <= emptied < 7 + F(1, 10**15)
    inside = replace(run, clip=Clip(F(1, 2), True))
    expected = 1 + (np.sum(run.X[3] ** 2) / 2 + 8) / part
    assert abs(float(rate(inside, Batch(None, (0, 1, 2)), F(1)).c) - expected) < 1e-9


def test_the_number_itself_is_rounded_up():
    """Ridge with X^T X/N = 1, l2 = 1/2: |1 - 3 eta/2|."""
    run = small("ridge", n=4, d=1, X=np.ones((4, 1)), l2=F(1, 2))
    for step_size, exact in ((F(1, 3), F(1, 2)), (F(1), F(1, 2)), (F(4), F(5))):
        c = rate(run, ALL, step_size).c
        assert exact <= c <= exact + F(1, 10**15)


def test_one_is_not_rounded_past_one():
    flat = small("logistic", l2=F(0))
    assert rate(flat, ALL, F(1, 100)).c == 1


@pytest.mark.parametrize(
    ("changes", "step_size", "text"),
    [
        ({}, F(100), "must contract"),
        ({"l2": F(0)}, F(1, 100), "must contract"),
        ({"clip": Clip(F(1), True)}, F(1, 100), "outside the clip"),
    ],
)
def test_what_a_theorem_that_needs_a_contraction_refuses(changes, step_size, text):
    run = small(**changes)
    with pytest.raises(PremiseFailed, match=text):
        require_contraction(run, curved(run, ALL)[1].statement, rate(run, ALL, step_size))
    softmax = small("softmax", clip=Clip(F(1), False))
    with pytest.raises(PremiseFailed, match="softmax"):
        require_contraction(softmax, curved(softmax, ALL)[1].statement, rate(softmax, ALL, F(1, 100)))
    good = small()
    known = curved(good, ALL)[1].statement
    assert require_contraction(good, known, rate(good, ALL, F(1, 100))).name == "step size"


def test_it_builds_on_one_curvature_only():
    run = small()
    proof, line = curved(run, ALL)
    step = proof.apply("contraction", (line,), Witness(F(1)))
    for uses in ((), (line, line), (step,)):
        with pytest.raises(NotApplicable):
            proof.apply("contraction", uses, Witness(F(1)))
    with pytest.raises(NotApplicable, match="another proof"):
        Proof(run).apply("contraction", (line,), Witness(F(1)))


@pytest.mark.parametrize("step_size", [F(0), F(-1), float("nan"), float("inf"), F(2) ** 140000])
def test_step_sizes_without_meaning_are_refused(step_size):
    with pytest.raises(Refusal):
        rate(small(), ALL, step_size)


def test_hardly_any_step():
    assert 1 <= rate(small(), ALL, F(1, 2**140000)).c < 1 + F(1, 10**15)
