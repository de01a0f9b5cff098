"""Guess eigenvalues and directions in floats for the kernel to verify."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from certaudit.kernel.spectrum import curvature
from certaudit.kernel.statement import Statement, Undecided
from certaudit.run import Batch, Run


def prove_curvature(run: Run, batch: Batch) -> Statement:
    """Curvature of the objective on ``batch``, from float eigenvalues relaxed until they verify.

    Raises Undecided if no relaxation verifies.
    """
    x = np.asarray(run.X[list(run.rows(batch))], dtype=np.float64)
    values, vectors = np.linalg.eigh(x.T @ x)
    least, largest = float(values[0]), float(values[-1])
    for slack in (1e-13, 1e-11, 1e-8, 1e-4):
        margin = slack * max(abs(largest), 1e-200)
        try:
            return curvature(
                run,
                batch,
                Fraction(least - margin),
                Fraction(largest + margin),
                vectors[:, 0].tolist(),
                vectors[:, -1].tolist(),
            )
        except Undecided:
            continue
    raise Undecided("the eigenvalues of X^T X could not be enclosed")
