"""A few shadows in a row, here or in a worker process.  Workers import this, so it is kept light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.implementations.load import Code, Names, load
from certaudit.audit.implementations.shadow import ShadowFault, make
from certaudit.run import Run, World

Floats = NDArray[np.float64]

_WORK: list[tuple[Code, Run, World, int]] = []


def piece(
    code: Code, run: Run, world: World, seed: int, job: tuple[int, int]
) -> tuple[list[Floats], str]:
    """``job``: the first shadow and how many.  The models before the first fault, and that fault."""
    start, count = job
    models: list[Floats] = []
    for shadow in range(start, start + count):
        try:
            models.append(make(code, run, world, shadow, seed))
        except ShadowFault as fault:
            return models, str(fault)
    return models, ""


def prepare(names: Names, run: Run, world: World, seed: int) -> None:
    """Make this process ready for ``prepared``."""
    _WORK[:] = [(load(names), run, world, seed)]


def prepared(job: tuple[int, int]) -> tuple[list[Floats], str]:
    """``piece`` of what the process was prepared for."""
    return piece(*_WORK[0], job)
