"""Train the shadow models of one world, all at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from certaudit.run import Phase, Run
from certaudit.shadows.dynamics import DataWorld, gradient, project
from certaudit.shadows.noise import BLOCK, NoiseSource, PhaseName, PhiloxNoise, ShadowWorld
from certaudit.shadows.store import ShadowStore, digest

Floats = NDArray[np.float64]

CHUNK_BLOCKS = 16
MARGIN_BYTES = 1 << 30
DTYPES = {"float64": torch.float64, "float32": torch.float32}


class ShadowError(Exception):
    """Shadow training broke down; names the world, the shadow and the seed that reproduce it."""


@dataclass(frozen=True)
class Shadows:
    """Trained models of one world.

    final: (shadows, d).  recorded[t]: (shadows, d), the iterates w_t of the learning phase.
    """

    final: Floats
    recorded: dict[int, Floats]


def train(
    run: Run,
    world: ShadowWorld,
    shadows: int,
    *,
    seed: int = 0,
    dtype: str = "float64",
    noise: NoiseSource | None = None,
    record: Sequence[int] = (),
    store: ShadowStore | None = None,
    chunk: int | None = None,
) -> Shadows:
    """Train ``shadows`` independent models of world P (learn on D, unlearn) or Q (the reference).

    ``record`` names learning steps t whose iterates w_t are returned as well.  ``chunk`` cuts the
    shadows into batches of that many (rounded up to whole blocks); the result does not depend on
    it.  Finished chunks go to ``store`` and are taken from it.

    Raises:
        ShadowError: if a model leaves the finite numbers.
    """
    record = tuple(sorted(set(record)))
    size = _chunk_size(run, chunk)
    source = PhiloxNoise(seed) if noise is None else noise
    pieces: list[Floats] = []
    schedule = list(_schedule(run, world))
    total = sum(phase.steps for _, phase, _ in schedule) * -(-shadows // size)
    with tqdm(
        total=total,
        desc=f"shadows of world {world}",
        unit="step",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        delay=1.0,
        leave=False,
    ) as bar:
        for first in range(0, shadows, size):
            count = min(size, shadows - first)
            key = digest(run, world, first, count, seed, dtype, record)
            # A foreign noise source is not part of the key, so its chunks are not stored.
            keep = store if noise is None else None
            piece = keep.load(key) if keep is not None else None
            if piece is None:
                piece = _train_chunk(run, world, schedule, source, first, count, dtype, record, bar)
                _require_finite(piece, world, first, seed)
                if keep is not None:
                    keep.save(key, piece)
            pieces.append(piece)
    everything = np.concatenate(pieces, axis=1)
    recorded = dict(zip(record, everything[1:], strict=True))
    return Shadows(final=everything[0], recorded=recorded)


Stage = tuple[PhaseName, Phase, DataWorld]


def _schedule(run: Run, world: ShadowWorld) -> Iterator[Stage]:
    if world == "P":
        yield "learn", run.learn, "D"
        yield "unlearn", run.unlearn, "D'"
    elif run.reference.kind == "unlearn-retrained":
        yield "learn", run.learn, "D'"
        yield "unlearn", run.unlearn, "D'"
    else:
        steps, learn = run.reference.steps, run.learn
        yield "learn", Phase(steps, learn.step_size, learn.noise_variance), "D'"


def _train_chunk(
    run: Run,
    world: ShadowWorld,
    schedule: list[Stage],
    source: NoiseSource,
    first: int,
    count: int,
    dtype: str,
    record: tuple[int, ...],
    bar: tqdm[Never],
) -> Floats:
    """(1 + len(record), count, d): the final models, then the iterates recorded."""
    kind = DTYPES[dtype]
    stream = source.open(world, range(first // BLOCK, -(-(first + count) // BLOCK)), run.d)

    def normal(phase: PhaseName) -> torch.Tensor:
        return torch.from_numpy(stream.draw(phase)).to(kind)

    radius = None if run.projection is None else float(run.projection)
    mean = torch.tensor([float(x) for x in run.start.mean], dtype=kind)
    models = mean + float(run.start.variance) ** 0.5 * normal("start")
    kept: dict[int, torch.Tensor] = {0: models}
    for name, phase, data in schedule:
        slope = gradient(run, data, kind)
        step, spread = float(phase.step_size), float(phase.noise_variance) ** 0.5
        for t in range(1, phase.steps + 1):
            models = project(models - step * slope(models) + spread * normal(name), radius)
            if name == "learn" and t in record:
                kept[t] = models
            bar.update()
    iterates = [models, *(kept[t] for t in record)]
    return np.stack([one[:count].double().numpy() for one in iterates])


def _chunk_size(run: Run, chunk: int | None) -> int:
    blocks = CHUNK_BLOCKS if chunk is None else -(-chunk // BLOCK)
    affordable = MARGIN_BYTES // (8 * run.n * BLOCK)
    return BLOCK * max(1, min(blocks, affordable))


def _require_finite(piece: Floats, world: ShadowWorld, first: int, seed: int) -> None:
    bad = np.flatnonzero(~np.isfinite(piece).all(axis=(0, 2)))
    if bad.size:
        raise ShadowError(
            f"world {world}, shadow {first + int(bad[0])}, seed {seed}: the model left the finite "
            f"numbers ({bad.size} shadows of this batch did)"
        )
