"""Eigenvectors of X^T X, in floats."""

from __future__ import annotations

import numpy as np

from certaudit.core.rules.curvature import Witness
from certaudit.run import Batch, Run


def witness(run: Run, batch: Batch) -> Witness:
    """Float eigenvectors of the batch's X^T X, of rows brought to size 1: no square overflows."""
    x = np.asarray(run.X[list(run.rows(batch))], dtype=np.float64).reshape(-1, run.d)
    size = np.abs(x).max(initial=0.0)
    x = x / size if size > 0 else x
    vectors = np.linalg.eigh(x.T @ x)[1]
    return Witness(batch, tuple(map(tuple, vectors.tolist())))
