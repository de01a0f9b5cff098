"""Bases for powers of each phase's map: eigenvectors of the batch's X^T X."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, arb_mat

from certaudit.core.balls import precision
from certaudit.core.data import design
from certaudit.core.rules.e1 import Base, Witness
from certaudit.run import WORLDS, Batch, Run
from certaudit.search.eigenvectors import eigenvectors

BITS = 176


def witness(run: Run, bits: int = BITS) -> Witness:
    """A base for every phase of some length that uses one batch."""
    batches: dict[Batch, int] = {}
    for world in WORLDS:
        for segment in run.program(world):
            used = set(segment.batches())
            if len(used) == 1:
                (batch,) = used
                batches[batch] = max(batches.get(batch, 0), segment.phase.steps)
    return Witness(tuple(base(run, batch, bits) for batch, steps in batches.items() if steps > 1))


def base(run: Run, batch: Batch, bits: int) -> Base:
    """Eigenvectors good to about ``bits`` bits."""
    with precision(bits + 64):
        x = design(run, batch)
        gram = (x.transpose() * x) if x.nrows() else arb_mat(run.d, run.d)
    return Base(batch, table(eigenvectors(gram, bits)))


def table(matrix: arb_mat) -> tuple[tuple[Fraction, ...], ...]:
    """The exact entries."""
    return tuple(tuple(map(exact, row)) for row in matrix.tolist())


def exact(x: arb) -> Fraction:
    """The midpoint; faster than :func:`certaudit.core.balls.fraction`, and without its checks."""
    mantissa, exponent = x.mid().man_exp()
    power = int(exponent)
    return Fraction(int(mantissa), 1 << -power) if power < 0 else Fraction(int(mantissa) << power)
