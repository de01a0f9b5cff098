"""Released models of both worlds, drawn in numpy, many at once."""

from dataclasses import dataclass

import numpy as np
from oracles.gradients import moved, projected
from oracles.worlds import Step, output_variance, steps

from certaudit.run import Run

BLUR = 1e-7


@dataclass(frozen=True)
class Drawn:
    """``models``: released, blurred so far that rounding cannot show.  Before that they are ``centers``
    plus ``deviation`` times a normal, and projected where the last noise is that of a step.  ``path``:
    all iterates, the start first."""

    models: np.ndarray
    centers: np.ndarray
    deviation: float
    path: tuple[np.ndarray, ...]


def draw(run: Run, world: str, count: int, rng: np.random.Generator) -> Drawn:
    """``count`` independent models of a world."""
    mean = np.array([float(m) for m in run.start.mean])
    models = mean + float(run.start.variance) ** 0.5 * rng.normal(size=(count, len(mean)))
    path, centers, deviation = [models], models, 0.0
    for step in steps(run, world):
        centers, deviation = moved(run, step, models), float(step.variance) ** 0.5
        models = projected(run, centers + deviation * rng.normal(size=centers.shape))
        path.append(models)
    extra = float(output_variance(run, world)) ** 0.5
    if extra == 0:
        return Drawn(_blurred(models, rng), centers, deviation, tuple(path))
    released = models + extra * rng.normal(size=models.shape)
    return Drawn(_blurred(released, rng), models, extra, tuple(path))


def _blurred(models: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return models + BLUR * (1 + np.abs(models)) * rng.normal(size=models.shape)


def transition(run: Run, step: Step, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Log density of a step, up to a constant common to equal noise; 0 on the ball's surface."""
    gap = after - projected_if_noiseless(run, step, moved(run, step, before))
    squares = (gap**2).sum(axis=1)
    if step.variance == 0:
        return np.where(squares > 1e-16 * (1 + (after**2).sum(axis=1)), -1e6, 0.0)
    variance = float(step.variance)
    logs = -squares / (2 * variance) - gap.shape[1] * np.log(variance) / 2
    if run.projection is None:
        return logs
    surface = np.linalg.norm(after, axis=1) > float(run.projection) * (1 - 1e-9)
    return np.where(surface, 0.0, logs)


def projected_if_noiseless(run: Run, step: Step, models: np.ndarray) -> np.ndarray:
    return projected(run, models) if step.variance == 0 else models
