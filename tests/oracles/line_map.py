"""Runs whose laws live on a line: one parameter, or two classes of one feature across their sum."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, sqrt

import numpy as np
from oracles.gradients import examples, moved
from oracles.worlds import Step, output_variance, steps

from certaudit.run import Run, Start

FARTHEST = 1e7
HALVINGS = 90


@dataclass(frozen=True)
class Line:
    """A run of one parameter: its step maps, where they bend, and the ball it is clamped to."""

    run: Run

    @property
    def radius(self) -> float:
        return inf if self.run.projection is None else float(self.run.projection)

    def move(self, step: Step, w: np.ndarray) -> np.ndarray:
        """The step's map before noise and clamp."""
        return moved(self.run, step, w[:, None])[:, 0]

    def clamp(self, w: np.ndarray) -> np.ndarray:
        return np.clip(w, -self.radius, self.radius)

    def bends(self, step: Step) -> np.ndarray:
        """Where the step's map is not smooth: ends of a clip and of Huber's middle."""
        run, found = self.run, [np.zeros(0)]
        if run.loss == "huber":
            X, y = self.data(step)
            for side in (-1, 1):
                found.append((y[X != 0] + side * float(run.threshold)) / X[X != 0])
        if run.clip is not None and step.rows:
            found += [self._crossings(step, side * float(run.clip.norm)) for side in (-1, 1)]
        return np.unique(np.concatenate(found))

    def data(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        rows = list(step.rows)
        return np.asarray(self.run.X[rows], float).reshape(-1), np.asarray(self.run.y[rows], float)

    def _crossings(self, step: Step, level: float) -> np.ndarray:
        """Where the gradient of each row, a nondecreasing function, passes ``level``."""
        inside = float(self.run.l2) if self.run.clip.regularizer else 0.0

        def above(w: np.ndarray) -> np.ndarray:
            each = examples(self.run, step.rows, w[:, None])[:, :, 0]
            return np.diagonal(each) + inside * w > level

        low = np.full(len(step.rows), -FARTHEST)
        high = -low
        crossed = above(high) & ~above(low)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            up = above(middle)
            low, high = np.where(up, low, middle), np.where(up, middle, high)
        return high[crossed]


def on_a_line(run: Run) -> bool:
    """Whether the laws are those of one number (beside, for softmax, an independent normal one)."""
    if run.network is not None or run.X.shape[1] != 1:
        return False
    coupled = run.projection is not None or (run.clip is not None and run.clip.regularizer)
    return run.loss != "softmax" or (run.classes == 2 and not coupled)


def line_of(run: Run) -> Line:
    """The run itself; for softmax the logistic run of (w_1 - w_0) / sqrt 2."""
    if run.loss != "softmax":
        return Line(run)
    low, high = (float(m) for m in run.start.mean)
    return Line(
        replace(
            run,
            X=np.asarray(run.X, float) * sqrt(2),
            y=2 * np.asarray(run.y, float) - 1,
            loss="logistic",
            classes=1,
            start=Start((Fraction((high - low) / sqrt(2)),), run.start.variance),
        )
    )


def beside(run: Run, world: str) -> tuple[float, float] | None:
    """Mean and variance of softmax's (w_0 + w_1) / sqrt 2, which only the regularizer moves."""
    if run.loss != "softmax":
        return None
    mean = float(sum(run.start.mean)) / sqrt(2)
    variance = float(run.start.variance)
    for step in steps(run, world):
        factor = float(1 - step.size * run.l2)
        mean, variance = factor * mean, factor**2 * variance + float(step.variance)
    return mean, variance + float(output_variance(run, world))
