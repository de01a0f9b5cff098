"""Witnesses for C6: a vertical line, in floats."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from certaudit.core.diagonal import MOST_NODES
from certaudit.core.rule import Undecided
from certaudit.core.rules.c6 import Witness
from certaudit.core.statement import Pair
from certaudit.search.c7 import closeness, working_bits
from certaudit.search.twin import FloatPair

WIDTHS = (0.9, 0.8, 0.6, 0.4, 0.2)
HEIGHTS = 1.1 ** np.arange(-80, 400)


def witness(
    pair: Pair, twin: FloatPair, epsilon: Fraction, digits: int, most: int = MOST_NODES
) -> Witness:
    """A witness for delta(epsilon) to about ``digits`` digits.

    Raises Undecided if that would need more than ``most`` nodes.
    """
    kappa = twin.kappa(epsilon)
    c = twin.saddle(kappa)
    size = float(twin.log_tilted(np.array([c]), kappa)[0]) - math.log(c * (1 + c))
    size += math.log(twin.spread(c))
    need = digits * math.log(10)
    width, h = _spacing(twin, kappa, c, size, need)
    end = _height(twin, kappa, c, size - need)
    if not (h > 0 and end <= most * h):
        raise Undecided("C6", "too many nodes would be needed")
    return Witness(
        epsilon=epsilon,
        gamma=closeness(pair, epsilon, size, digits),
        line=Fraction(c),
        width=Fraction(width),
        h=Fraction(h),
        n=max(math.ceil(end / h), 1),
        bits=working_bits(pair, digits),
    )


def _spacing(twin: FloatPair, kappa: float, c: float, size: float, need: float) -> tuple[float, float]:
    """The half-width of the strip and the distance of nodes that it allows: the largest found."""
    found = (0.0, 0.0)
    for share in WIDTHS:
        width = share * min(c, twin.edge - c)
        edges = np.array([c - width, c + width])
        worst = float((twin.log_tilted(edges, kappa) - np.log(2 * np.sqrt(edges * (edges + 1)))).max())
        h = 2 * math.pi * width / max(worst - size + need + 1, 1.0)
        found = max(found, (h, width))
    return found[1], found[0]


def _height(twin: FloatPair, kappa: float, c: float, level: float) -> float:
    """Where along the line what is left comes below e^level."""
    heights = twin.spread(c) * HEIGHTS
    s = c + 1j * heights
    with np.errstate(all="ignore"):
        factors = 1 - np.multiply.outer(s, twin.l)
        forms = (twin.v / factors).sum(axis=-1)
        values = s * (s + 1) / 2 * forms - np.log(factors).sum(axis=-1) / 2 - s * kappa
        left = values.real - np.log(math.pi * heights)
    enough = np.flatnonzero(left < level)
    return float(heights[enough[0]]) if len(enough) else math.inf
