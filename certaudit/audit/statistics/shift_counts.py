"""Tests of a claim about one step: how often the step's shift is above it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincc, betaln, logsumexp

Floats = NDArray[np.float64]


def log_wealth_of_counts(hits: Floats, trials: Floats, claimed: float) -> Floats:
    """Log wealth against "a hit has probability at most ``claimed``" after each number of trials.

    The likelihood ratio of a uniform mixture of larger probabilities to ``claimed``: each of them has
    mean at most 1 under every probability up to ``claimed``, so the mixture is an e-process.
    """
    misses = trials - hits
    with np.errstate(divide="ignore", invalid="ignore"):
        mixture = betaln(hits + 1, misses + 1) + np.log(betaincc(hits + 1, misses + 1, claimed))
        base = np.where(hits > 0, hits * math.log(claimed) if claimed > 0 else -np.inf, 0.0)
        logs = mixture - base - misses * math.log1p(-claimed) - math.log1p(-claimed)
    return np.asarray(np.where(np.isnan(logs), -np.inf, logs))


@dataclass
class ShiftWealth:
    """Wealth against a claim about one step: the average over the worlds that make the step."""

    claimed: float
    level: float
    hits: dict[str, int] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    trials: int = 0
    reached: float = 0.0
    now: float = 0.0
    refuted_after: int | None = None

    def extend(self, shifts: Mapping[str, Floats], limit: float) -> None:
        """Bet on further shifts, those of each world in the order of the shadows."""
        if self.refuted_after is not None:
            return
        count = len(next(iter(shifts.values())))
        trials = self.trials + np.arange(1, count + 1, dtype=float)
        paths = []
        for world, values in shifts.items():
            hits = self.hits.get(world, 0) + np.cumsum(values > limit)
            paths.append(log_wealth_of_counts(hits.astype(float), trials, self.claimed))
            self.hits[world] = int(hits[-1])
            self.largest[world] = max(self.largest.get(world, 0.0), float(values.max()))
        together = logsumexp(paths, axis=0) - math.log(len(paths))
        crossed = np.flatnonzero(together >= -math.log(self.level))
        self.reached = max(self.reached, float(together.max()))
        self.now = float(together[-1])
        if crossed.size:
            self.refuted_after = self.trials + int(crossed[0]) + 1
        self.trials += count

    def lower_bound(self) -> float:
        """Largest probability, on a grid, that the counts refute in one world at the level.

        The e-process of each probability is looked at now only, so the bound may be below the claim
        that an earlier look refuted.
        """
        best = 0.0
        for hits in self.hits.values():
            low, high = 0.0, hits / max(self.trials, 1)
            for _ in range(40):
                middle = (low + high) / 2
                logs = log_wealth_of_counts(
                    np.array([float(hits)]), np.array([float(self.trials)]), middle
                )
                refuted = logs[0] - math.log(len(self.hits)) >= -math.log(self.level)
                low, high = (middle, high) if refuted else (low, middle)
            best = max(best, low)
        return best
