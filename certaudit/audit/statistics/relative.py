"""Whether unlearned models are nearer to retrained ones than to the original, or go beyond them.

Distances are those of the laws' mean embeddings (maximum mean discrepancy, Gretton et al. 2012) under a
bounded kernel fixed by the first models.  For unlearned u, original o and retrained r,

    D^2(U, O) - D^2(U, R) = E [k(o, o') - 2 k(u, o) - k(r, r') + 2 k(u, r)],
    D^2(U, O) - D^2(R, O) = E [k(u, u') - 2 k(u, o) - k(r, r') + 2 k(r, o)]

are means of numbers in [-3, 3], one a block of fresh models.  A bettor against "the mean is at most 0"
multiplies wealth by 1 + l h a block, l < 1/3 fixed; the average over several l is an e-process.  So each
answer below is wrong with probability at most a third of the level, whenever one stops.  The question is
that of arXiv 2601.19755; the tests are these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from certaudit.audit.scores.linear_discriminant import LinearDiscriminant

Floats = NDArray[np.float64]

PILOTS = 32
"""Models of each kind that fix the kernel, and are not tested."""

BLOCK = 2
"""Models of each kind that make one number."""

LEAST = 2 * PILOTS
FAR = 1e3
"""Where places are cut off: the kernel is 0 that far apart."""

BETS = np.array([0.02, 0.05, 0.1, 0.2, 0.3])


@dataclass(frozen=True)
class Relative:
    """Three answers at ``level`` together; each has the log e-value that its opposite is bet away by.

    retrained: the unlearned model is nearer to the retrained than to the original; original: the other
    way round; beyond: it is farther from the original than a retrained model is (over-forgetting).
    models: of each kind; needed: the log e-value that decides.  ``skipped`` says why nothing was asked.
    """

    level: float
    models: int
    retrained: float
    original: float
    beyond: float
    needed: float
    skipped: str = ""

    @property
    def nearer(self) -> str:
        """The retrained model, the original, or neither with confidence."""
        if self.skipped:
            return ""
        if self.retrained >= self.needed:
            return "retrained"
        return "original" if self.original >= self.needed else ""

    @property
    def over_forgets(self) -> bool:
        """Whether the unlearned model lies beyond the retrained one, with confidence."""
        return not self.skipped and self.beyond >= self.needed


def skipped(level: float, why: str) -> Relative:
    """Nothing was asked."""
    return Relative(level, 0, 0.0, 0.0, 0.0, np.inf, why)


def relative(unlearned: Floats, original: Floats, retrained: Floats, level: float) -> Relative:
    """The three questions of (m, d) models of each kind, all of them independent draws."""
    m = min(len(unlearned), len(original), len(retrained))
    if not unlearned.shape[1] == original.shape[1] == retrained.shape[1]:
        return skipped(level, "the models are not of one size")
    if m < LEAST:
        return skipped(level, f"{m} models of each kind, at least {LEAST} are needed")
    kernel = _Kernel(original[:PILOTS], retrained[:PILOTS])
    u, o, r = (_blocks(kernel.place(models[PILOTS:m])) for models in (unlearned, original, retrained))
    ur, uo, ro = kernel.across(u, r), kernel.across(u, o), kernel.across(r, o)
    uu, oo, rr = kernel.within(u), kernel.within(o), kernel.within(r)
    gaps, past = oo - 2 * uo - rr + 2 * ur, uu - 2 * uo - rr + 2 * ro
    needed = float(np.log(3 / level))
    return Relative(level, m, _log_e(gaps), _log_e(-gaps), _log_e(past), needed)


def _log_e(h: Floats) -> float:
    """Largest log e-value so far against "the mean of numbers in [-3, 3] is at most 0"."""
    paths = np.cumsum(np.log1p(BETS[:, None] * np.clip(h, -3, 3)), axis=1)
    return float(max(0.0, np.max(logsumexp(paths, axis=0) - np.log(len(BETS)), initial=0.0)))


class _Kernel:
    """Half a Gaussian kernel of all the parameters, half one along the direction that tells original
    from retrained, as wide as the pilots are apart."""

    def __init__(self, original: Floats, retrained: Floats) -> None:
        self._along = LinearDiscriminant()
        self._along.fit(original, retrained)
        both = np.concatenate([original, retrained])
        self._middle, spread = np.median(both, axis=0), both.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)
        line = self._along.score(both)
        self._centre, width = float(np.median(line)), float(line.std())
        self._width = width if width > 0 else 1.0

    def place(self, models: Floats) -> Floats:
        """(m, 1 + d): the place along the direction, and the scaled parameters over their number."""
        with np.errstate(over="ignore", invalid="ignore"):
            line = (self._along.score(models) - self._centre) / self._width
            whole = (models - self._middle) / self._spread / np.sqrt(2 * models.shape[1])
        placed = np.nan_to_num(np.column_stack([line, whole]), posinf=FAR, neginf=-FAR)
        return np.asarray(np.clip(placed, -FAR, FAR))

    def across(self, a: Floats, b: Floats) -> Floats:
        """Of every block, the mean of k over pairs of one model of each."""
        return np.asarray(self._tables(a, b).mean(axis=(1, 2)))

    def within(self, a: Floats) -> Floats:
        """Of every block, the mean of k over pairs of two different models."""
        tables = self._tables(a, a)
        rest = tables.sum(axis=(1, 2)) - np.trace(tables, axis1=1, axis2=2)
        return np.asarray(rest / (BLOCK * (BLOCK - 1)))

    def _tables(self, a: Floats, b: Floats) -> Floats:
        """(blocks, BLOCK, BLOCK) values of k."""
        line = (a[:, :, None, 0] - b[:, None, :, 0]) ** 2
        left, right = a[..., 1:], b[..., 1:]
        sizes = (left**2).sum(axis=2)[:, :, None] + (right**2).sum(axis=2)[:, None, :]
        whole = np.maximum(sizes - 2 * left @ right.swapaxes(1, 2), 0)
        return np.asarray((np.exp(-line / 2) + np.exp(-whole / 2)) / 2)


def _blocks(placed: Floats) -> Floats:
    """(blocks, BLOCK, 1 + d), in order."""
    count = len(placed) // BLOCK
    return placed[: count * BLOCK].reshape(count, BLOCK, -1)
