"""Batched networks against plain modules of torch, one model at a time."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
import torch
from torch import nn

from certaudit.audit.attack import audit
from certaudit.audit.rows import Rows
from certaudit.audit.shadows.dynamics import gradient
from certaudit.audit.shadows.train import train
from certaudit.claims import EpsilonDelta
from certaudit.run import Batch, Clip, Network, Phase, Reference, Request, Run, Start

MLP = Network("mlp", (5, 4), "tanh")
CNN = Network("cnn", (2, 3), "relu", (4, 4), 2)
MODULES = {
    MLP: lambda: nn.Sequential(nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)),
    CNN: lambda: nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)),
        nn.Conv2d(1, 2, 2),
        nn.ReLU(),
        nn.Conv2d(2, 3, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(3 * 2 * 2, 3),
    ),
}
EACH = pytest.mark.parametrize("network", [MLP, CNN], ids=["mlp", "cnn"])


def run(network=MLP, **changes):
    rng = np.random.default_rng(1)
    phase = Phase(12, F(1, 2), F(1, 100), ((0, 1, 2, 3), (4, 5, 6, 7)))
    values = {
        "X": rng.normal(size=(8, 16)),
        "y": rng.integers(0, 3, 8).astype(float),
        "loss": "network",
        "l2": F(1, 10),
        "normalizer": "fixed",
        "learn": phase,
        "requests": (Request((2,), replace(phase, steps=4)),),
        "start": Start((F(0),) * network.parameters(16, 3), F(1, 4)),
        "projection": None,
        "clip": None,
        "reference": Reference("unlearn-retrained", 12),
        "release": "final",
        "classes": 3,
        "network": network,
    }
    return Run(**{**values, **changes})


def module(network, vector):
    """A torch module that holds the parameters."""
    made = MODULES[network]().double()
    nn.utils.vector_to_parameters(torch.from_numpy(vector), made.parameters())
    return made


def slow_row_gradients(network, vector, X, y):
    """Gradient of the loss at each row by plain autograd, (n, p)."""
    made, found = module(network, vector), []
    for x, label in zip(X, y, strict=True):
        made.zero_grad()
        out = made(torch.from_numpy(x[None]))
        nn.functional.cross_entropy(out, torch.tensor([int(label)])).backward()
        found.append(torch.cat([p.grad.ravel() for p in made.parameters()]).numpy().copy())
    return np.array(found)


@EACH
@pytest.mark.parametrize("clip", [None, Clip(F(1, 5), False), Clip(F(1, 5), True)], ids=str)
def test_gradients_are_autograds(network, clip):
    case = run(network, clip=clip)
    models = np.random.default_rng(2).normal(size=(3, case.parameters)) / 2
    batch = Batch((0, 1, 2, 3), (2,))
    found = gradient(case, batch, torch.float64)(torch.from_numpy(models)).numpy()
    rows = [0, 1, 3]
    for w, one in zip(models, found, strict=True):
        each = slow_row_gradients(network, w, case.X[rows], case.y[rows])
        decay = 0.1 * w
        if clip is not None:
            each = each + (decay if clip.regularizer else 0)
            norms = np.linalg.norm(each, axis=1, keepdims=True)
            assert (norms > 0.2).any()
            each = each * np.minimum(1, 0.2 / norms)
        inside = clip is not None and clip.regularizer
        wanted = each.sum(axis=0) / 4 + (0 if inside else decay)
        np.testing.assert_allclose(one, wanted, rtol=1e-9, atol=1e-12)


@EACH
def test_rows_of_a_network(network):
    case = run(network)
    models = np.random.default_rng(3).normal(size=(4, case.parameters))
    rows = Rows(case, (2, 5))
    for k, w in enumerate(models):
        out = module(network, w)(torch.from_numpy(case.X[[2, 5]])).detach()
        labels = torch.tensor(case.y[[2, 5]]).long()
        losses = nn.functional.cross_entropy(out, labels, reduction="none").numpy()
        np.testing.assert_allclose(rows.losses(models)[k], losses, rtol=1e-9)
        p = np.exp(-losses)
        np.testing.assert_allclose(rows.confidences(models)[k], np.log(p / (1 - p)), rtol=1e-6)
        norms = np.linalg.norm(slow_row_gradients(network, w, case.X[[2, 5]], case.y[[2, 5]]), axis=1)
        np.testing.assert_allclose(rows.gradient_norms(models)[k], norms, rtol=1e-9)


@EACH
def test_shadows_do_not_depend_on_how_they_are_cut(network):
    case = run(network, clip=Clip(F(1, 2), False))
    whole = train(case, "P", 520, seed=3).final
    np.testing.assert_array_equal(train(case, "P", 520, seed=3, chunk=256).final, whole)
    np.testing.assert_array_equal(train(case, "P", 100, seed=3).final, whole[:100])
    np.testing.assert_array_equal(train(case, "P", 8, seed=3, first=512).final, whole[512:])


CLAIM = [EpsilonDelta("c", F(1, 10), F(1, 10**5))]
SETTINGS = {"shadows": 256, "confidence": F(19, 20), "seed": 0, "dtype": "float32"}


def test_fine_tuning_that_forgets_nothing_is_refuted():
    quiet = Phase(40, F(1, 2), F(0), ((0, 1, 2, 3), (4, 5, 6, 7)))
    stay = (Request((2,), replace(quiet, steps=1, step_size=F(1, 1000))),)
    case = run(learn=quiet, requests=stay, reference=Reference("unlearn-retrained", 40), l2=F(0))
    (result,) = audit(case, CLAIM, **SETTINGS).claims
    assert result.refuted


def test_retraining_is_not_refuted():
    """Both worlds retrain without the row: with other seeds refuted with probability at most 0.05."""
    case = run()

    def retrained(part, world, first, count):
        return train(part, "Q", count, seed=9 + 100 * first + (world == "P"))

    (result,) = audit(case, CLAIM, foreign=retrained, **SETTINGS | {"shadows": 128}).claims
    assert not result.refuted
