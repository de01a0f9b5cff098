"""A diagonal stand-in for two Gaussian laws: whiten by the second, then diagonalise what is left."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_mat

from certaudit.core.balls import precision
from certaudit.core.diagonal import ordered
from certaudit.core.rule import Undecided
from certaudit.core.rules.c7b import Witness
from certaudit.core.statement import Direction, Law
from certaudit.search.e1 import exact
from certaudit.search.eigenvectors import eigenvectors, scaled

BITS = 160
SHAPE_BITS = 110
NUMBER_BITS = 200


@dataclass(frozen=True)
class Diagonal:
    """V, l and nu of the direction P|Q or Q|P, unrounded: tiny numbers are not yet set to 0."""

    direction: Direction
    vectors: arb_mat
    l: tuple[arb, ...]
    nu: tuple[arb, ...]

    def mirrored(self) -> Diagonal:
        """The other direction: the same vectors, scaled."""
        roots = [1 / (1 + x).sqrt() for x in self.l]
        return Diagonal(
            "Q|P" if self.direction == "P|Q" else "P|Q",
            scaled(self.vectors, roots),
            tuple((-x / (1 + x)).mid() for x in self.l),
            tuple((-x * root).mid() for x, root in zip(self.nu, roots, strict=True)),
        )

    def witness(self, least: float) -> Witness:
        """Exact numbers; l and nu below ``least`` times the largest of them become 0."""
        floor = least * max((abs(x) for x in (*self.l, *self.nu)), key=float, default=arb(0))

        def rounded(x: arb) -> Fraction:
            return exact(+x) if abs(x) > floor else Fraction(0)

        with precision(NUMBER_BITS):
            rows = tuple(tuple(exact(+x) for x in row) for row in self.vectors.tolist())
            return Witness(
                self.direction, rows, tuple(map(rounded, self.l)), tuple(map(rounded, self.nu))
            )


def diagonal(law: Law, direction: Direction, bits: int = BITS, shape: int = SHAPE_BITS) -> Diagonal:
    """Columns V with V^T S_second V near I to about ``bits`` bits, and V^T S_first V near I + diag l to
    about ``shape`` bits of the largest l.

    Raises Undecided where a covariance is not positive definite as far as can be seen.
    """
    gap, first, second = ordered(law, direction)
    with precision(bits + 64):
        turn = eigenvectors(second, bits)
        whitener = scaled(turn, [1 / root for root in _roots(turn, second)])
        excess = whitener.transpose() * (first - second).mid() * whitener
        vectors = (whitener * eigenvectors(excess, shape, bits)).mid()
        vectors = scaled(vectors, [1 / root for root in _roots(vectors, second)])
        l = _forms(vectors, (first - second).mid())
        if not all(1 + x > 0 for x in l):
            raise Undecided("C7b", "a covariance is not positive definite, or nearly not")
        nu = (vectors.transpose() * gap).mid().entries()
    return Diagonal(direction, vectors, tuple(l), tuple(nu))


def _roots(vectors: arb_mat, matrix: arb_mat) -> list[arb]:
    forms = _forms(vectors, matrix.mid())
    if not all(x > 0 for x in forms):
        raise Undecided("C7b", "a covariance is not positive definite, or nearly not")
    return [x.sqrt().mid() for x in forms]


def _forms(vectors: arb_mat, matrix: arb_mat) -> list[arb]:
    """The diagonal of V^T M V."""
    columns = zip(vectors.transpose().tolist(), (matrix * vectors).transpose().tolist(), strict=True)
    return [sum((x * y for x, y in zip(*pair, strict=True)), arb(0)).mid() for pair in columns]
