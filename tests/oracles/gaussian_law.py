"""The normal laws of affine runs, mean and covariance in 50 digits."""

from dataclasses import dataclass

import mpmath
import numpy as np
from oracles.worlds import Step, output_variance, steps

from certaudit.run import Run

MP = mpmath.mp.clone()
MP.dps = 50


@dataclass(frozen=True)
class Normal:
    """Mean (k,) and covariance (k, k), arrays of MP's numbers."""

    mean: np.ndarray
    covariance: np.ndarray


def is_affine(run: Run) -> bool:
    return run.loss == "ridge" and run.clip is None and run.projection is None


def final_law(run: Run, world: str) -> Normal:
    """The law of the model that a world releases."""
    mean, covariance = _start(run)
    affine: dict[Step, tuple[np.ndarray, np.ndarray]] = {}
    for step in steps(run, world):
        matrix, drift = affine.setdefault(step, _affine(run, step))
        mean = matrix.dot(mean) + drift
        covariance = matrix.dot(covariance).dot(matrix.T) + _times_identity(step.variance, len(mean))
    return Normal(mean, covariance + _times_identity(output_variance(run, world), len(mean)))


def path_law(run: Run, world: str) -> Normal:
    """The joint law of all iterates, the start first."""
    mean, covariance = _start(run)
    means, blocks = [mean], [[covariance]]
    for step in steps(run, world):
        matrix, drift = _affine(run, step)
        row = [matrix.dot(block) for block in blocks[-1]]
        own = row[-1].dot(matrix.T) + _times_identity(step.variance, len(mean))
        means.append(matrix.dot(means[-1]) + drift)
        for k, block in enumerate(row):
            blocks[k].append(block.T)
        blocks.append([*row, own])
    return Normal(np.concatenate(means), np.block(blocks))


def pair_law(run: Run, world: str) -> Normal:
    """The joint law of the learned model and of the final one."""
    learned = run.learn.steps if world == "P" else run.reference.steps
    mean, covariance = _start(run)
    first, across = mean, covariance
    before = covariance
    for done, step in enumerate(steps(run, world), start=1):
        matrix, drift = _affine(run, step)
        mean = matrix.dot(mean) + drift
        across = matrix.dot(across)
        covariance = matrix.dot(covariance).dot(matrix.T) + _times_identity(step.variance, len(mean))
        if done <= learned:
            first, before, across = mean, covariance, covariance
    own = covariance + _times_identity(output_variance(run, world), len(mean))
    return Normal(np.concatenate([first, mean]), np.block([[before, across.T], [across, own]]))


def number(value) -> mpmath.mpf:
    """A float, whole number or fraction, exactly or to all digits."""
    if isinstance(value, (float, np.floating)):
        return MP.mpf(float(value))
    return MP.mpf(value.numerator) / value.denominator


def _start(run: Run) -> tuple[np.ndarray, np.ndarray]:
    mean = np.array([number(m) for m in run.start.mean], dtype=object)
    return mean, _times_identity(run.start.variance, len(mean))


def _affine(run: Run, step: Step) -> tuple[np.ndarray, np.ndarray]:
    rows = list(step.rows)
    X = np.array([[number(x) for x in run.X[j]] for j in rows], dtype=object)
    X = X.reshape(len(rows), run.X.shape[1])
    y = np.array([number(run.y[j]) for j in rows], dtype=object)
    size = number(step.size)
    one = _times_identity(1, X.shape[1])
    if not rows:
        return one * (1 - size * number(run.l2)), np.array([MP.mpf(0)] * X.shape[1], dtype=object)
    matrix = one * (1 - size * number(run.l2)) - X.T.dot(X) * (size / step.divisor)
    return matrix, X.T.dot(y) * (size / step.divisor)


def _times_identity(value, k: int) -> np.ndarray:
    zero, value = MP.mpf(0), number(value)
    return np.array([[value if i == j else zero for j in range(k)] for i in range(k)], dtype=object)
