"""Scores: the quantities at rows against an independent library, and what each kind is good for."""

import numpy as np
import pytest
import torch
from shadow_runs import RUNS, SilentPhases, exact_law, ridge_run, two_requests

from certaudit.audit import scores
from certaudit.audit.rows import Rows
from certaudit.audit.scores import Setting, applicable, kinds
from certaudit.audit.scores.kernel_witness import KernelWitness
from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.scores.quadratic_discriminant import QuadraticDiscriminant
from certaudit.audit.scores.removed_point_loss import RemovedPointLoss
from certaudit.audit.scores.rmia import Rmia
from certaudit.audit.scores.u_lira import ULira
from certaudit.audit.shadows.train import train

FORGOTTEN = (7, 20, 31)


def loss_at(run, w, j):
    x, y = torch.tensor(run.X[j]), torch.tensor(float(run.y[j]), dtype=torch.float64)
    if run.loss == "softmax":
        return torch.nn.functional.cross_entropy(w.view(run.d, run.classes).T @ x, y.long())
    if run.loss == "logistic":
        return torch.nn.functional.soft_margin_loss(w @ x, y)
    if run.loss == "huber":
        return torch.nn.functional.huber_loss(w @ x, y, delta=float(run.threshold))
    return torch.nn.functional.mse_loss(w @ x, y) / 2


def some_models(run, size=1.0):
    return size * np.random.default_rng(8).normal(size=(6, run.parameters))


@pytest.mark.parametrize("loss", RUNS)
def test_losses_and_gradient_norms_are_those_of_torch(loss):
    run = RUNS[loss](**two_requests())
    models, rows = some_models(run), Rows(run, FORGOTTEN)
    losses, norms = [], []
    for model in models:
        w = torch.from_numpy(model).requires_grad_()
        at = [loss_at(run, w, j) for j in FORGOTTEN]
        losses.append([float(x.detach()) for x in at])
        norms.append([float(torch.autograd.grad(x, w)[0].norm()) for x in at])
    assert np.allclose(rows.losses(models), losses, rtol=1e-12)
    assert np.allclose(rows.gradient_norms(models), norms, rtol=1e-10)
    assert np.allclose(RemovedPointLoss(run).score(models), -np.mean(losses, axis=1))


def test_confidences_are_logits_of_the_own_label():
    for loss in ("logistic", "softmax"):
        run = RUNS[loss]()
        models, rows = some_models(run), Rows(run, FORGOTTEN)
        chance = np.exp(-rows.losses(models))
        assert np.allclose(rows.confidences(models), np.log(chance / (1 - chance)), rtol=1e-8)


@pytest.mark.parametrize("loss", ["logistic", "huber", "softmax"])
def test_huge_models_have_finite_losses_and_gradients(loss):
    run = RUNS[loss]()
    rows, models = Rows(run, FORGOTTEN), some_models(run, 1e200)
    assert np.isfinite(rows.losses(models)).all()
    assert np.isfinite(rows.gradient_norms(models)).all()


def test_every_module_of_the_package_is_found():
    names = [kind.name for kind in kinds()]
    assert len(names) == len(set(names)) == 9
    assert {"U-LiRA", "RMIA", "gradient norm", "neural distinguisher"} <= set(names)


@pytest.mark.parametrize("loss", RUNS)
def test_every_score_tells_noiseless_worlds_apart(loss):
    """Fitted on the first 64 shadows of each world; the two worlds' later scores hardly overlap."""
    run = RUNS[loss](**two_requests(output_variance=0))
    silent = SilentPhases(0, "learn", "unlearn", "output")
    jitter = np.random.default_rng(3)
    models = {w: train(run, w, 128, noise=silent).final for w in ("P", "Q")}
    gap = np.linalg.norm(models["P"][0] - models["Q"][0])
    models = {w: m + 0.01 * gap * jitter.normal(size=m.shape) for w, m in models.items()}
    for score in applicable(Setting(run)):
        score.fit(models["P"][:64], models["Q"][:64])
        p, q = score.score(models["P"][64:]), score.score(models["Q"][64:])
        assert p.shape == (64,)
        assert np.isfinite(p).all()
        wins = (p[:, None] > q).mean() + (p[:, None] == q).mean() / 2
        if isinstance(score, Rmia):
            assert wins >= 0.5 - 1e-9 or wins <= 0.1, score.name
        elif score.learns:
            assert wins > 0.95, score.name
        else:
            assert max(wins, 1 - wins) > 0.95, score.name


def test_scores_that_learn_are_the_same_for_the_same_seed():
    rng = np.random.default_rng(0)
    p, q = rng.normal(0.3, 1, (80, 6)), rng.normal(0, 1, (80, 6))
    for first, second in zip(
        applicable(Setting(ridge_run(), seed=5)), applicable(Setting(ridge_run(), seed=5)), strict=True
    ):
        first.fit(p, q)
        torch.manual_seed(99)
        second.fit(p, q)
        assert (first.score(p) == second.score(p)).all()


def test_the_true_log_ratio_needs_a_density():
    law = exact_law(ridge_run())(1)
    with_law = {s.name for s in applicable(Setting(ridge_run(), law))}
    degenerate = (law[0], np.zeros_like(law[1]), law[2], law[3])
    assert "true log-ratio" in with_law
    assert "true log-ratio" not in {s.name for s in applicable(Setting(ridge_run(), degenerate))}


def test_discriminants_estimate_the_log_ratio():
    """Gaussians of one covariance, then of two: within 0.3 of the truth at most points."""
    rng = np.random.default_rng(1)
    for scale, kind in ((1.0, LinearDiscriminant), (1.6, QuadraticDiscriminant)):
        p, q = rng.normal(0.5, scale, (20000, 3)), rng.normal(0, 1, (20000, 3))
        score = kind()
        score.fit(p, q)
        x = rng.normal(0.2, 1, (500, 3))
        truth = (
            -((x - 0.5) ** 2).sum(axis=1) / (2 * scale**2) - 3 * np.log(scale) + (x**2).sum(axis=1) / 2
        )
        assert np.quantile(np.abs(score.score(x) - truth), 0.95) < 0.3


def test_u_lira_is_the_ratio_of_fitted_gaussians():
    run = ridge_run()
    rng = np.random.default_rng(2)
    direction = run.X[7]
    p = rng.normal(0, 1, (30000, 1)) * 0.2 * direction + 0.3 * direction
    q = rng.normal(0, 1, (30000, 1)) * 0.2 * direction
    score = ULira(run)
    score.fit(p, q)
    t = np.linspace(-0.2, 0.5, 5)
    expected = (t**2 - (t - 0.3) ** 2) / (2 * 0.04)
    assert np.allclose(score.score(t[:, None] * direction), expected, atol=0.1)


def test_package_documents_how_to_add_one():
    assert "one a module" in scores.__doc__


@pytest.mark.parametrize("kind", ["ring", "three-way"])
def test_the_kernel_witness_sees_what_no_discriminant_sees(kind):
    """Worlds of one mean (and, three-way, of one covariance): auc of held-out models."""
    rng = np.random.default_rng(15)
    p, q = rng.normal(size=(900, 3)), rng.normal(size=(900, 3))
    if kind == "ring":
        p = 1.7 * p / np.linalg.norm(p, axis=1, keepdims=True) + 0.2 * rng.normal(size=p.shape)
    else:
        p[:, 0] = np.abs(p[:, 0]) * np.sign(p[:, 1] * p[:, 2])
    areas = {}
    for score in (KernelWitness(), LinearDiscriminant()):
        score.fit(p[:600], q[:600])
        first, second = score.score(p[600:]), score.score(q[600:])
        areas[score.name] = (first[:, None] > second).mean()
    assert areas["kernel witness"] > 0.65
    assert abs(areas["linear discriminant"] - 0.5) < 0.1


def test_the_kernel_witness_of_equal_or_huge_models_is_finite():
    score = KernelWitness()
    score.fit(np.ones((40, 2)), np.ones((40, 2)))
    assert np.isfinite(score.score(np.array([[1.0, 1.0], [1e300, -1e300]]))).all()
