"""The gradient of a batch of models against a loop over rows, and that loop against autograd."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
import torch
from shadow_runs import RUNS, example_gradient, plain_gradient, softmax_run

from certaudit.audit.shadows.dynamics import gradient
from certaudit.run import Batch, Clip

CLIPS = [None, Clip(F(1, 4), regularizer=False), Clip(F(1, 4), regularizer=True)]
BATCHES = [
    Batch(None, ()),
    Batch(None, (7, 20)),
    Batch((3, 7, 9, 20, 41, 50, 2, 11), ()),
    Batch((3, 7, 9, 20, 41, 50, 2, 11), (7, 20)),
    Batch((7, 3), (7,)),
]


def models_of(run, count=5):
    return np.random.default_rng(0).normal(size=(count, run.parameters))


@pytest.mark.parametrize("loss", RUNS)
def test_the_plain_slope_is_the_derivative_of_the_loss(loss):
    run = RUNS[loss]()
    for model in models_of(run):
        for j in range(run.n):
            w = torch.from_numpy(model.copy()).requires_grad_()
            x, y = torch.tensor(run.X[j]), float(run.y[j])
            if loss == "softmax":
                u = w.view(run.d, run.classes).T @ x
                value = torch.logsumexp(u, 0) - u[int(y)]
            elif loss == "logistic":
                value = torch.log1p(torch.exp(-y * (x @ w)))
            elif loss == "huber":
                target = torch.tensor(y, dtype=torch.float64)
                value = torch.nn.functional.huber_loss(x @ w, target, delta=float(run.threshold))
            else:
                value = (x @ w - y) ** 2 / 2
            (g,) = torch.autograd.grad(value, w)
            assert np.allclose(
                example_gradient(run, model, run.X[j], run.y[j]), g, rtol=1e-10, atol=1e-12
            )


@pytest.mark.parametrize("loss", RUNS)
@pytest.mark.parametrize("clip", CLIPS, ids=["no clip", "loss clipped", "whole clipped"])
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
@pytest.mark.parametrize("batch", BATCHES, ids=["D", "D'", "batch", "batch less two", "one row"])
def test_gradient_is_the_sum_over_rows(loss, clip, normalizer, batch):
    run = RUNS[loss](clip=clip, normalizer=normalizer)
    models = models_of(run)
    ours = gradient(run, batch, torch.float64)(torch.from_numpy(models))
    members = range(run.n) if batch.members is None else batch.members
    for model, got in zip(models, ours, strict=True):
        assert np.allclose(
            got, plain_gradient(run, model, members, batch.removed), rtol=1e-10, atol=1e-12
        )


def test_the_clip_is_at_work_and_leaves_small_gradients_alone():
    """At this norm some rows are clipped and some are not, so the cases above see both."""
    for make in RUNS.values():
        run = make()
        sizes = np.array(
            [
                np.linalg.norm(example_gradient(run, model, x, y))
                for model in models_of(run)
                for x, y in zip(run.X, run.y, strict=True)
            ]
        )
        assert 0.05 < (sizes > 0.25).mean() < 0.98


def test_two_softmax_classes_with_opposite_parameters_are_logistic():
    """Scores -u/2 and u/2 have loss log(1 + exp(-u)) at class 1; clips of whole gradients aside."""
    wide = softmax_run(classes=2)
    run = dataclasses.replace(wide, y=(wide.y > 0).astype(float))
    plain = RUNS["logistic"](X=run.X)
    plain = dataclasses.replace(plain, y=2 * run.y - 1)
    w = np.random.default_rng(1).normal(size=(4, 6))
    pairs = np.stack([-w / 2, w / 2], axis=2).reshape(4, 12)
    batch = Batch(None, ())
    ours = gradient(run, batch, torch.float64)(torch.from_numpy(pairs)).numpy().reshape(4, 6, 2)
    theirs = gradient(plain, batch, torch.float64)(torch.from_numpy(w)).numpy()
    l2 = float(run.l2)
    assert np.allclose(ours[..., 1] - l2 * w / 2, theirs - l2 * w, rtol=1e-12, atol=1e-14)
    assert np.allclose(ours[..., 0], -ours[..., 1])


@pytest.mark.parametrize("loss", ["huber", "softmax"])
def test_huge_models_have_finite_gradients(loss):
    run = RUNS[loss]()
    models = torch.from_numpy(1e200 * models_of(run))
    assert torch.isfinite(gradient(run, Batch(None, ()), torch.float64)(models)).all()
