"""Loss at the removed points."""

from __future__ import annotations

from typing import Self

import numpy as np

from certaudit.attacks.rows import Rows
from certaudit.attacks.scores.base import Floats, Score, Setting
from certaudit.run import Run


class RemovedPointLoss(Score):
    """Minus the mean loss at the removed points (Yeom et al. 2018), the simplest membership score."""

    name = "loss of the removed point"
    learns = False

    def __init__(self, run: Run) -> None:
        self._rows = Rows(run, run.forget)

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """For every run."""
        return cls(setting.run)

    def score(self, models: Floats) -> Floats:
        """Minus the mean loss."""
        return np.asarray(-self._rows.losses(models).mean(axis=1))
