"""The robust membership inference attack."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.special import logsumexp

from certaudit.audit.rows import Rows
from certaudit.audit.scores.base import Floats, Score, Setting
from certaudit.run import Run

MOST_OTHERS = 64


class Rmia(Score):
    """RMIA (Zarifzadeh et al. 2024): pairwise likelihood ratios against retained rows.

    A removed point x is compared with retained rows z: the share of them for which
    p(x|model)/p(x) >= p(z|model)/p(z).  p(.|model) is exp(-loss), p(.) its mean over past shadows of
    both worlds.
    """

    name = "RMIA"

    def __init__(self, run: Run) -> None:
        kept = run.kept
        picks = np.linspace(0, len(kept) - 1, min(MOST_OTHERS, len(kept))).round().astype(int)
        self._removed = Rows(run, run.forget)
        self._others = Rows(run, [kept[k] for k in picks])

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """For every run that retains a row."""
        return cls(setting.run) if setting.run.kept else None

    def fit(self, p: Floats, q: Floats) -> None:
        """Mean likelihood of every row over the past shadows."""
        both = np.concatenate([p, q])
        self._means = [
            logsumexp(-rows.losses(both), axis=0) - np.log(len(both))
            for rows in (self._removed, self._others)
        ]

    def score(self, models: Floats) -> Floats:
        """Share of retained rows that each removed point beats, averaged over removed points."""
        x, z = (
            -rows.losses(models) - mean
            for rows, mean in zip((self._removed, self._others), self._means, strict=True)
        )
        return np.asarray((x[:, :, None] >= z[:, None, :]).mean(axis=(1, 2)))
