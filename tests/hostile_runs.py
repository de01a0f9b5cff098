"""Six points on a line, and who comes in which batch."""

import dataclasses
from fractions import Fraction as F

import numpy as np

from certaudit.run import Phase, Reference, Request, Run, Start

SINGLES = tuple((j,) for j in range(6))


def line_run(learn, unlearn, reference, **changes):
    """Six points at x = 1 with labels 1, 1, 1, -1, -1, -1: which batch comes when is all that counts."""
    base = Run(
        X=np.ones((6, 1)),
        y=np.array([1.0, 1, 1, -1, -1, -1]),
        loss="logistic",
        l2=F(1, 10),
        normalizer="fixed",
        learn=learn,
        requests=(Request((0,), unlearn),),
        start=Start((F(0),), F(0)),
        projection=None,
        clip=None,
        reference=reference,
        release="final",
    )
    return dataclasses.replace(base, **changes)


def plain(**changes):
    """20 steps of learning, 5 of unlearning, in a ball of radius 1."""
    return line_run(
        Phase(20, F(1, 2), F(1, 100)),
        Phase(5, F(1, 2), F(1, 100)),
        **{"reference": Reference("unlearn-retrained", 20), "projection": F(1), **changes},
    )
