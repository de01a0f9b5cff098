"""Models of certaudit's own dynamics that foreign code is compared with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.shadows.noise import BLOCK, NoiseStream, PhiloxNoise
from certaudit.audit.shadows.train import train
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]

TIMES = 2
"""Models of certaudit's own for one of the code's."""

PILOTS = 1 << 20
"""Number of the first shadow of those that give the direction; no compared one comes near it."""


def models(run: Run, count: int, seed: int, dtype: str) -> dict[World, Floats]:
    """``count`` models of each world.

    Raises:
        ShadowError: if one leaves the finite numbers.
    """
    return {world: train(run, world, count, seed=seed, dtype=dtype).final for world in WORLDS}


def direction(run: Run, seed: int) -> Callable[[Floats], Floats]:
    """A score along the difference of the worlds' means, in units of their noise.

    Both worlds draw the same noise, which cancels in the difference, so few models show it.

    Raises:
        ShadowError: if a model leaves the finite numbers.
    """
    shared = _SameInBothWorlds(seed)
    p, q = (train(run, world, BLOCK, first=PILOTS, noise=shared).final for world in WORLDS)
    found = LinearDiscriminant()
    found.fit(p, q)
    return found.score


class _SameInBothWorlds:
    def __init__(self, seed: int) -> None:
        self._inner = PhiloxNoise(seed)

    def open(self, world: World, blocks: range, parameters: int) -> NoiseStream:
        """See NoiseSource."""
        return self._inner.open("P", blocks, parameters)
