"""Runs and noise sources the shadow and attack tests share."""

import dataclasses
from fractions import Fraction as F

import numpy as np

from certaudit.run import Phase, Reference, Run, Start
from certaudit.shadows.noise import PhiloxNoise


def ridge_run(**changes):
    """A small run with the shape of the diabetes one: 60 unit rows in 6 dimensions."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(60, 6))
    y = X @ rng.normal(size=6) + rng.normal(size=60)
    base = Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True),
        y=y / np.abs(y).max(),
        loss="ridge",
        l2=F(1, 20),
        normalizer="fixed",
        learn=Phase(60, F(5, 2), F(1, 2500)),
        unlearn=Phase(10, F(5, 2), F(1, 2500)),
        start=Start((F(0),) * 6, F(0)),
        projection=None,
        clip=None,
        forget=(7,),
        reference=Reference("unlearn-retrained", 60),
        release="final",
    )
    return dataclasses.replace(base, **changes)


def logistic_run(**changes):
    run = ridge_run(loss="logistic", **changes)
    return dataclasses.replace(run, y=np.where(run.y > 0, 1.0, -1.0))


class SilentPhases:
    """Test double: the noise of the phases named is left out of the shadow code path."""

    def __init__(self, seed, *phases):
        self.inner, self.phases = PhiloxNoise(seed), phases

    def open(self, world, blocks, d):
        stream = self.inner.open(world, blocks, d)
        phases = self.phases

        class Stream:
            def draw(self, phase):
                return stream.draw(phase) * (phase not in phases)

        return Stream()
