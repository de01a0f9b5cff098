"""The masses of a law on cells after noiseless steps, which may turn and flatten it."""

from itertools import pairwise

import numpy as np
from oracles.line_law import Law, TooFine

SCAN = 4001
SCANS, SETTLED = (4001, 9001, 40001), 1e-8
FLAT, STEEP, UNSEEN = 1e-13, 1e-8, 1e-9
GOLDEN = (5**0.5 - 1) / 2

Atoms = tuple[np.ndarray, np.ndarray]
"""Places and masses."""


def keeps_apart(law: Law, low: float, high: float) -> bool:
    """Whether the noiseless maps lose nothing between two numbers: they only rise, or only fall."""
    w = np.linspace(low, high, SCAN)
    slopes = np.diff(law.image(w)) / np.diff(w)
    return bool((slopes > STEEP).all() or (slopes < -STEEP).all())


def pushed(law: Law, edges: np.ndarray, atoms: Atoms) -> tuple[np.ndarray, Atoms]:
    """Masses on cells and at the ball's ends: the same on two scans, one finer than the other.

    Raises:
        TooFine: if the maps leave less of the law than rounding can tell apart, or fold it too finely.
    """
    before = _scanned(law, edges, atoms, SCANS[0])
    for scan in SCANS[1:]:
        after = _scanned(law, edges, atoms, scan)
        if np.abs(after[0] - before[0]).sum() < SETTLED:
            return after
        before = after
    raise TooFine


def _scanned(law: Law, edges: np.ndarray, atoms: Atoms, scan: int) -> tuple[np.ndarray, Atoms]:
    """The same on one scan: each stretch of w between turning points by itself."""
    w = np.unique(np.concatenate([law.breaks(), np.linspace(*law.bumps.support(), scan)]))
    w = np.unique(np.concatenate([w, _turning(law, w)]))
    v = law.image(w)
    signs = _signs(law, w, v)
    turns = np.unique([0, *(np.nonzero(np.diff(signs))[0] + 1), len(signs)])
    found, (places, masses) = np.zeros(len(edges) - 1), atoms
    for start, stop in pairwise(turns):
        piece = w[start : stop + 1]
        if signs[start] == 0:
            places, cuts = np.append(places, v[start]), piece[[0, -1]]
            masses = np.append(masses, law.bumps.between(cuts))
            continue
        cuts = _preimages(law, piece, v[start : stop + 1] * signs[start], edges, signs[start])
        _add(found, edges, law.image((cuts[1:] + cuts[:-1]) / 2), law.bumps.between(cuts))
    at_end = np.abs(places) == law.line.radius
    _add(found, edges, places[~at_end], masses[~at_end])
    return found, (places[at_end], masses[at_end])


def _turning(law: Law, w: np.ndarray) -> np.ndarray:
    """Where the image is highest or lowest around a point of the scan, by golden section."""
    v = law.image(w)
    steps = np.sign(np.diff(v))
    (k,) = np.nonzero(steps[1:] * steps[:-1] < 0)
    low, high, up = w[k], w[k + 2], steps[k]
    for _ in range(60):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        beyond = up * law.image(left) < up * law.image(right)
        low, high = np.where(beyond, left, low), np.where(beyond, high, right)
    return (low + high) / 2


def _signs(law: Law, w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """1 where the image rises between points of the scan, -1 where it falls, 0 where it is constant."""
    slopes = np.diff(v) / np.diff(w)
    flat = np.abs(slopes) < FLAT
    unsure = ~flat & (np.abs(slopes) < STEEP)
    if law.bumps.between(w)[unsure].sum() > UNSEEN:
        raise TooFine
    return np.where(flat, 0.0, np.sign(slopes))


def _add(found: np.ndarray, edges: np.ndarray, places: np.ndarray, masses: np.ndarray) -> None:
    np.add.at(found, np.clip(np.searchsorted(edges, places) - 1, 0, len(found) - 1), masses)


def _preimages(
    law: Law, w: np.ndarray, rising: np.ndarray, edges: np.ndarray, sign: float
) -> np.ndarray:
    """The stretch's ends, and between them where the image passes an edge."""
    levels = np.sort(edges * sign)
    levels = levels[(levels > rising[0]) & (levels < rising[-1])]
    at = np.clip(np.searchsorted(rising, levels), 1, len(w) - 1)
    low, high = w[at - 1], w[at]
    for _ in range(48):
        middle = (low + high) / 2
        below = law.image(middle) * sign < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.concatenate([w[:1], np.sort(high), w[-1:]])
