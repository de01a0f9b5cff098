"""Tiny runs with dyadic data."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np

from certaudit.run import Phase, Reference, Request, Run, Start


def tiny(loss="ridge", d=2, n=5, seed=0, **changes):
    """A run with dyadic data: 4 steps of learning, row 1 leaves, 3 steps of unlearning."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 9, (n, d)) / 8.0
    y = rng.choice([-1.0, 1.0], n) if loss == "logistic" else rng.integers(-8, 9, n) / 8.0
    run = Run(
        X=x,
        y=y,
        loss=loss,
        l2=F(1, 8),
        normalizer="fixed",
        learn=Phase(4, F(1, 2), F(1, 16)),
        requests=(Request((1,), Phase(3, F(1, 2), F(1, 16))),),
        start=Start((F(1, 4),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 4),
        release="final",
        threshold=F(1, 2) if loss == "huber" else None,
    )
    run = replace(run, **changes)
    if "reference" in changes:
        return run
    return replace(run, reference=Reference("unlearn-retrained", run.learn.steps))
