"""Record a trace of the built-in dynamics."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from certaudit.conformance.trace import Trace
from certaudit.run import Run, World
from certaudit.shadows.dynamics import gradient, project
from certaudit.shadows.noise import NoiseSource, PhaseName, PhiloxNoise

Floats = NDArray[np.float64]


def record(run: Run, world: World, *, seed: int = 0, noise: NoiseSource | None = None) -> Trace:
    """Trace of shadow 0 of ``world``: the first model of ``shadows.train``, before output noise."""
    source = PhiloxNoise(seed) if noise is None else noise
    stream = source.open(world, range(1), run.parameters)

    def normal(phase: PhaseName, request: int = 0) -> Floats:
        return stream.draw(phase, request)[:1].copy()

    radius = None if run.projection is None else float(run.projection)
    model = np.array([float(x) for x in run.start.mean])
    model = model + float(run.start.variance) ** 0.5 * normal("start")
    kept = []
    for index, segment in enumerate(run.program(world)):
        batches, phase = segment.batches(), segment.phase
        step, spread = float(phase.step_size), float(phase.noise_variance) ** 0.5
        name: PhaseName = "learn" if index == 0 else "unlearn"
        for t in range(phase.steps):
            batch = batches[t % len(batches)]
            added = spread * normal(name, max(index - 1, 0))
            slope = gradient(run, batch, torch.float64)(torch.from_numpy(model)).numpy()
            moved = torch.from_numpy(model - step * slope + added)
            after = project(moved, radius).numpy()
            rows = np.array(run.rows(batch), dtype=np.int64)
            kept.append((index, step, added[0], model[0], after[0], rows))
            model = after
    count, parameters = len(kept), run.parameters
    # Clipping happens inside the gradient: the largest norm is at most the clip's by construction.
    limit = np.nan if run.clip is None else float(run.clip.norm)
    return Trace(
        phase=np.array([k[0] for k in kept], dtype=np.int64),
        step_size=np.array([k[1] for k in kept]),
        noise=np.array([k[2] for k in kept]).reshape(count, parameters),
        before=np.array([k[3] for k in kept]).reshape(count, parameters),
        after=np.array([k[4] for k in kept]).reshape(count, parameters),
        rows=tuple(k[5] for k in kept),
        largest_gradient=np.full(count, limit),
        radius=np.full(count, np.nan if radius is None else radius),
    )
