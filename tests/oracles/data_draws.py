"""Random rows and labels: plain, unit, tiny, huge, zero and equal rows."""

import numpy as np
from oracles.dice import Dice


def rows_and_labels(
    dice: Dice, loss: str, n: int, d: int, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d) and labels y (n,) that the loss can take."""
    return _rows(dice, n, d), _labels(dice, loss, n, classes)


def _rows(dice: Dice, n: int, d: int) -> np.ndarray:
    X = dice.rng.normal(size=(n, d))
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    X = dice.of(X, X, X / norms, X / np.maximum(norms, 1), 1e-3 * X)
    k = dice.whole(0, n - 1)
    if dice.chance(0.12):
        X[k] = 0
    elif dice.chance(0.12):
        X[k] *= dice.of(10, 30, 1e-4)
    elif dice.chance(0.1):
        X[k] = X[dice.whole(0, n - 1)]
    return np.round(X, dice.of(2, 6, 17))


def _labels(dice: Dice, loss: str, n: int, classes: int) -> np.ndarray:
    if loss == "logistic":
        return dice.rng.choice([-1.0, 1.0], size=n)
    if loss in ("softmax", "network"):
        return dice.rng.integers(classes, size=n).astype(float)
    y = dice.of(0, 0.1, 1, 1, 1, 10) * dice.rng.normal(size=n)
    return np.round(y, dice.of(2, 6))
