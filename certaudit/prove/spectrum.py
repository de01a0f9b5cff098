"""Guess eigenvalues and directions in floats for the kernel to verify."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from certaudit.kernel.spectrum import World, curvature, rows
from certaudit.kernel.statement import Statement, Undecided
from certaudit.run import Run


def prove_curvature(run: Run, world: World) -> Statement:
    """Curvature of the objective of ``world``, from float eigenvalues relaxed until they verify.

    Raises Undecided if no relaxation verifies.
    """
    x = np.asarray(run.X[rows(run, world)], dtype=np.float64)
    values, vectors = np.linalg.eigh(x.T @ x)
    least, largest = float(values[0]), float(values[-1])
    for slack in (1e-13, 1e-11, 1e-8, 1e-4):
        margin = slack * max(abs(largest), 1e-300)
        try:
            return curvature(
                run,
                world,
                Fraction(least - margin),
                Fraction(largest + margin),
                vectors[:, 0].tolist(),
                vectors[:, -1].tolist(),
            )
        except Undecided:
            continue
    raise Undecided(f"the eigenvalues of X^T X on {world} could not be enclosed")
