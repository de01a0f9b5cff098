"""The step of a quadratic loss."""

from __future__ import annotations

import sympy as sp

from certaudit.core.affine import STEP_DRIFT, STEP_MATRIX, X, count, eta, lam, one, y
from certaudit.lemmas.lemma import Lemma, Obligation
from certaudit.lemmas.terms import right

h, n, ridge = sp.symbols("eta N lambda", positive=True)
ROWS = sp.Matrix(3, 2, sp.symbols("x_1:7", real=True))
TARGETS, POINT = (sp.Matrix(sp.symbols(names, real=True)) for names in ("y_1:4", "w_1:3"))
VALUES = {X: ROWS, y: TARGETS, one: sp.eye(2), eta: h, count: n, lam: ridge}


def _difference() -> sp.Matrix:
    """w - eta grad F(w), F written out and differentiated, minus (A w + b)."""
    residuals = ROWS * POINT - TARGETS
    objective = residuals.dot(residuals) / (2 * n) + ridge * POINT.dot(POINT) / 2
    gradient = sp.Matrix([sp.diff(objective, entry) for entry in POINT])
    return POINT - h * gradient - (right(STEP_MATRIX, VALUES) * POINT + right(STEP_DRIFT, VALUES))


RIDGE_STEP = Lemma(
    "ridge-step",
    "With F(w) = (1/N) sum (x_j.w - y_j)^2/2 + lambda |w|^2/2 the step w - eta grad F(w) is A w + b.",
    (STEP_MATRIX, STEP_DRIFT),
    (Obligation("differentiated in 2 dimensions with 3 rows", _difference),),
)

LEMMAS = (RIDGE_STEP,)
