"""Noise that depends on the seed, the world and the shadow alone, never on how a batch is cut."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from certaudit.run import World

Floats = NDArray[np.float64]
PhaseName = Literal["start", "learn", "unlearn", "output"]

BLOCK = 256
"""Shadows that share one generator; a batch is cut between blocks only."""


class NoiseStream(Protocol):
    """Standard normal draws of one batch of shadows, asked for in the order of the steps."""

    def draw(self, phase: PhaseName, request: int = 0) -> Floats:
        """Return the next (shadows, parameters) draws; ``request`` says whose unlearning it is."""
        ...


class NoiseSource(Protocol):
    """Opens the streams of whole blocks of shadows of a world."""

    def open(self, world: World, blocks: range, parameters: int) -> NoiseStream:
        """Return the stream of the shadows in ``blocks``, (len(blocks) * BLOCK, parameters) a draw."""
        ...


class PhiloxNoise:
    """Counter-based Philox generators for every world and block of BLOCK shadows.

    One generator serves start, learning and the first request's unlearning; every later request's
    unlearning has its own, and so has the output, so that neither changes the other numbers.
    Source: Salmon et al. 2011, as implemented by numpy.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def open(self, world: World, blocks: range, parameters: int) -> NoiseStream:
        """Return the stream of the blocks; see NoiseSource."""
        key = {"P": 0, "Q": 1}[world]
        return _BlockStream([(self.seed, key, block) for block in blocks], parameters)


class _BlockStream:
    def __init__(self, entropies: list[tuple[int, int, int]], parameters: int) -> None:
        self._entropies = entropies
        self._generators: dict[tuple[int, ...], list[np.random.Generator]] = {}
        self._buffer = np.empty((len(entropies) * BLOCK, parameters))

    def draw(self, phase: PhaseName, request: int = 0) -> Floats:
        for k, generator in enumerate(self._of(_spawn_key(phase, request))):
            generator.standard_normal(out=self._buffer[k * BLOCK : (k + 1) * BLOCK])
        return self._buffer

    def _of(self, key: tuple[int, ...]) -> list[np.random.Generator]:
        if key not in self._generators:
            self._generators[key] = [
                np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy, spawn_key=key)))
                for entropy in self._entropies
            ]
        return self._generators[key]


def _spawn_key(phase: PhaseName, request: int) -> tuple[int, ...]:
    if phase == "output":
        return (1,)
    return (0, request) if phase == "unlearn" and request > 0 else ()
