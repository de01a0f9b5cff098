"""Gradient steps of many models at once in plain numpy, each example by itself."""

import numpy as np
from oracles import networks
from oracles.worlds import Step
from scipy.special import expit, softmax

from certaudit.run import Run


def moved(run: Run, step: Step, models: np.ndarray) -> np.ndarray:
    """w - eta grad F(w) for each of the (m, parameters) models."""
    return models - float(step.size) * gradient(run, step, models)


def projected(run: Run, models: np.ndarray) -> np.ndarray:
    """The nearest models of the ball of the run's projection."""
    if run.projection is None:
        return models
    radius = float(run.projection)
    norms = np.linalg.norm(models, axis=1, keepdims=True)
    return np.where(norms > radius, models * (radius / np.maximum(norms, radius)), models)


def gradient(run: Run, step: Step, models: np.ndarray) -> np.ndarray:
    """The gradient of the step's objective at each model."""
    l2 = float(run.l2)
    each = examples(run, step.rows, models)
    if run.clip is None:
        return each.sum(axis=1) / step.divisor + l2 * models
    if run.clip.regularizer:
        return clipped(each + l2 * models[:, None, :], float(run.clip.norm)).sum(axis=1) / step.divisor
    return clipped(each, float(run.clip.norm)).sum(axis=1) / step.divisor + l2 * models


def clipped(each: np.ndarray, norm: float) -> np.ndarray:
    """Every example's gradient (m, rows, parameters), shortened to ``norm`` where longer."""
    return each * (norm / np.maximum(np.linalg.norm(each, axis=2, keepdims=True), norm))


def examples(run: Run, rows: tuple[int, ...], models: np.ndarray) -> np.ndarray:
    """Gradients of the losses of ``rows`` alone, (m, rows, parameters)."""
    X = np.asarray(run.X[list(rows)], dtype=float).reshape(len(rows), run.X.shape[1])
    y = np.asarray(run.y[list(rows)], dtype=float)
    if run.network is not None:
        return networks.examples(run, X, y, models)
    if run.loss == "softmax":
        matrices = models.reshape(len(models), -1, run.classes)
        slopes = softmax_slopes(np.einsum("rd,mdk->mrk", X, matrices), y)
        return np.einsum("rd,mrk->mrdk", X, slopes).reshape(
            *models.shape[:1], len(rows), models.shape[1]
        )
    return _slopes(run, models @ X.T, y)[:, :, None] * X


def softmax_slopes(margins: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Derivatives of log sum exp(u) - u_y in u, for margins (m, rows, classes)."""
    return softmax(margins, axis=2) - np.eye(margins.shape[2])[y.astype(int)]


def _slopes(run: Run, u: np.ndarray, y: np.ndarray) -> np.ndarray:
    if run.loss == "ridge":
        return u - y
    if run.loss == "huber":
        return np.clip(u - y, -float(run.threshold), float(run.threshold))
    return -y * expit(-y * u)
