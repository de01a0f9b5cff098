"""Gradient norm at the removed points."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, RemovedRowsScore


class GradientNorm(RemovedRowsScore):
    """Minus the mean norm of the loss gradient at the removed points (Nasr et al. 2019).

    A model that learned a point has a small gradient there.
    """

    name = "gradient norm"
    learns = False

    def score(self, models: Floats) -> Floats:
        """Minus the mean norm."""
        return np.asarray(-self._rows.gradient_norms(models).mean(axis=1))
