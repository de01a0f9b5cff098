"""The likelihood-ratio attack in its form for unlearning."""

from __future__ import annotations

import numpy as np

from certaudit.audit.scores.base import Floats, RemovedRowsScore


class ULira(RemovedRowsScore):
    """U-LiRA: Gaussians fitted in each world to the removed points' confidences, and their log-ratio.

    Carlini et al. 2022 (LiRA) with the two kinds of shadow models of Hayes et al. 2024: unlearned, and
    never trained on the points.  Points are taken as independent; variances are shrunk to their mean
    over the two worlds as by four extra shadows.
    """

    name = "U-LiRA"
    log_ratio = True

    def fit(self, p: Floats, q: Floats) -> None:
        """Mean and variance of every point's confidence in each world."""
        logits = [self._rows.confidences(models) for models in (p, q)]
        variances = [x.var(axis=0) for x in logits]
        common = (variances[0] + variances[1]) / 2
        floor = 1e-12 * (logits[0].mean(axis=0) ** 2) + 1e-300
        self._fits = [
            (x.mean(axis=0), (len(x) * v + 4 * common) / (len(x) + 4) + floor)
            for x, v in zip(logits, variances, strict=True)
        ]

    def score(self, models: Floats) -> Floats:
        """Sum of the points' log-likelihood ratios."""
        x = self._rows.confidences(models)
        logs = [-((x - mean) ** 2) / (2 * v) - np.log(v) / 2 for mean, v in self._fits]
        return np.asarray((logs[0] - logs[1]).sum(axis=1))
