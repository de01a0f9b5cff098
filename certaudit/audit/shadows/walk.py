"""The steps of many models of one world, one after another (section 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from certaudit.audit.shadows.dynamics import gradient, project
from certaudit.audit.shadows.noise import PhaseName
from certaudit.run import Batch, Run, World


class Normal(Protocol):
    """Standard normal draws for all the models, asked for in the order of the steps."""

    def __call__(self, phase: PhaseName, request: int = 0) -> Tensor:
        """Return the next (m, parameters) draws; ``request`` says whose unlearning it is."""
        ...


@dataclass(frozen=True)
class Taken:
    """One step: learning is phase 0, the k-th unlearning phase k; noise, before, after are (m, p)."""

    phase: int
    step_size: float
    batch: Batch
    noise: Tensor
    before: Tensor
    after: Tensor


def initial(run: Run, normal: Normal, dtype: torch.dtype) -> Tensor:
    """Draw w_0, (m, parameters)."""
    mean = torch.tensor([float(x) for x in run.start.mean], dtype=dtype)
    drawn: Tensor = mean + float(run.start.variance) ** 0.5 * normal("start")
    return drawn


def walk(run: Run, world: World, models: Tensor, normal: Normal) -> Iterator[Taken]:
    """Take every step of a world from ``models``, before output noise."""
    radius = None if run.projection is None else float(run.projection)
    for index, segment in enumerate(run.program(world)):
        phase, batches = segment.phase, segment.batches()[: segment.phase.steps]
        slopes = [gradient(run, batch, models.dtype) for batch in batches]
        name: PhaseName = "learn" if index == 0 else "unlearn"
        step, spread = float(phase.step_size), float(phase.noise_variance) ** 0.5
        for t in range(phase.steps):
            k = t % len(batches)
            before, slope = models, slopes[k](models)
            noise = spread * normal(name, max(index - 1, 0))
            models = project(before - step * slope + noise, radius)
            yield Taken(index, step, batches[k], noise, before, models)
