"""What the oracles take a run to do: its steps, its gradients, its random draws."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles import gradients, networks
from oracles.generate import KINDS, random_run
from oracles.worlds import Step, steps

from certaudit.run import Network

FIELDS = {"Clip", "Network", "Phase", "Reference", "Request", "Run", "Start"}


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_the_runs_own_schedule(kind):
    for index in range(80):
        run = random_run(kind, index)
        for world in ("P", "Q"):
            theirs = [
                Step(run.rows(s.batch), run.count(s.batch), s.step_size, s.noise_variance)
                for s in run.schedule(world)
                for _ in range(s.count)
            ]
            ours = steps(run, world)
            assert [s.rows for s in ours] == [s.rows for s in theirs]
            assert all(a == b or not a.rows for a, b in zip(ours, theirs, strict=True))


def loss(run, row, w):
    """The loss of a row at one model, as its formula."""
    x, y = run.X[row].astype(float), float(run.y[row])
    if run.loss == "softmax":
        u = x @ w.reshape(-1, run.classes)
        return np.logaddexp.reduce(u) - u[int(y)]
    u = x @ w
    if run.loss == "logistic":
        return np.logaddexp(0, -y * u)
    if run.loss == "ridge" or abs(u - y) <= run.threshold:
        return (u - y) ** 2 / 2
    return float(run.threshold) * (abs(u - y) - float(run.threshold) / 2)


@pytest.mark.parametrize("index", range(60))
def test_gradients_are_slopes_of_the_losses(index):
    run = random_run("sampled", index)
    if run.network is not None:
        return
    rng = np.random.default_rng(index)
    models = rng.normal(size=(3, len(run.start.mean)))
    found = gradients.examples(run, tuple(range(len(run.X))), models)
    h = 1e-5
    for k, w in enumerate(models):
        for row in range(len(run.X)):
            for j, axis in enumerate(np.eye(len(w)) * h):
                slope = (loss(run, row, w + axis) - loss(run, row, w - axis)) / (2 * h)
                assert found[k, row, j] == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("network", "features"),
    [
        (Network("mlp", (3, 2), "tanh"), 4),
        (Network("mlp", (3,), "relu"), 2),
        (Network("cnn", (2,), "relu", (2, 2), 2), 4),
        (Network("cnn", (2, 3), "tanh", (3, 4), 2), 12),
        (Network("cnn", (2,), "tanh", (1, 3), 1), 3),
    ],
)
def test_gradients_of_networks_are_those_of_torch(network, features):
    rng = np.random.default_rng(features)
    run = random_run("sampled", 0)
    run = type(run)(**{**vars(run), "network": network, "classes": 3})
    X, y = rng.normal(size=(5, features)), np.array([0.0, 1, 2, 1, 0])
    models = rng.normal(size=(3, networks.parameters(network, features, 3)))
    found = networks.examples(run, X, y, models)
    for k, w in enumerate(models):
        for row in range(5):
            expected = by_torch(network, w, X[row], int(y[row]))
            np.testing.assert_allclose(found[k, row], expected, rtol=1e-9, atol=1e-12)


def by_torch(network, w, x, label):
    w = torch.tensor(w, requires_grad=True)
    now = torch.tensor(x)[None]
    if network.image is not None:
        now = now.reshape(1, 1, *network.image)
    shapes = network.shapes(len(x), 3)
    parts = [
        p.reshape(s)
        for p, s in zip(torch.split(w, [int(np.prod(s)) for s in shapes]), shapes, strict=True)
    ]
    for k in range(0, len(parts), 2):
        weight, bias = parts[k : k + 2]
        if weight.ndim == 4:
            now = torch.nn.functional.conv2d(now, weight, bias)
        else:
            now = torch.nn.functional.linear(now.flatten(1), weight, bias)
        if k < len(parts) - 2:
            now = torch.tanh(now) if network.activation == "tanh" else torch.relu(now)
    torch.nn.functional.cross_entropy(now, torch.tensor([label])).backward()
    return w.grad.numpy()


def test_clipping_and_projection_keep_directions():
    run = random_run("sampled", 0)
    each = np.array([[[3.0, 4.0], [0.3, 0.4]]])
    np.testing.assert_allclose(gradients.clipped(each, 1.0), [[[0.6, 0.8], [0.3, 0.4]]])
    ball = type(run)(**{**vars(run), "projection": 1})
    np.testing.assert_allclose(gradients.projected(ball, np.array([[3.0, 4.0]])), [[0.6, 0.8]])


@pytest.mark.parametrize("kind", KINDS)
def test_random_runs_are_valid_and_the_same_each_time(kind):
    for index in range(100):
        run = random_run(kind, index)
        again = random_run(kind, index)
        assert (run.X == again.X).all()
        assert (run.requests, run.learn, run.start) == (again.requests, again.learn, again.start)
        gone = [row for request in run.requests for row in request.rows]
        assert 0 < len(gone) == len(set(gone)) < len(run.X)
        assert all(request.rows and request.unlearn.steps > 0 for request in run.requests)
        assert run.learn.step_size > 0
        assert len(run.start.mean) == run.parameters
        if run.loss == "logistic":
            assert set(run.y) <= {-1.0, 1.0}


def test_random_runs_use_every_key():
    runs = [random_run(kind, index) for kind in KINDS for index in range(150)]
    assert {run.loss for run in runs} == {"ridge", "logistic", "huber", "softmax", "network"}
    assert {run.normalizer for run in runs} == {"fixed", "current", "sum"}
    assert {run.release for run in runs} == {"final", "before-and-after", "every-step"}
    assert {run.reference.kind for run in runs} == {"unlearn-retrained", "retrained"}
    assert {run.clip and run.clip.regularizer for run in runs} == {None, True, False}
    assert {len(run.requests) for run in runs} >= {1, 2, 3}
    for has in (
        lambda run: run.projection,
        lambda run: run.output_variance,
        lambda run: run.reference.output_variance is not None,
        lambda run: run.reference.unlearn_variance is not None,
        lambda run: run.start.variance,
        lambda run: any(run.start.mean),
        lambda run: run.learn.noise_variance == 0,
        lambda run: any(r.unlearn.noise_variance == 0 for r in run.requests),
        lambda run: run.learn.batches,
        lambda run: any(r.unlearn.batches != run.learn.batches for r in run.requests),
        lambda run: any(r.unlearn.step_size != run.learn.step_size for r in run.requests),
        lambda run: run.learn.step_size * run.l2 > 2,
        lambda run: any(not step.rows for step in steps(run, "Q")),
        lambda run: len(steps(run, "Q")) != len(steps(run, "P")),
        lambda run: (np.linalg.norm(run.X.astype(float), axis=1) == 0).any(),
        lambda run: run.network is not None and run.network.image is not None,
    ):
        assert any(has(run) for run in runs)
        assert not all(has(run) for run in runs)


def test_the_oracles_read_plain_fields_only():
    """Of the package only the run's record and the claims, but in the module that asks the prover."""
    for file in Path(__file__).parent.glob("*.py"):
        if file.name.startswith("test_") or file.name == "prover.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("certaudit"):
                assert node.module in ("certaudit.run", "certaudit.claims"), file
                if node.module == "certaudit.run":
                    assert {alias.name for alias in node.names} <= FIELDS, file
            if isinstance(node, ast.Import):
                assert not any(a.name.startswith("certaudit") for a in node.names), file
            if isinstance(node, ast.Attribute):
                own = isinstance(node.value, ast.Name) and node.value.id == "run"
                called = {"program", "schedule", "rows", "count", "kept", "forget", "output_noise"}
                assert not (own and node.attr in called), (file, node.attr)
