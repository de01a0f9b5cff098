"""What a score is, and what it may know about the run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.rows import Rows
from certaudit.run import Run

Floats = NDArray[np.float64]
MOST = 1024
Law = tuple[Floats, Floats, Floats, Floats]
"""(mean_P, covariance_P, mean_Q, covariance_Q) of the released models."""


@dataclass(frozen=True)
class Setting:
    """The run under attack, the law of its released models where known, and a seed."""

    run: Run
    law: Law | None = None
    seed: int = 0


class Score(ABC):
    """A function of a model that should tell world P from world Q; larger speaks for P.

    Fitted on past shadows and used on later ones; a poor score weakens an audit and cannot make it
    wrong.  ``parameters_only``: whether it asks nothing of the run, only for the parameters, however
    many.  ``learns``: whether ``fit`` uses the labels of the shadows it is given.  ``log_ratio``:
    whether the score estimates log dP/dQ.  ``least``: shadows of each world it needs to learn anything.
    """

    name: ClassVar[str]
    parameters_only: ClassVar[bool] = False
    learns: ClassVar[bool] = True
    log_ratio: ClassVar[bool] = False
    least: ClassVar[int] = 6

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """The score for a run, or None where it has none; by default the run is not asked."""
        return cls()

    def fit(self, p: Floats, q: Floats) -> None:  # noqa: B027
        """Learn from (m, parameters) past shadows of the two worlds; by default nothing."""

    @abstractmethod
    def score(self, models: Floats) -> Floats:
        """Scores of (m, parameters) models, (m,)."""


class StandardizedScore(Score):
    """A score of standardized parameters, from a seeded start, fitted on at most the 1024 latest shadows
    of each world."""

    parameters_only = True

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """For every run."""
        return cls(setting.seed)

    def _latest(self, p: Floats, q: Floats) -> tuple[Floats, Floats]:
        """The shadows to fit on; what is standard is standard for them from now on."""
        p, q = p[-MOST:], q[-MOST:]
        both = np.concatenate([p, q])
        spread = both.std(axis=0)
        self._middle, self._scale = both.mean(axis=0), np.where(spread > 0, spread, 1.0)
        return p, q

    def _standard(self, models: Floats) -> Floats:
        return np.asarray(np.clip((models - self._middle) / self._scale, -8, 8))


class RemovedRowsScore(Score):
    """A score that looks at what a model makes of the removed points."""

    def __init__(self, run: Run) -> None:
        self._rows = Rows(run, run.forget)

    @classmethod
    def of(cls, setting: Setting) -> Self | None:
        """For every run."""
        return cls(setting.run)
