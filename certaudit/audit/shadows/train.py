"""Train the shadow models of one world, all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from certaudit.audit.shadows.dynamics import TABLE_BYTES
from certaudit.audit.shadows.noise import BLOCK, NoiseSource, PhaseName, PhiloxNoise
from certaudit.audit.shadows.progress import progress
from certaudit.audit.shadows.store import ShadowStore, digest
from certaudit.audit.shadows.walk import initial, walk
from certaudit.run import Run, World

Floats = NDArray[np.float64]

MOST_AT_ONCE = 4096
DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class Shadows:
    """Trained models of one world.

    final: (shadows, parameters), the models released, output noise included; with release
    before-and-after (shadows, 2 parameters), the learned model and the released one.
    recorded[t]: (shadows, parameters), the iterates w_t, counted over all phases of the world.
    """

    final: Floats
    recorded: dict[int, Floats]

    def until(self, count: int) -> Shadows:
        """The first ``count`` of them."""
        return Shadows(self.final[:count], {t: one[:count] for t, one in self.recorded.items()})


Trainer = Callable[[Run, World, int, int], Shadows]
"""From a run, a world, the first shadow and how many, to those shadows; may raise ShadowError."""


class ShadowError(Exception):
    """Shadow training broke down at one model.

    The message names the world, the shadow and the seed that reproduce it; ``finished`` are the models
    asked for that come before it.
    """

    def __init__(self, message: str, finished: Shadows) -> None:
        super().__init__(message)
        self.finished = finished


def train(
    run: Run,
    world: World,
    shadows: int,
    *,
    first: int = 0,
    seed: int = 0,
    dtype: str = "float64",
    noise: NoiseSource | None = None,
    record: Sequence[int] = (),
    store: ShadowStore | None = None,
    chunk: int | None = None,
) -> Shadows:
    """Train ``shadows`` independent models of world P (learn, serve every request) or Q (the reference).

    ``first`` is the number of the first one, a multiple of BLOCK: shadow k is the same model whatever
    call trains it.  ``record`` names steps t, counted over all phases and at most their sum, whose
    iterates w_t are returned as well.  ``chunk`` cuts the shadows into batches of that many (rounded up
    to whole blocks); the result does not depend on it.  Finished chunks go to ``store`` and are taken
    from it.

    Raises:
        ShadowError: if a model leaves the finite numbers.
        ValueError: if ``first`` lies inside a block.
    """
    if first % BLOCK:
        raise ValueError(f"shadow {first} is not the first of a block of {BLOCK}")
    learned = _learned(run, world)
    record = tuple(sorted({*record, *learned}))
    size = _chunk_size(run, chunk)
    source = PhiloxNoise(seed) if noise is None else noise
    # A foreign noise source is not part of the key, so its chunks are not stored.
    keep = store if noise is None else None
    run_key = digest(run, world, seed, dtype, record) if keep is not None else ""
    pieces: list[Floats] = []
    total = sum(segment.phase.steps for segment in run.program(world)) * -(-shadows // size)
    with progress(world, total, "step") as bar:
        for start in range(first, first + shadows, size):
            count = min(size, first + shadows - start)
            key = f"{run_key}-{start}-{count}"
            piece = keep.load(key) if keep is not None else None
            if piece is None:
                piece = _train_chunk(run, world, source, start, count, dtype, record, bar)
                bad = _not_finite(piece)
                if bad.size:
                    finished = _shadows([*pieces, piece[:, : bad[0]]], record, learned)
                    raise ShadowError(_fault(world, start + int(bad[0]), seed, bad.size), finished)
                if keep is not None:
                    keep.save(key, piece)
            pieces.append(piece)
    return _shadows(pieces, record, learned)


def _learned(run: Run, world: World) -> tuple[int, ...]:
    """The step that ends learning, where an observer sees its model."""
    return (run.program(world)[0].phase.steps,) if run.release == "before-and-after" else ()


def _shadows(pieces: list[Floats], record: tuple[int, ...], learned: tuple[int, ...]) -> Shadows:
    everything = np.concatenate(pieces, axis=1)
    recorded = dict(zip(record, everything[1:], strict=True))
    return Shadows(np.hstack([*(recorded[t] for t in learned), everything[0]]), recorded)


def _train_chunk(
    run: Run,
    world: World,
    source: NoiseSource,
    first: int,
    count: int,
    dtype: str,
    record: tuple[int, ...],
    bar: tqdm[Never],
) -> Floats:
    """(1 + len(record), count, parameters): the final models, then the iterates recorded."""
    kind = DTYPES[dtype]
    stream = source.open(world, range(first // BLOCK, -(-(first + count) // BLOCK)), run.parameters)

    def normal(phase: PhaseName, request: int = 0) -> torch.Tensor:
        return torch.from_numpy(stream.draw(phase, request)).to(kind)

    models = initial(run, normal, kind)
    kept = {0: models}
    for done, step in enumerate(walk(run, world, models, normal), start=1):
        models = step.after
        if done in record:
            kept[done] = models
        bar.update()
    output = float(run.output_noise(world)) ** 0.5
    released = models + output * normal("output") if output else models
    iterates = [released, *(kept[t] for t in record)]
    return np.stack([one[:count].double().numpy() for one in iterates])


def _chunk_size(run: Run, chunk: int | None) -> int:
    if chunk is None:
        chunk = min(MOST_AT_ONCE, TABLE_BYTES // (8 * run.parameters))
        return BLOCK * max(1, chunk // BLOCK)
    return BLOCK * max(1, -(-chunk // BLOCK))


def _not_finite(piece: Floats) -> NDArray[np.intp]:
    return np.flatnonzero(~np.isfinite(piece).all(axis=(0, 2)))


def _fault(world: World, shadow: int, seed: int, bad: int) -> str:
    return (
        f"world {world}, shadow {shadow}, seed {seed}: the model left the finite numbers "
        f"({bad} shadows of this batch did)"
    )
