"""Loss at the removed points."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, RemovedRowsScore


class RemovedPointLoss(RemovedRowsScore):
    """Minus the mean loss at the removed points (Yeom et al. 2018), the simplest membership score."""

    name = "loss of the removed point"
    learns = False

    def score(self, models: Floats) -> Floats:
        """Minus the mean loss."""
        return np.asarray(-self._rows.losses(models).mean(axis=1))
