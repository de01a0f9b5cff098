"""The Lipschitz constant of a step against the step that the shadow models take."""

from fractions import Fraction as F

import numpy as np
import pytest
import torch

from certaudit.audit.shadows.dynamics import gradient
from certaudit.claims import EpsilonDelta
from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import BITS, Proof
from certaudit.core.rules.contraction import Witness
from certaudit.run import Batch, Clip, Phase, Reference, Request, Run, Start
from certaudit.search import curvature
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify
from certaudit.verdict import Status

LOSSES = ["ridge", "logistic", "huber", "softmax"]
CLIPS = {"none": None, "outside": Clip(F(1, 2), False), "inside": Clip(F(1, 2), True)}
BATCHES = {
    "all rows": Batch(None, ()),
    "one left": Batch(None, (0, 1, 2)),
    "emptied": Batch((1, 2), (1, 2)),
}


def run_of(loss, clip, normalizer, l2=F(8), step=F(1)):
    draw = np.random.default_rng(3)
    classes = 3 if loss == "softmax" else 1
    y = {"logistic": np.array([1.0, -1, 1, 1]), "softmax": np.array([0.0, 1, 2, 1])}
    return Run(
        X=draw.normal(size=(4, 2)),
        y=y.get(loss, np.array([0.5, -1, 2, 0])),
        loss=loss,
        l2=l2,
        normalizer=normalizer,
        learn=Phase(1, step, F(0)),
        requests=(Request((0, 1, 2), Phase(1, step, F(1))),),
        start=Start((F(0),) * (2 * classes), F(0)),
        projection=None,
        clip=clip,
        reference=Reference("unlearn-retrained", 1),
        release="final",
        threshold=F(1) if loss == "huber" else None,
        classes=classes,
    )


def step_of(run, batch):
    """The lines of a batch's curvature and of its step."""
    proof = Proof(run)
    curved = proof.apply("curvature", (), curvature.witness(run, batch))
    return curved, proof.apply("contraction", (curved,), Witness(run.learn.step_size))


def largest_expansion(run, batch):
    """Largest singular value of the step's Jacobian at many models, from tiny to huge."""
    draw, step = np.random.default_rng(5), float(run.learn.step_size)
    of = gradient(run, batch, torch.float64)
    scales = 10.0 ** draw.uniform(-3, 2, size=(300, 1))
    models = draw.normal(size=(300, run.parameters)) * scales
    turns = np.eye(run.parameters) * 1e-6
    columns = []
    for turn in turns:
        ahead, behind = (torch.as_tensor(models + sign * turn) for sign in (1, -1))
        moved = (ahead - step * of(ahead)) - (behind - step * of(behind))
        columns.append(moved.numpy() / 2e-6)
    return np.linalg.norm(np.stack(columns, axis=2), ord=2, axis=(1, 2)).max()


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_step_expands_by_more_than_its_constant(loss, clip, normalizer, batch):
    for l2, step in ((F(8), F(1)), (F(1, 10), F(1, 2)), (F(1), F(1))):
        run = run_of(loss, CLIPS[clip], normalizer, l2, step)
        bound = step_of(run, BATCHES[batch])[1].statement.c
        assert largest_expansion(run, BATCHES[batch]) <= float(bound) + 1e-6


def saturated(**changes):
    """All rows at 1 and clipped wherever the run goes: the released models are a mean 21/8 apart (the
    normalizer `fixed`), with unit variance."""
    values = {**vars(run_of("softmax", Clip(F(1, 2), False), "fixed")), **changes}
    values |= {
        "X": np.ones((4, 1)),
        "y": np.array([0.0, 0, 0, 1]),
        "classes": 2,
        "start": Start((F(0), F(0)), F(0)),
    }
    return Run(**values)


def test_the_regularizer_outside_the_clip_counts_in_full_whatever_rows_are_left():
    with precision(BITS):
        assert gaussian_delta(F(21, 8), F(14)) > ball(F(1, 10**5))
    low, high = verify(
        Evidence(saturated()),
        [EpsilonDelta("low", F(14), F(1, 10**5)), EpsilonDelta("high", F(15), F(1, 10**5))],
    )
    assert low.status is not Status.PROVED
    assert high.status is Status.PROVED


def test_a_batch_emptied_by_the_removal_still_decays():
    """Every row of the first batch is removed, so that its steps multiply by 1 - eta l2 alone."""
    batches = ((0, 1, 2), (3,))
    run = saturated(
        normalizer="current",
        learn=Phase(1, F(1), F(0), batches),
        requests=(Request((0, 1, 2), Phase(1, F(1), F(1), batches)),),
    )
    steps = {line.statement.batch: line.statement for line in Evidence(run).steps("Q")}
    assert float(steps[Batch((0, 1, 2), (0, 1, 2))].c) == pytest.approx(7)


@pytest.mark.parametrize("clip", ["outside", "inside"])
def test_the_derivation_puts_numbers_into_the_clipped_formulas(clip):
    run = run_of("softmax", CLIPS[clip], "fixed")
    with precision(BITS):
        curved, step = step_of(run, BATCHES["one left"])
        smooth = curved.statement.L
        for line, name, stated in ((curved, "L", smooth), (step, "c", ball(step.statement.c))):
            ((formula, values),) = (one for one in line.conclusion.shown if str(one[0].left) == name)
            assert formula.at(values).is_finite()
            assert abs(formula.at(values) / stated - 1) < 1e-15
