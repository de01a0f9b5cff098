"""Whether unlearning hardly moves a model, against certaudit's own dynamics for the same spec.

The laws of released models can be nearly the same with and without unlearning, where learning forgets by
itself; then only the two models of one shadow, before and after, show that nothing was done.  The spec
is about released models: code may hold others before the last request, and so only a move of a tenth of
the spec's, or less, is a difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance.result import Check
from certaudit.audit.shadows.train import ShadowError, Trainer, train
from certaudit.run import Run

Floats = NDArray[np.float64]

MOST, LEAST = 16, 8
"""Models of the code that are looked at, at most; with fewer than LEAST nothing is said."""

OWN = 256
HARDLY = 10.0
"""Times by which the code's moves are enlarged before they are compared."""

SPREAD = 1e-6
"""Part of a distance that its spread must be, so that rounding cannot order distances."""


def moved(run: Run, foreign: Trainer, models: int, seed: int, level: float) -> Check | None:
    """A one-sided Kolmogorov-Smirnov test of |released - learned| in world P, the code's HARDLY times
    over, valid at ``level``; None where there is nothing to compare: few models, another size, no noise.

    ``models``: how many of world P the audit has.
    """
    from scipy import stats

    count, learned = min(models, MOST), run.learn.steps
    if count < LEAST:
        return None
    try:
        after = foreign(run, "P", 0, count).final
        before = foreign(run.after(0), "P", 0, count).final
        own = train(run, "P", OWN, seed=seed, record=[learned])
    except ShadowError:
        return None
    if after.shape != before.shape:
        return None
    theirs = np.linalg.norm((after - before)[:, -run.parameters :], axis=1)
    ours = np.linalg.norm(own.final[:, -run.parameters :] - own.recorded[learned], axis=1)
    if not ours.std() > SPREAD * ours.mean():
        return None
    found = stats.ks_2samp(HARDLY * theirs, ours, alternative="greater", method="exact")
    text = (
        f"unlearning hardly moves a model: by {np.median(theirs):.3g} at the median, and the spec's by "
        f"{np.median(ours):.3g}"
    )
    return Check(
        "unlearning", "world P", float(found.statistic), float(found.pvalue), level, text, count
    )
