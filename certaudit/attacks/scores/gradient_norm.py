"""Gradient norm at the removed points."""

from __future__ import annotations

from typing import Self

import numpy as np

from certaudit.attacks.rows import Rows
from certaudit.attacks.scores.base import Floats, Score, Setting
from certaudit.run import Run


class GradientNorm(Score):
    """Minus the mean norm of the loss gradient at the removed points (Nasr et al. 2019).

    A model that learned a point has a small gradient there.
    """

    name = "gradient norm"
    learns = False

    def __init__(self, run: Run) -> None:
        self._rows = Rows(run, run.forget)

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """For every run."""
        return cls(setting.run)

    def score(self, models: Floats) -> Floats:
        """Minus the mean norm."""
        return np.asarray(-self._rows.gradient_norms(models).mean(axis=1))
