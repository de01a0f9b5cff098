"""What the checker has computed again: numbers, statements, and the data and caches they come from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import mpmath
from mpmath import mpf

from certaudit.check.document import Rejected, exact, listed, show
from certaudit.check.fixed import BITS, ONE, Fixed, array, real
from certaudit.check.model import Batch, Rows, Run

DIGITS = 60
"""Decimal digits of ``mpf``; every operation is exact up to one unit in the last of them."""

RELATIVE = mpf(10) ** -40
"""Bound on the relative error of a number without its own: far more than the few thousand roundings
behind any of them, none of which cancels, can cost at DIGITS digits."""

DIRECTIONS = {"P": ["P|Q"], "Q": ["Q|P"], "any": ["P|Q", "Q|P"]}


class Approx(NamedTuple):
    """A number and a bound on its error."""

    value: mpf
    error: mpf


def ends(x: Any) -> tuple[mpf, mpf]:
    """Numbers certainly at or below, and at or above, the true one."""
    value, error = x if isinstance(x, Approx) else (mpf_of(x), abs(mpf_of(x)) * RELATIVE)
    return (value, value) if mpmath.isinf(value) or not error else (value - error, value + error)


def mpf_of(x: Any) -> mpf:
    """A number as mpf (an exact one is rounded)."""
    if isinstance(x, Approx):
        return x.value
    return mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpf(x)


def total(numbers: Iterable[Any]) -> mpf:
    """Sum."""
    return mpmath.fsum(numbers)


@dataclass(frozen=True)
class Known:
    """A statement as it must be: the parts of a step of the file.

    ``exact`` holds Fraction where the file has exact text; leaves of ``values`` are mpf or Approx.
    ``work`` is kept for later rules and is not stated.
    """

    exact: dict[str, Any]
    values: dict[str, Any]
    formulas: tuple[str, ...]
    premises: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    rule: str = ""
    kind: str = ""
    work: Any = field(default=None, compare=False)


class Data:
    """X and y of a file, and what is summed over rows of them."""

    def __init__(self, x: Any, y: Any) -> None:
        rows = [listed(row, f"run.X[{j}]") for j, row in enumerate(listed(x, "run.X"))]
        d = len(rows[0]) if rows else 0
        if not rows or not d or any(len(row) != d for row in rows):
            raise Rejected("run.X", "not a table")
        if len(listed(y, "run.y")) != len(rows):
            raise Rejected("run.y", "not one number a row")
        self.n, self.d = len(rows), d
        self.x = array((_number(v, f"run.X[{j}]") for j, r in enumerate(rows) for v in r), (self.n, d))
        self.labels = tuple(_number(v, f"run.y[{j}]") for j, v in enumerate(y))
        self.y = array(self.labels, (self.n,))
        self._cache: dict[Hashable, Any] = {}

    def _kept(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def _over(self, members: Rows | None, gone: Rows, right: str) -> Fixed:
        def product(rows: Rows | None) -> Fixed:
            take = slice(None) if rows is None else list(rows)
            x = Fixed(self.x.units[take], self.x.error)
            other = x if right == "x" else Fixed(self.y.units[take], self.y.error)
            return x.T @ other

        whole: Fixed = self._kept((right, members), lambda: product(members))
        return whole - product(gone) if gone else whole

    def gram(self, batch: Batch) -> Fixed:
        """X^T X over a batch."""
        result: Fixed = self._kept(("gram", batch), lambda: self._over(*batch, "x"))
        return result

    def moment(self, batch: Batch) -> Fixed:
        """X^T y over a batch."""
        return self._over(*batch, "y")

    def norm(self, j: int) -> mpf:
        """|x_j|."""
        row = self.x.units[j]
        return mpmath.sqrt(mpf(sum(int(v) * int(v) for v in row))) / ONE

    def label(self, j: int) -> mpf:
        """y_j."""
        return real(self.y.units[j])

    def kept(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """``compute()``, computed once for each key."""
        return self._kept(("", key), compute)


@dataclass(frozen=True)
class Stage:
    """A run that stops after some of the requests, with its data."""

    run: Run
    data: Data

    def norms(self, rows: Iterable[int]) -> list[mpf]:
        """|x_j| of several rows."""
        return [self.data.kept(("norm", j), partial(self.data.norm, j)) for j in rows]


def _number(value: Any, place: str) -> Fraction:
    if type(value) in (int, float):
        if abs(value) >= 2**200:
            raise Rejected(place, f"{show(value)} is out of range")
        return Fraction(value)
    number = exact(value, place)
    if abs(number) >= 2**200 or number.denominator >= 1 << BITS:
        raise Rejected(place, f"{show(value)} is out of range")
    return number
