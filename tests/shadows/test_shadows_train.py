"""Shadow training: reproducible, resumable, and the dynamics of the spec."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from shadow_runs import logistic_run, ridge_run

from certaudit.run import Clip, Phase, Reference, Start
from certaudit.shadows.dynamics import gradient, project
from certaudit.shadows.store import ShadowStore
from certaudit.shadows.train import ShadowError, train


@pytest.mark.parametrize("run", [ridge_run(), logistic_run()], ids=["ridge", "logistic"])
def test_result_does_not_depend_on_how_the_batch_is_cut(run):
    whole = train(run, "P", 700, seed=3, record=(0, 4)).final
    assert np.array_equal(whole, train(run, "P", 700, seed=3, chunk=256).final)
    assert np.array_equal(whole, train(run, "P", 700, seed=3, chunk=512).final)
    assert np.array_equal(whole[:100], train(run, "P", 100, seed=3).final)
    assert not np.array_equal(whole, train(run, "P", 700, seed=4).final)


def test_worlds_use_independent_noise():
    """Largest of 36 correlations over 4096 pairs: false alarm below 36 * 6e-7 = 2e-5."""
    run = ridge_run()
    p, q = (train(run, w, 4096, seed=1).final for w in ("P", "Q"))
    correlations = np.corrcoef(p.T, q.T)[:6, 6:]
    assert np.abs(correlations).max() < 5 / np.sqrt(4096)


def affine_law(run, world):
    """Mean and covariance by the plain recursion, in numpy."""

    def phase(rows, steps, m, S):
        X, y = run.X[rows], run.y[rows]
        count = {"fixed": run.n, "current": len(rows), "sum": 1}[run.normalizer]
        H = X.T @ X / count + float(run.l2) * np.eye(run.d)
        A, b = np.eye(run.d) - float(steps.step_size) * H, X.T @ y / count
        for _ in range(steps.steps):
            m = A @ m + float(steps.step_size) * b
            S = A @ S @ A.T + float(steps.noise_variance) * np.eye(run.d)
        return m, S

    everyone, kept = list(range(run.n)), list(run.kept)
    law = np.array([float(x) for x in run.start.mean]), float(run.start.variance) * np.eye(run.d)
    law = phase(everyone if world == "P" else kept, run.learn, *law)
    if world == "P" or run.reference.kind == "unlearn-retrained":
        law = phase(kept, run.unlearn, *law)
    return law


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize(
    "run",
    [
        ridge_run(),
        ridge_run(normalizer="current", unlearn=Phase(3, F(1), F(1, 100))),
        ridge_run(normalizer="sum", learn=Phase(20, F(1, 40), F(1, 900))),
        ridge_run(start=Start((F(1),) * 6, F(1, 4)), learn=Phase(3, F(1), F(1, 100))),
        ridge_run(reference=Reference("retrained", 60)),
    ],
    ids=["fixed", "current", "sum", "gaussian start", "retrained"],
)
def test_shadows_follow_the_affine_law(run, world):
    """Whitened mean by chi-square and covariance trace, at 1e-5 each: false alarm 2e-5 a case."""
    m = 4000
    mean, covariance = affine_law(run, world)
    shadows = train(run, world, m, seed=2).final
    white = np.linalg.solve(np.linalg.cholesky(covariance), (shadows - mean).T)
    assert m * (white.mean(axis=1) ** 2).sum() < chi2.isf(1e-5, run.d)
    energy = (white**2).sum()
    assert chi2.isf(1 - 5e-6, m * run.d) < energy < chi2.isf(5e-6, m * run.d)


@pytest.mark.parametrize("loss", ["ridge", "logistic"])
@pytest.mark.parametrize(
    "clip", [None, Clip(F(1, 4), regularizer=False), Clip(F(1, 4), regularizer=True)]
)
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
@pytest.mark.parametrize("world", ["D", "D'"])
def test_gradient_is_the_derivative_of_the_objective(loss, clip, normalizer, world):
    run = {"ridge": ridge_run, "logistic": logistic_run}[loss](clip=clip, normalizer=normalizer)
    models = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 6)))
    ours = gradient(run, world, torch.float64)(models)
    rows = list(range(run.n)) if world == "D" else list(run.kept)
    count = {"fixed": run.n, "current": len(rows), "sum": 1}[normalizer]
    for model, got in zip(models, ours, strict=True):
        total = torch.zeros(6, dtype=torch.float64)
        for j in rows:
            w = model.clone().requires_grad_()
            u = torch.from_numpy(run.X[j]) @ w
            y = float(run.y[j])
            value = (u - y) ** 2 / 2 if loss == "ridge" else torch.log1p(torch.exp(-y * u))
            inside = clip is not None and clip.regularizer
            if inside:
                value = value + float(run.l2) / 2 * (w @ w)
            (g,) = torch.autograd.grad(value, w)
            if clip is not None:
                g = g * min(1.0, float(clip.norm) / float(g.norm()))
            total += g / count
        if not inside:
            total += float(run.l2) * model
        assert torch.allclose(got, total, rtol=1e-10, atol=1e-12)


def test_projection_is_the_nearest_point_of_the_ball_not_the_sphere():
    models = torch.tensor([[0.3, 0.4], [3.0, 4.0]], dtype=torch.float64)
    expected = torch.tensor([[0.3, 0.4], [0.6, 0.8]], dtype=torch.float64)
    assert torch.allclose(project(models, 1.0), expected)
    run = logistic_run(projection=F(1, 50))
    assert np.linalg.norm(train(run, "P", 64).final, axis=1).max() <= 0.02 * (1 + 1e-12)


def test_recorded_iterates_are_those_of_a_shorter_run():
    run = ridge_run()
    recorded = train(run, "Q", 64, record=(0, 5, 60)).recorded
    short = dataclasses.replace(
        run, learn=dataclasses.replace(run.learn, steps=5), reference=Reference("retrained", 5)
    )
    assert np.array_equal(recorded[5], train(short, "Q", 64).final)
    assert not recorded[0].any()


def test_a_killed_training_resumes_with_nothing_lost(tmp_path, monkeypatch):
    from certaudit.shadows import train as module

    run = ridge_run()
    whole = train(run, "P", 1000, seed=9).final
    original, calls = module._train_chunk, []

    def killed_after_two(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(module, "_train_chunk", killed_after_two)
    store = ShadowStore(tmp_path / "shadows")
    with pytest.raises(KeyboardInterrupt):
        train(run, "P", 1000, seed=9, chunk=256, store=store)
    calls.extend([None] * 10)
    resumed = train(run, "P", 1000, seed=9, chunk=256, store=store).final
    assert np.array_equal(resumed, whole)
    assert len(calls) == 3 + 10 + 2


def test_a_chunk_of_another_run_or_a_damaged_one_is_not_used(tmp_path):
    store = ShadowStore(tmp_path)
    run = ridge_run()
    train(run, "P", 256, seed=1, store=store)
    other = ridge_run(l2=F(1, 21))
    assert np.array_equal(
        train(other, "P", 256, seed=1, store=store).final, train(other, "P", 256, seed=1).final
    )
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:50])
    assert np.array_equal(
        train(run, "P", 256, seed=1, store=store).final, train(run, "P", 256, seed=1).final
    )


def test_divergence_names_the_world_the_shadow_and_the_seed():
    run = ridge_run(learn=Phase(5000, F(100), F(1)))
    with pytest.raises(ShadowError, match=r"world Q, shadow 0, seed 5"):
        train(run, "Q", 8, seed=5)
