"""Shadow training: reproducible, resumable, and the dynamics of the spec."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from shadow_runs import (
    BLOCK,
    LEARN,
    RUNS,
    UNLEARN,
    TableNoise,
    affine_law,
    cycle,
    logistic_run,
    plain_run,
    ridge_run,
    softmax_run,
    two_requests,
)

from certaudit.audit.shadows import dynamics
from certaudit.audit.shadows.dynamics import project
from certaudit.audit.shadows.noise import PhiloxNoise
from certaudit.audit.shadows.store import ShadowStore, digest
from certaudit.audit.shadows.train import ShadowError, train
from certaudit.run import Clip, Phase, Reference, Request, Start


@pytest.mark.parametrize("loss", RUNS)
@pytest.mark.parametrize("changes", [{}, two_requests()], ids=["full batch", "two requests"])
def test_result_does_not_depend_on_how_the_batch_is_cut(loss, changes):
    run = RUNS[loss](**changes)
    whole = train(run, "P", 700, seed=3, record=(0, 4))
    assert np.array_equal(whole.final, train(run, "P", 700, seed=3, chunk=256).final)
    assert np.array_equal(whole.final, train(run, "P", 700, seed=3, chunk=512).final)
    assert np.array_equal(whole.final[:100], train(run, "P", 100, seed=3).final)
    assert np.array_equal(whole.recorded[4], train(run, "P", 700, seed=3, record=(4,)).recorded[4])
    assert not np.array_equal(whole.final, train(run, "P", 700, seed=4).final)


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_taking_few_models_at_a_time_changes_nothing(loss, monkeypatch):
    run = RUNS[loss](**two_requests())
    whole = train(run, "P", 600, seed=3).final
    monkeypatch.setattr(dynamics, "TABLE_BYTES", 8 * 60 * 3 * 9)
    few = train(run, "P", 600, seed=3).final
    assert np.allclose(few, whole, rtol=1e-12, atol=1e-13)
    assert np.array_equal(few, train(run, "P", 600, seed=3, chunk=256).final)


def test_worlds_use_independent_noise():
    """Largest of 36 correlations over 4096 pairs: false alarm below 36 * 6e-7 = 2e-5."""
    run = ridge_run()
    p, q = (train(run, w, 4096, seed=1).final for w in ("P", "Q"))
    correlations = np.corrcoef(p.T, q.T)[:6, 6:]
    assert np.abs(correlations).max() < 5 / np.sqrt(4096)


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize(
    "run",
    [
        ridge_run(),
        ridge_run(normalizer="current", requests=(Request((7,), Phase(3, F(1), F(1, 100))),)),
        ridge_run(normalizer="sum", learn=Phase(20, F(1, 40), F(1, 900))),
        ridge_run(start=Start((F(1),) * 6, F(1, 4)), learn=Phase(3, F(1), F(1, 100))),
        ridge_run(reference=Reference("retrained", 60)),
        ridge_run(requests=tuple(Request((j,), Phase(2, F(1), F(1, 100))) for j in (7, 8, 9))),
    ],
    ids=["fixed", "current", "sum", "gaussian start", "retrained", "three requests"],
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


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize("kind", ["unlearn-retrained", "retrained"])
@pytest.mark.parametrize("loss", RUNS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"clip": Clip(F(1, 8), regularizer=False), "normalizer": "current"},
        {"clip": Clip(F(1, 8), regularizer=True), "projection": F(1, 2), "normalizer": "current"},
    ],
    ids=["plain", "clipped loss", "clipped whole and projected"],
)
def test_a_whole_run_is_what_a_plain_loop_makes_of_the_spec(loss, kind, world, changes):
    """Cyclic batches anew in each phase, two requests, the noise of each world, the output noise."""
    settings = two_requests()
    reference = dataclasses.replace(settings["reference"], kind=kind)
    start = Start(tuple(F(k, 20) for k in range(RUNS[loss]().parameters)), F(1, 25))
    run = RUNS[loss](**(settings | {"reference": reference, "start": start} | changes))
    noise = TableNoise(5, run.parameters)
    steps = 17 if (world, kind) == ("Q", "retrained") else 26
    shadows = train(run, world, BLOCK, noise=noise, record=range(steps + 1))
    for shadow in (0, BLOCK - 1):
        iterates, released = plain_run(run, world, shadow, noise)
        ours = np.array([shadows.recorded[t][shadow] for t in range(steps + 1)])
        assert np.allclose(ours, iterates, rtol=1e-9, atol=1e-11)
        assert np.allclose(shadows.final[shadow], released, rtol=1e-9, atol=1e-11)


def test_an_empty_request_or_rows_outside_a_batch_change_nothing():
    """Rows 40.. are in no batch: removing them leaves every iterate as it was, with any normalizer."""
    batches = cycle(20)[:2]
    learn, unlearn = (dataclasses.replace(p, batches=batches) for p in (LEARN, UNLEARN))
    for normalizer in ("fixed", "current", "sum"):
        far, none = (
            softmax_run(normalizer=normalizer, learn=learn, requests=(Request(rows, unlearn),))
            for rows in ((45, 59), ())
        )
        for world in ("P", "Q"):
            assert np.array_equal(train(far, world, 8).final, train(none, world, 8).final)


def test_a_batch_whose_rows_are_all_removed_only_decays():
    phase = Phase(1, F(1), F(0), ((7,),))
    for loss in RUNS:
        start = Start((F(1),) * RUNS[loss]().parameters, F(0))
        run = RUNS[loss](start=start, learn=phase, reference=Reference("retrained", 1))
        assert np.allclose(train(run, "Q", 2).final, 1 - 1 / 20)


@pytest.mark.parametrize(("world", "variance"), [("P", 1 / 36), ("Q", 1 / 9)])
def test_output_noise_has_its_variance_and_changes_nothing_else(world, variance):
    """Mean and variance of 24 000 numbers at 1e-5 each."""
    reference = dataclasses.replace(ridge_run().reference, output_variance=F(1, 9))
    noisy = ridge_run(output_variance=F(1, 36), reference=reference)
    plain = train(ridge_run(), world, 4000, seed=2, record=(60,))
    shadows = train(noisy, world, 4000, seed=2, record=(60,))
    assert np.array_equal(shadows.recorded[60], plain.recorded[60])
    added = (shadows.final - plain.final) / np.sqrt(variance)
    assert chi2.isf(1 - 5e-6, added.size) < (added**2).sum() < chi2.isf(5e-6, added.size)
    assert added.size * added.mean() ** 2 < chi2.isf(1e-5, 1)
    correlations = np.corrcoef(added.T, plain.final.T)[:6, 6:]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


def test_the_first_stage_of_a_longer_run_is_the_shorter_run():
    run = RUNS["huber"](**two_requests(output_variance=F(0)))
    whole = train(run, "P", 64, seed=6, record=(22,))
    assert np.array_equal(whole.recorded[22], train(run.after(1), "P", 64, seed=6).final)


def test_streams_are_independent():
    """Pairs of (start, learn, unlearn 0, unlearn 1, unlearn 2, output): 15 correlations of 2048
    numbers, false alarm below 15 * 6e-7; first draws follow one generator seeded by the triple."""
    stream = PhiloxNoise(3).open("Q", range(2, 3), 8)
    kinds = [("start", 0), ("learn", 0), *(("unlearn", k) for k in range(3)), ("output", 0)]
    draws = [stream.draw(*kind).copy() for kind in kinds]
    correlations = np.corrcoef([draw.ravel() for draw in draws]) - np.eye(6)
    assert np.abs(correlations).max() < 5 / np.sqrt(2048)
    one = np.random.Generator(np.random.Philox(np.random.SeedSequence((3, 1, 2))))
    assert np.array_equal(np.array(draws[:3]), one.standard_normal((3, BLOCK, 8)))
    other_order = PhiloxNoise(3).open("Q", range(2, 3), 8)
    for kind, draw in list(zip(kinds, draws, strict=True))[:2:-1]:
        assert np.array_equal(other_order.draw(*kind), draw)


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
    from certaudit.audit.shadows import train as module

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


@pytest.mark.parametrize(
    "change",
    [
        {"l2": F(1, 21)},
        {"normalizer": "current"},
        {"projection": F(1)},
        {"clip": Clip(F(1), regularizer=False)},
        {"threshold": F(1, 6)},
        {"output_variance": F(1)},
        {"start": Start((F(1),) * 6, F(0))},
        {"learn": dataclasses.replace(LEARN, batches=cycle(20))},
        {"requests": (Request((8,), UNLEARN),)},
        {"requests": (Request((7,), dataclasses.replace(UNLEARN, batches=cycle(20))),)},
        {"requests": (Request((7,), UNLEARN), Request((), UNLEARN))},
        {"reference": Reference("unlearn-retrained", 60, F(1, 4))},
        {"reference": Reference("unlearn-retrained", 60, None, F(1, 4))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_determines_the_models_is_in_the_key(change):
    run = RUNS["huber"]()
    assert digest(run) != digest(dataclasses.replace(run, **change))
    assert digest(run) == digest(dataclasses.replace(run, assumptions=("another",)))


def test_divergence_names_the_world_the_shadow_and_the_seed():
    run = ridge_run(learn=Phase(5000, F(100), F(1)), reference=Reference("unlearn-retrained", 5000))
    with pytest.raises(ShadowError, match=r"world Q, shadow 0, seed 5") as caught:
        train(run, "Q", 8, seed=5)
    assert caught.value.finished.final.shape == (0, 6)
