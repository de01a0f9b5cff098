"""The loss of the removed points, against the losses of an independent library, point by point."""

import numpy as np
import pytest
import torch
from shadow_runs import RUNS, two_requests

from certaudit.attacks.scores.removed_point_loss import RemovedPointLoss


def loss_at(run, model, j):
    w, x = torch.from_numpy(model), torch.from_numpy(run.X[j])
    y = torch.tensor(float(run.y[j]), dtype=torch.float64)
    if run.loss == "softmax":
        return torch.nn.functional.cross_entropy(w.view(run.d, run.classes).T @ x, y.long())
    if run.loss == "logistic":
        return torch.nn.functional.soft_margin_loss(w @ x, y)
    if run.loss == "huber":
        return torch.nn.functional.huber_loss(w @ x, y, delta=float(run.threshold))
    return torch.nn.functional.mse_loss(w @ x, y) / 2


@pytest.mark.parametrize("loss", RUNS)
def test_score_is_minus_the_mean_loss_of_the_removed_rows(loss):
    run = RUNS[loss](**two_requests())
    models = np.random.default_rng(8).normal(size=(6, run.parameters))
    expected = [-np.mean([float(loss_at(run, model, j)) for j in (7, 20, 31)]) for model in models]
    assert np.allclose(RemovedPointLoss(run).score(models), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["logistic", "huber", "softmax"])
def test_the_score_of_a_huge_model_is_finite(loss):
    run = RUNS[loss]()
    models = 1e200 * np.random.default_rng(8).normal(size=(6, run.parameters))
    assert np.isfinite(RemovedPointLoss(run).score(models)).all()
