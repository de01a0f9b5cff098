"""A table of features and a target, and what every table must satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from certaudit.data.errors import DataError
from certaudit.data.subjects import Ids
from certaudit.data.words import shown

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """X: (n, d) float64; y: (n,) float64, zeros where the target is text.

    ``labels`` is None for a numeric target, else the n texts; ``sha256`` is the hexadecimal
    SHA-256 of the source's bytes (several files: one after the other).  ``ids`` says whose each row
    is, where the source has a column of ids, which is no feature; ``names`` are the d columns' names,
    none where the source has none.
    """

    X: Floats
    y: Floats
    labels: tuple[str, ...] | None = None
    sha256: str = ""
    ids: Ids | None = None
    names: tuple[str, ...] = ()


def check_table(
    X: Floats,
    y: Floats,
    names: Sequence[str] | None = None,
    target: str = "y",
    labels: tuple[str, ...] | None = None,
    ids: Ids | None = None,
) -> Table:
    """Return the table if it is usable: n >= 2, d >= 1 and every number finite.

    ``names`` are the d column names and ``target`` the target's, for messages.

    Raises:
        DataError: naming the first row and column at fault and how many more there are.
    """
    n, d = X.shape
    if n == 0 or d == 0:
        raise DataError(f"the data are empty: {n} rows of {d} feature columns")
    if n < 2:
        raise DataError("the data have a single row: deletion needs at least 2")
    for row, label in enumerate(labels or ()):
        if not label.strip():
            raise DataError(f"row {row}, target {shown(target)!r}: an empty label")
    bad = np.argwhere(~np.isfinite(np.column_stack([X, y])))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        value = X[row, column] if column < d else y[row]
        what = "not-a-number or a missing value" if np.isnan(value) else "infinity"
        if column == d:
            where = f"target {shown(target)!r}"
        else:
            where = f"column {shown(names[column])!r}" if names else f"column {column}"
        more = f" (and {len(bad) - 1} more such cells)" if len(bad) > 1 else ""
        raise DataError(f"row {row}, {where}: {what}{more}")
    return Table(X, y, labels, ids=ids, names=tuple(names or ()))
