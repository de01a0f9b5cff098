"""Noise that depends on the seed, the world and the shadow alone, never on how a batch is cut."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ShadowWorld = Literal["P", "Q"]
PhaseName = Literal["start", "learn", "unlearn"]

BLOCK = 256
"""Shadows that share one generator; a batch is cut between blocks only."""


class NoiseStream(Protocol):
    """Standard normal draws of one batch of shadows, asked for in the order of the steps."""

    def draw(self, phase: PhaseName) -> Floats:
        """Return the next (shadows, d) standard normal draws."""
        ...


class NoiseSource(Protocol):
    """Opens the streams of whole blocks of shadows of a world."""

    def open(self, world: ShadowWorld, blocks: range, d: int) -> NoiseStream:
        """Return the stream of the shadows in ``blocks``, (len(blocks) * BLOCK, d) a draw."""
        ...


class PhiloxNoise:
    """One counter-based Philox generator for every world and block of BLOCK shadows.

    Source: Salmon et al. 2011, as implemented by numpy.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def open(self, world: ShadowWorld, blocks: range, d: int) -> NoiseStream:
        """Return the stream of the blocks; see NoiseSource."""
        key = {"P": 0, "Q": 1}[world]
        generators = [
            np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, key, block))))
            for block in blocks
        ]
        return _BlockStream(generators, d)


class _BlockStream:
    def __init__(self, generators: list[np.random.Generator], d: int) -> None:
        self._generators = generators
        self._buffer = np.empty((len(generators) * BLOCK, d))

    def draw(self, phase: PhaseName) -> Floats:
        for k, generator in enumerate(self._generators):
            generator.standard_normal(out=self._buffer[k * BLOCK : (k + 1) * BLOCK])
        return self._buffer
