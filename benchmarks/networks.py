"""Batched training of network shadows against a Python loop over models, in one run.

The loop trains plain torch modules with autograd, per-example gradients by one backward pass a row, as a
first implementation would; another loop uses torch.func for one model at a time.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from certaudit import session
from certaudit.audit.shadows.dynamics import gradient
from certaudit.audit.shadows.train import train
from certaudit.run import Batch

SPECS = Path(__file__).parents[1] / "specs"
STEPS, MODELS, ALONE = 6, 256, 4


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def short(name):
    """A spec's run, cut to a few steps of learning and one of unlearning."""
    (case,) = session.load([SPECS / f"{name}.yaml"])
    run = case.run
    (request,) = run.requests
    return replace(
        run,
        learn=replace(run.learn, steps=STEPS - 1),
        requests=(replace(request, unlearn=replace(request.unlearn, steps=1)),),
        reference=replace(run.reference, steps=STEPS - 1),
    )


def module(run):
    layers, activation = [], {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[run.network.activation]
    shapes = run.network.shapes(run.d, run.classes)[::2]
    if run.network.image is not None:
        layers.append(torch.nn.Unflatten(1, (1, *run.network.image)))
    for shape in shapes[:-1]:
        convolution = len(shape) == 4
        layers.append(
            torch.nn.Conv2d(shape[1], shape[0], shape[2])
            if convolution
            else torch.nn.Linear(shape[1], shape[0])
        )
        layers.append(activation())
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(*shapes[-1][::-1]))


def by_autograd(run, models):
    """One model after another."""
    x = torch.tensor(np.asarray(run.X), dtype=torch.float32)
    y = torch.tensor(run.y).long()
    eta, std = float(run.learn.step_size), float(run.learn.noise_variance) ** 0.5
    for _ in range(models):
        one = module(run)
        parameters = list(one.parameters())
        for t in range(STEPS):
            rows = list(run.learn.batches[t % len(run.learn.batches)])
            if run.clip is None:
                loss = torch.nn.functional.cross_entropy(one(x[rows]), y[rows], reduction="sum")
                total = torch.autograd.grad(loss, parameters)
            else:
                total = [torch.zeros_like(p) for p in parameters]
                for j in rows:
                    loss = torch.nn.functional.cross_entropy(one(x[j : j + 1]), y[j : j + 1])
                    slopes = torch.autograd.grad(loss, parameters)
                    norm = float(sum((g**2).sum() for g in slopes)) ** 0.5
                    for sum_, slope in zip(total, slopes, strict=True):
                        sum_ += slope * min(1.0, float(run.clip.norm) / max(norm, 1e-30))
            with torch.no_grad():
                for p, g in zip(parameters, total, strict=True):
                    p -= eta * (g / len(rows) + float(run.l2) * p)
                    p += std * torch.randn_like(p)


def one_by_one(run, models):
    """The batched gradient, asked for one model at a time."""
    eta, std = float(run.learn.step_size), float(run.learn.noise_variance) ** 0.5
    slopes = [gradient(run, Batch(rows, ()), torch.float32) for rows in run.learn.batches[:STEPS]]
    for _ in range(models):
        w = 0.2 * torch.randn(1, run.parameters)
        for slope in slopes:
            w = w - eta * slope(w) + std * torch.randn_like(w)


for name in ("digits-mlp-sgld", "digits-cnn-finetune"):
    run = short(name)
    train(run, "P", MODELS, dtype="float32")
    together = seconds(lambda run=run: train(run, "P", MODELS, dtype="float32")) / MODELS / STEPS
    by_autograd(run, 1)
    alone = seconds(lambda run=run: by_autograd(run, ALONE)) / ALONE / STEPS
    single = seconds(lambda run=run: one_by_one(run, 16)) / 16 / STEPS
    print(
        f"{name}: {run.parameters} parameters, {together * 1e6:.0f} us a model and step; "
        f"modules one by one {alone / together:.0f} times that, torch.func one by one "
        f"{single / together:.1f} times"
    )
