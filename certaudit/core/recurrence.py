"""Iterates of x <- A x + b as exact midpoints with one bound on the error's norm.

The error is Euclidean (for a matrix: Frobenius).  A step whose map is c-Lipschitz multiplies it by at
most c; what rounding the midpoint drops is added.  S3, S4, R4 and E1 share it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_mat

from certaudit.core.balls import norm_bound


@dataclass(frozen=True)
class Carried:
    """Everything within ``error`` of the exact matrix ``middle``, in the norm of its entries."""

    middle: arb_mat
    error: arb

    @classmethod
    def of(cls, value: arb_mat, error: arb | int = 0) -> Carried:
        """``value``, a matrix of balls, known up to ``error``: its midpoint, and the radii added."""
        radii = norm_bound(entry.rad() for entry in value.entries())
        return cls(value.mid(), (arb(error) + radii).abs_upper())

    def moved(self, image: arb_mat, factor: arb) -> Carried:
        """After a step that is ``factor``-Lipschitz; ``image`` encloses its value at ``middle``."""
        return Carried.of(image, factor * self.error)

    def inner(self, x: arb_mat, length: arb) -> arb:
        """x.v for the column v carried; ``length`` bounds |x|."""
        value = (x.transpose() * self.middle)[0, 0]
        return value + length * self.error * arb(0, 1)
