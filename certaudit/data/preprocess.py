"""Preprocessing that gives the same float64 numbers on every platform.

Sums are correctly rounded (``math.fsum``), everything else is elementwise IEEE arithmetic; no
BLAS and no pairwise reduction, whose order of summation depends on the machine.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np

from certaudit.data.errors import DataError
from certaudit.data.number import NumberError, parse_number
from certaudit.data.table import Floats, Table
from certaudit.data.words import shown

_STEP_DOWN = 1.0 - 2.0**-53
_SPLIT = 134217729.0  # 2^27 + 1, Veltkamp's constant
_SMALL = 2.0**-450  # squares of numbers above it split without underflow


def preprocess(
    table: Table,
    *,
    columns: Literal["none", "standard"] = "none",
    rows: Literal["none", "unit", "clip"] = "none",
    target: Literal["none", "unit"] = "none",
    positive: Fraction | str | None = None,
) -> tuple[Floats, Floats]:
    """Return X (n, d) and y (n,): the columns treated first, then the rows, then the target.

    Raises:
        DataError: for a constant target under ``unit``, a ``positive`` label that no row has,
            or text labels without ``positive``.
    """
    X = standard_columns(table.X) if columns == "standard" else table.X
    if rows == "unit":
        X = unit_rows(X)
    elif rows == "clip":
        X = clip_rows(X)
    if positive is not None:
        return X, signs(table, positive)
    if table.labels is not None:
        raise DataError("the target is text: name the label that becomes +1 with `positive`")
    return X, unit_target(table.y) if target == "unit" else table.y


def standard_columns(X: Floats) -> Floats:
    """Return X (n, d) with every column centred and scaled to (population) variance 1.

    Constant columns become zero.
    """
    out = np.zeros_like(X)
    for k in range(X.shape[1]):
        centred = _centred(X[:, k])
        if centred.any():
            variance = math.fsum((centred * centred).tolist()) / len(centred)
            out[:, k] = centred / math.sqrt(variance)
    return out


def unit_target(y: Floats) -> Floats:
    """Return y (n,) centred, with largest magnitude 1.

    Raises:
        DataError: if y is constant.
    """
    centred = _centred(y)
    if not centred.any():
        raise DataError("the target is constant: nothing is left after centring", "target")
    return np.asarray(centred / np.max(np.abs(centred)))


def signs(table: Table, positive: Fraction | str) -> Floats:
    """Return (n,) labels: +1 where the target equals ``positive``, -1 elsewhere.

    Numbers are compared as numbers, however they are written.

    Raises:
        DataError: if no row has the label.
    """
    wanted = _label(positive) if isinstance(positive, str) else positive
    if table.labels is not None:
        hits = np.array([_label(label) == wanted for label in table.labels])
        names = sorted(set(table.labels))
    else:
        hits = table.y == _float(wanted)
        names = [f"{value:g}" for value in np.unique(table.y)[:6]]
    if not hits.any():
        few = ", ".join(shown(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
        raise DataError(f"no row has that label; there are: {few}", "positive")
    return np.where(hits, 1.0, -1.0)


def unit_rows(X: Floats) -> Floats:
    """Return X (n, d) with rows of exact norm in [1 - 2^-48, 1]; zero rows stay zero."""
    scaled = _scaled(X, axis=1)
    out = scaled.copy()
    for j, square in enumerate(_square_norms(scaled)):
        if square:
            out[j] = scaled[j] / math.sqrt(square)
    while (over := _norm_above_one(out)).any():
        out[over] *= _STEP_DOWN
    return out


def clip_rows(X: Floats) -> Floats:
    """Return X (n, d) with the rows of norm above 1 scaled as in ``unit_rows``."""
    long = np.abs(X).max(axis=1) > 1.0
    long[~long] = _norm_above_one(X[~long])
    out = X.copy()
    out[long] = unit_rows(X[long])
    return out


def _scaled(values: Floats, axis: int) -> Floats:
    """Scale by a power of two, exactly, to a largest magnitude in [1/2, 1)."""
    exponents = np.frexp(np.max(np.abs(values), axis=axis, keepdims=True))[1]
    return np.asarray(np.ldexp(values, -exponents))


def _centred(values: Floats) -> Floats:
    """Centre (n,) numbers, up to a power of two; constant ones give exact zeros."""
    if values.min() == values.max():
        return np.zeros_like(values)
    scaled = _scaled(values, axis=0)
    return np.asarray(scaled - math.fsum(scaled.tolist()) / len(scaled))


def _squares(X: Floats) -> Floats:
    """Return (n, 2d) numbers whose sum along a row is its exact squared norm (Dekker).

    Exact for magnitudes between ``_SMALL`` and 1, and 0.
    """
    high = X * X
    carry = X * _SPLIT
    a = carry - (carry - X)
    b = X - a
    low = ((a * a - high) + 2.0 * a * b) + b * b
    return np.concatenate([high, low], axis=1)


def _square_norms(X: Floats) -> list[float]:
    return [math.fsum(row) for row in _squares(X).tolist()]


def _norm_above_one(X: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say for every row, |entries| <= about 1, whether its exact norm exceeds 1."""
    over = np.array([math.fsum([-1.0, *row]) > 0.0 for row in _squares(X).tolist()], dtype=bool)
    for j in np.flatnonzero(((X != 0.0) & (np.abs(X) < _SMALL)).any(axis=1)):
        over[j] = sum(Fraction(x) ** 2 for x in X[j].tolist()) > 1
    return over


def _label(text: str) -> Fraction | str:
    try:
        number = parse_number(text.strip())
    except NumberError:
        return text
    return text if number is None else number


def _float(wanted: Fraction | str) -> float:
    try:
        return float(wanted) if isinstance(wanted, Fraction) else math.nan
    except OverflowError:
        return math.nan
