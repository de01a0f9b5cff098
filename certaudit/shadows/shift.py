"""How far one learning step of each model moves when the forgotten points are removed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from certaudit.run import Run
from certaudit.shadows.dynamics import gradient

Floats = NDArray[np.float64]


def step_shifts(run: Run, models: Floats) -> Floats:
    """|phi(w) - phi'(w)| for each of (m, d) models w: eta times the gap of the two gradients."""
    batch = torch.from_numpy(models)
    gap = gradient(run, "D", torch.float64)(batch) - gradient(run, "D'", torch.float64)(batch)
    return np.asarray(float(run.learn.step_size) * gap.norm(dim=1).numpy())
