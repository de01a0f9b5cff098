"""Scores of shadows by fits that did not see them."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.scores import Score

Floats = NDArray[np.float64]

FOLDS = 3


def out_of_fold(score: Score, p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Scores of (m, parameters) shadows of each world, every third by a fit on the others.

    They are distributed about as the scores of later shadows are by a fit on all.
    """
    if not score.learns:
        return (score.score(p), score.score(q)) if len(p) else (np.empty(0), np.empty(0))
    out_p, out_q = np.empty(len(p)), np.empty(len(q))
    fold = np.arange(len(p)) % FOLDS
    for k in range(FOLDS):
        part = deepcopy(score)
        part.fit(p[fold != k], q[fold != k])
        out_p[fold == k], out_q[fold == k] = part.score(p[fold == k]), part.score(q[fold == k])
    return out_p, out_q
