"""Permutation p-values: exact whatever the law, as long as the models compared are exchangeable.

Draws stop once they have told enough (Besag and Clifford 1991): a statistic that ENOUGH draws out of l
reach has p-value ENOUGH / l; one that r out of all B reach has (1 + r) / (1 + B).  Either is at most p
with probability at most p.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
"""From a generator and a number b to (b, k) draws of k statistics under a random relabelling."""

ENOUGH = 10
"""Draws that reach the statistic after which no more are made."""

TIE = 1e-9
"""Relative distance within which a draw counts as reaching the statistic, for rounding."""

AT_ONCE = 1 << 22
"""Numbers of a block of draws."""


def p_values(observed: Floats, draw: Draw, least: float, size: int, rng: np.random.Generator) -> Floats:
    """P-values of k statistics, large ones being strange, from the same draws.

    ``least``: the p-value that must be reachable: 4 / least draws are made at most.  ``size``: numbers
    that one draw needs.
    """
    most = int(np.ceil(4 / least))
    reach = observed - TIE * np.abs(observed)
    hits = np.zeros(len(observed), dtype=np.int64)
    p = np.full(len(observed), np.nan)
    made, block = 0, 64
    while made < most and np.isnan(p).any():
        b = min(block, most - made)
        over = np.cumsum(draw(rng, b) >= reach, axis=0) + hits
        for k in np.flatnonzero(np.isnan(p) & (over[-1] >= ENOUGH)):
            p[k] = ENOUGH / (made + 1 + int(np.searchsorted(over[:, k], ENOUGH)))
        hits, made = over[-1], made + b
        block = max(1, min(2 * block, AT_ONCE // max(size, 1)))
    return np.where(np.isnan(p), (1 + hits) / (1 + made), p)


def subsets(rng: np.random.Generator, b: int, n: int, total: int) -> NDArray[np.bool_]:
    """(b, total) masks, each of n places chosen at random."""
    keys = rng.random((b, total))
    return np.asarray(keys <= np.partition(keys, n - 1, axis=1)[:, n - 1 : n])


def orders(rng: np.random.Generator, b: int, n: int) -> NDArray[np.intp]:
    """(b, n) random orders of n things."""
    return np.asarray(np.argsort(rng.random((b, n)), axis=1))
