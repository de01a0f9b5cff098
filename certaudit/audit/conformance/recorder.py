"""Record a trace of the built-in dynamics."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from certaudit.audit.conformance.trace import Trace
from certaudit.audit.shadows.noise import NoiseSource, PhaseName, PhiloxNoise
from certaudit.audit.shadows.walk import initial, walk
from certaudit.run import Run, World

Floats = NDArray[np.float64]


def record(run: Run, world: World, *, seed: int = 0, noise: NoiseSource | None = None) -> Trace:
    """Trace of shadow 0 of ``world``: the first model of ``shadows.train``, before output noise."""
    source = PhiloxNoise(seed) if noise is None else noise
    stream = source.open(world, range(1), run.parameters)

    def normal(phase: PhaseName, request: int = 0) -> torch.Tensor:
        return torch.from_numpy(stream.draw(phase, request)[:1])

    kept = list(walk(run, world, initial(run, normal, torch.float64), normal))
    count, parameters = len(kept), run.parameters
    # Clipping happens inside the gradient: the largest norm is at most the clip's by construction.
    limit = np.nan if run.clip is None else float(run.clip.norm)
    radius = np.nan if run.projection is None else float(run.projection)

    def column(numbers: list[torch.Tensor]) -> Floats:
        return np.array([one[0].numpy() for one in numbers]).reshape(count, parameters)

    return Trace(
        phase=np.array([step.phase for step in kept], dtype=np.int64),
        step_size=np.array([step.step_size for step in kept]),
        noise=column([step.noise for step in kept]),
        before=column([step.before for step in kept]),
        after=column([step.after for step in kept]),
        rows=tuple(np.array(run.rows(step.batch), dtype=np.int64) for step in kept),
        largest_gradient=np.full(count, limit),
        radius=np.full(count, radius),
    )
