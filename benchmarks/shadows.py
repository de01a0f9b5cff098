"""Shadow training against Python loops over models, against the noise it must draw and the two
matrix products it must make."""

import sys
import time
from dataclasses import replace
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from sklearn.datasets import load_diabetes, load_digits

from certaudit.audit.shadows.noise import BLOCK, PhiloxNoise
from certaudit.audit.shadows.train import train
from certaudit.run import Phase, Reference, Request, Run, Start


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    phase = Phase(200, F(5, 2), F(1, 2500))
    return Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True),
        y=(y - y.mean()) / np.abs(y - y.mean()).max(),
        loss="ridge",
        l2=F(1, 20),
        normalizer="fixed",
        learn=phase,
        requests=(Request((7,), replace(phase, steps=20)),),
        start=Start((F(0),) * X.shape[1], F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 200),
        release="final",
    )


def digits(size):
    X, y = load_digits(return_X_y=True)
    batches = tuple(tuple(range(k, min(k + size, len(X)))) for k in range(0, len(X), size))
    phase = Phase(9, F(1), F(1, 2500), batches if len(batches) > 1 else ())
    return replace(
        diabetes(),
        X=X / np.linalg.norm(X, axis=1, keepdims=True),
        y=y.astype(float),
        loss="softmax",
        classes=10,
        learn=phase,
        requests=(Request((7,), replace(phase, steps=1)),),
        start=Start((F(0),) * 640, F(0)),
        reference=Reference("unlearn-retrained", 9),
    )


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def noise_alone(run, count, steps):
    stream = PhiloxNoise(0).open("P", range(count // BLOCK), run.parameters)
    for _ in range(steps):
        stream.draw("learn")


def ridge_loop(run, chains):
    rng = np.random.default_rng(0)
    H = run.X.T @ run.X / run.n + float(run.l2) * np.eye(run.d)
    b, eta = run.X.T @ run.y / run.n, float(run.learn.step_size)
    std = float(run.learn.noise_variance) ** 0.5
    for _ in range(chains):
        w = np.zeros(run.d)
        for _ in range(run.learn.steps + run.requests[0].unlearn.steps):
            w = w - eta * (H @ w - b) + std * rng.standard_normal(run.d)


def softmax_loop(run, chains, steps):
    rng = np.random.default_rng(0)
    X, labels = run.X, run.y.astype(int)
    batches = [list(b) for b in run.learn.batches] or [list(range(run.n))]
    eta, l2, std = float(run.learn.step_size), float(run.l2), float(run.learn.noise_variance) ** 0.5
    for _ in range(chains):
        w = np.zeros((run.d, run.classes))
        for t in range(steps):
            rows = batches[t % len(batches)]
            u = X[rows] @ w
            p = np.exp(u - u.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(rows)), labels[rows]] -= 1
            w = w - eta * (X[rows].T @ p / len(rows) + l2 * w) + std * rng.standard_normal(w.shape)


def products(run, count, steps):
    """The two products of one step, alone, in the same chunks."""
    rows = len(run.learn.batches[0]) if run.learn.batches else run.n
    x = torch.tensor(run.X[:rows])
    models = torch.zeros(BLOCK * run.classes, run.d, dtype=torch.float64)
    for _ in range(steps * count // BLOCK):
        (models @ x.T) @ x


def report(name, times):
    print(f"{name}, a chain:", ", ".join(f"{k} {v * 1e6:.0f} us" for k, v in times.items()))
    batched = times.pop("batched")
    print("  ", ", ".join(f"{k} / batched = {v / batched:.2f}" for k, v in times.items()))


run, count = diabetes(), 4096
report(
    "ridge, 442 x 10, 220 steps",
    {
        "batched": seconds(lambda: train(run, "P", count)) / count,
        "looped": seconds(lambda: ridge_loop(run, 20)) / 20,
        "noise alone": seconds(lambda: noise_alone(run, count, 220)) / count,
    },
)
for rows, count in ((1797, BLOCK), (64, 4 * BLOCK)):
    run = digits(rows)
    report(
        f"softmax, digits in batches of {rows}, 10 steps",
        {
            "batched": seconds(lambda: train(run, "P", count)) / count,  # noqa: B023
            "looped": seconds(lambda: softmax_loop(run, 20, 10)) / 20,  # noqa: B023
            "noise alone": seconds(lambda: noise_alone(run, count, 10)) / count,  # noqa: B023
            "products alone": seconds(lambda: products(run, count, 10)) / count,  # noqa: B023
        },
    )
