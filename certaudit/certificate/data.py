"""The data of a run in a file, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from certaudit.certificate.codec import Decoder
from certaudit.certificate.numbers import spell
from certaudit.certificate.strict import Malformed, canonical, listed, under

Content = dict[str, list[Any]]


@dataclass(frozen=True, eq=False)
class Data:
    """X (n, d) and y (n,): float64, or object arrays of Fraction where a number is no float64."""

    X: NDArray[Any]
    y: NDArray[Any]


def content(data: Data) -> Content:
    """``{"X": ..., "y": ...}`` with every number in its one spelling; raises NotExact."""
    return {
        "X": [[spell(x) for x in row] for row in data.X.tolist()],
        "y": [spell(x) for x in data.y.tolist()],
    }


def digest(of: Content) -> str:
    """SHA-256 of the data as canonical JSON."""
    return hashlib.sha256(canonical(of)).hexdigest()


def decode(decoder: Decoder, X: Any, y: Any, place: str) -> Data:
    """The data of a file, every row as long as the first; raises Malformed."""
    at = under(place, "X")
    rows = [
        [decoder.number(x, f"{at}[{j}][{k}]") for k, x in enumerate(listed(row, f"{at}[{j}]"))]
        for j, row in enumerate(listed(X, at))
    ]
    at_y = under(place, "y")
    targets = [decoder.number(x, f"{at_y}[{j}]") for j, x in enumerate(listed(y, at_y))]
    for j, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise Malformed(
                f"{at}[{j}]", f"must have {len(rows[0])} numbers as the first row, not {len(row)}"
            )
    if len(rows) != len(targets):
        raise Malformed(at_y, f"must have a number for each of the {len(rows)} rows, not {len(targets)}")
    shape = (len(rows), len(rows[0]) if rows else 0)
    return Data(_array([x for row in rows for x in row]).reshape(shape), _array(targets))


def _array(values: Iterable[Fraction]) -> NDArray[Any]:
    listed_values = list(values)
    if all(_is_binary64(x) for x in listed_values):
        return np.array([float(x) for x in listed_values], dtype=np.float64)
    found = np.empty(len(listed_values), dtype=object)
    found[:] = listed_values
    return found


def _is_binary64(x: Fraction) -> bool:
    try:
        return Fraction(float(x)) == x
    except OverflowError:
        return False
