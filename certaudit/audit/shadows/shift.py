"""How far one step of each model moves when the forgotten points are removed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from certaudit.audit.shadows.dynamics import gradient
from certaudit.run import WORLDS, Batch, Run, Segment, World

Floats = NDArray[np.float64]


class NoCounterpart(Exception):
    """The reference has no step that corresponds to the one asked about."""


def locate(run: Run, step: int) -> tuple[int, int]:
    """Phase of world P that makes ``step`` (counted from 1), and the phase's steps before it.

    Raises:
        NoCounterpart: if the step lies in a phase that the reference leaves out.
        ValueError: if world P makes fewer steps.
    """
    before = step - 1
    for index, segment in enumerate(run.program("P")):
        if before < segment.phase.steps:
            if index >= len(run.program("Q")):
                raise NoCounterpart(f"step {step} is an unlearning step, and the reference has none")
            return index, before
        before -= segment.phase.steps
    raise ValueError(f"there is no step {step}")


def steps_before(run: Run, world: World, step: int) -> int | None:
    """Steps ``world`` has made when it comes to ``step`` of world P or to its counterpart in Q.

    None if the reference stops short of it.
    """
    index, before = locate(run, step)
    program = run.program(world)
    if before > program[index].phase.steps:
        return None
    return sum(segment.phase.steps for segment in program[:index]) + before


def step_shifts(run: Run, step: int, models: Floats) -> Floats:
    """|phi(w) - phi'(w)| for each of (m, parameters) models w, phi and phi' the maps of P and Q."""
    index, before = locate(run, step)

    def batch(segment: Segment) -> Batch:
        cycle = segment.batches()
        return cycle[before % len(cycle)]

    p, q = (gradient(run, batch(run.program(world)[index]), torch.float64) for world in WORLDS)
    size = float(run.program("P")[index].phase.step_size)
    at = torch.from_numpy(models)
    return np.asarray(size * (p(at) - q(at)).norm(dim=1).numpy())
