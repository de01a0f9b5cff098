"""Divergences from samples: lower bounds with confidence (A5), and estimates without."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import gammaln

from certaudit.audit.statistics.confidence import Event, lower_proportion, upper_proportion
from certaudit.audit.statistics.means import Bound, empirical_bernstein, mean_interval

Floats = NDArray[np.float64]

CLIPS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
SCALES = (0.5, 1.0)


@dataclass(frozen=True)
class Witness:
    """g = clip(scale * score, -limit, limit), a bounded function of the model."""

    scale: float
    limit: float

    def __call__(self, scores: Floats) -> Floats:
        """Values of g."""
        return np.asarray(np.clip(self.scale * scores, -self.limit, self.limit))


def renyi_lower_bound(
    witness: Witness,
    first: Floats,
    second: Floats,
    order: float,
    level: float,
    bound: Bound | None = None,
) -> float:
    """A5 (BIR21): D_a >= a/(a-1) log E_P e^{(a-1)g} - log E_Q e^{a g}, both means with confidence.

    ``first`` and ``second`` are held-out scores of the two worlds; wrong with probability at most
    ``level``.
    """
    up, down = order - 1, order
    if down * witness.limit > 600:
        return -math.inf
    p_values, q_values = np.exp(up * witness(first)), np.exp(down * witness(second))
    p_edge, q_edge = up * witness.limit, down * witness.limit
    p_low, _ = mean_interval(p_values, math.exp(-p_edge), math.exp(p_edge), level / 2, bound)
    _, q_high = mean_interval(q_values, math.exp(-q_edge), math.exp(q_edge), level / 2, bound)
    return order / (order - 1) * math.log(p_low) - math.log(q_high) - 1e-12


def choose_witness(first: Floats, second: Floats, order: float, level: float) -> Witness:
    """The witness with the largest empirical Bernstein bound on these scores (the training half)."""
    candidates = [
        Witness(scale / order, limit / order) if limit * order > 4 else Witness(scale, limit)
        for scale in (*SCALES, order / 2, order)
        for limit in CLIPS
    ]
    return max(
        candidates,
        key=lambda w: renyi_lower_bound(w, first, second, order, level, empirical_bernstein),
    )


def gaussian_plug_in(p: Floats, q: Floats, order: float) -> float:
    """D_order of the Gaussians with the samples' means and covariances: an estimate, no bound.

    p, q: (m, d).  Infinite where the mixed covariance is not positive definite.
    """
    gap = p.mean(axis=0) - q.mean(axis=0)
    cov_p, cov_q = np.atleast_2d(np.cov(p.T)), np.atleast_2d(np.cov(q.T))
    mixed = order * cov_q + (1 - order) * cov_p
    try:
        np.linalg.cholesky(mixed)
        quadratic = order / 2 * float(gap @ np.linalg.solve(mixed, gap))
    except np.linalg.LinAlgError:
        return math.inf
    dets = [np.linalg.slogdet(m)[1] for m in (mixed, cov_p, cov_q)]
    logs = dets[0] - (1 - order) * dets[1] - order * dets[2]
    return float(quadratic - logs / (2 * (order - 1)))


def hockey_stick_lower_bound(
    event: Event, first: Floats, second: Floats, epsilon: float, level: float
) -> float:
    """Lower bound of sup_S P(S) - e^epsilon Q(S) by an event chosen on other data.

    The better of two Clopper–Pearson bounds and of a bound of the mean of 1[P] - e^eps 1[Q] over pairs,
    each at half the level; 0 is always right.
    """
    weight = math.exp(min(epsilon, 600.0))
    hits, false = event.count(first), event.count(second)
    apart = lower_proportion(hits, len(first), level / 4) - weight * upper_proportion(
        false, len(second), level / 4
    )
    pairs = event.holds(first).astype(float) - weight * event.holds(second)
    together, _ = mean_interval(pairs, -weight, 1.0, level / 2)
    return max(float(apart), together, 0.0)


def knn_estimate(p: Floats, q: Floats, order: float) -> float:
    """D_order by distances to the k-th neighbours (Póczos, Schneider 2011): an estimate, no bound.

    p, q: (m, d).  Poor where the worlds are far apart for the sample or d is large.
    """
    k = math.ceil(order) + 4
    if len(p) <= k or len(q) < k:
        return math.nan
    within = KDTree(p).query(p, k + 1)[0][:, k]
    across = KDTree(q).query(p, [k])[0][:, 0]
    if not ((within > 0).all() and (across > 0).all()):
        return math.nan
    shift = gammaln(k) * 2 - gammaln(k - order + 1) - gammaln(k + order - 1)
    logs = (1 - order) * (
        math.log((len(p) - 1) / len(q)) + p.shape[1] * (np.log(within) - np.log(across))
    )
    top = float(logs.max())
    return float((top + math.log(np.exp(logs - top).mean()) + shift) / (order - 1))
