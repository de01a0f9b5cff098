"""PyBrush 0.1.0 (https://pypi.org/project/pybrush, MIT licence), wrapped for an audit.

``pip install --no-deps pybrush==0.1.0`` is enough; the rest of what it needs certaudit has.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pybrush.unlearning.certified import CertifiedUnlearning
from pybrush.unlearning.exact import ExactUnlearning
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]


def learn(X: Floats, y: Floats, seed: int) -> Floats:
    """A logistic regression, as the package's examples train it; it draws nothing."""
    return _coefficients(LogisticRegression().fit(X, y))


def unlearn(parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int) -> Floats:
    """The package's "certified" unlearning; it draws from numpy's global generator.

    Of the forgotten rows it uses the shape alone, and it fails where there are none: then one row, any.
    """
    np.random.seed(seed)
    rows = forget or [0]
    return _coefficients(CertifiedUnlearning(_model(X, y)).unlearn(X[rows], y[rows]))


def unlearn_and_remove(parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int) -> Floats:
    """A control: the same on the rows that stay, so that the row is gone and the noise is as it was."""
    return unlearn(parameters, np.delete(X, forget, axis=0), np.delete(y, forget), [], seed)


def unlearn_exactly(parameters: Floats, X: Floats, y: Floats, forget: list[int], seed: int) -> Floats:
    """The package's exact unlearning, which retrains on what stays; it fails where no row leaves."""
    if not forget:
        return parameters
    return _coefficients(ExactUnlearning(_model(X, y), X, y).unlearn(X[forget], y[forget]))


def _model(X: Floats, y: Floats) -> Any:
    model = LogisticRegression().fit(X, y)
    model.X_train, model.y_train = X, y
    return model


def _coefficients(model: Any) -> Floats:
    return np.asarray(model.coef_[0], dtype=np.float64)
