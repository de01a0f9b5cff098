"""Eigenvectors of a symmetric matrix of balls: float ones, refined to any precision (Ogita, Aishima).

Eigenvalues that floats cannot tell apart keep their columns together until these are decoupled from
the others; then the small block they leave is solved in the same way, at its own scale.
"""

from __future__ import annotations

import math

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import NDArray

from certaudit.core.balls import identity, precision

MOST_ROUNDS = 9
SPARE = 40
FIRST_BITS = 88
NEAR = 2.0**-24

Floats = NDArray[np.float64]


def eigenvectors(matrix: arb_mat, bits: int, straight: int | None = None) -> arb_mat:
    """Exact columns that diagonalise ``matrix`` to about ``bits`` bits of its size, orthonormal to
    ``straight`` (None: as many); as near to that as it gets."""
    straight = straight or bits
    vectors, before = _diagonalising(matrix, bits), arb(1)
    with precision(straight + SPARE):
        one = identity(matrix.nrows())
        while True:
            gram = vectors.transpose() * vectors
            skew = _largest(gram - one)
            if skew <= arb(2) ** -straight or not 2 * skew < before:
                return vectors
            vectors, before = (vectors * (3 * one - gram) / 2).mid(), skew


def floats(matrix: arb_mat) -> Floats:
    """The nearest floats to the midpoints."""
    return np.array([[float(x.mid()) for x in row] for row in matrix.tolist()])


def scaled(matrix: arb_mat, factors: list[arb]) -> arb_mat:
    """The columns times the factors, exact."""
    rows = matrix.tolist()
    return arb_mat([[(x * y).mid() for x, y in zip(row, factors, strict=True)] for row in rows])


def _diagonalising(matrix: arb_mat, bits: int) -> arb_mat:
    d = matrix.nrows()
    with precision(bits + SPARE):
        top = _largest(matrix)
        if d < 2 or not top > 0:
            return identity(d)
        matrix = (matrix * (1 / top)).mid()
    values, first = np.linalg.eigh(floats(matrix))
    labels = np.concatenate([[0], np.cumsum(np.diff(values) > NEAR)])
    vectors = arb_mat(first.tolist())
    working, before = float(FIRST_BITS), 0.0
    for _ in range(MOST_ROUNDS):
        with precision(int(min(working, bits)) + SPARE):
            vectors, reached = _improved(matrix, vectors, labels)
        if (working >= bits and 2 * reached >= bits) or reached <= before:
            break
        before, working = reached, max(working, 4 * reached)
    with precision(bits + SPARE):
        for label in np.flatnonzero(np.bincount(labels) > 1):
            vectors = _split(matrix, vectors, np.flatnonzero(labels == label).tolist(), bits)
    return vectors


def _largest(matrix: arb_mat) -> arb:
    return max((abs(x).mid() for x in matrix.entries()), key=float, default=arb(0))


def _improved(matrix: arb_mat, vectors: arb_mat, labels: NDArray[np.int_]) -> tuple[arb_mat, float]:
    """V (I + E), and about how many bits V had: E decouples columns of different labels and corrects
    the lengths and angles of the others."""
    d = matrix.nrows()
    image = (matrix * vectors).mid()
    gram = (vectors.transpose() * vectors).mid().tolist()
    columns = zip(vectors.transpose().tolist(), image.transpose().tolist(), strict=True)
    values = [
        (sum((x * y for x, y in zip(*pair, strict=True)), arb(0)) / gram[k][k]).mid()
        for k, pair in enumerate(columns)
    ]
    rest = (image - scaled(vectors, values)).mid()
    off = (_short(vectors).transpose() * rest).mid().tolist()

    def entry(j: int, k: int) -> arb:
        if labels[j] == labels[k]:
            return ((int(j == k) - gram[j][k]) / 2).mid()
        return (off[j][k] / (values[k] - values[j])).mid()

    change = arb_mat([[entry(j, k) for k in range(d)] for j in range(d)])
    worst = max(float(abs(x)) for x in change.entries())
    return (vectors + vectors * change).mid(), -math.log2(max(worst, 1e-300))


def _short(matrix: arb_mat) -> arb_mat:
    """Rounded to half the working precision: enough for what multiplies a small residual."""
    with precision(ctx.prec // 2 + 10):
        return arb_mat([[(+x).mid() for x in row] for row in matrix.tolist()])


def _split(matrix: arb_mat, vectors: arb_mat, cluster: list[int], bits: int) -> arb_mat:
    """The columns of a cluster turned to diagonalise the block they leave, with the bits left for it."""
    rows = vectors.tolist()
    own = arb_mat([[row[k] for k in cluster] for row in rows])
    block = (own.transpose() * matrix * own).mid()
    block = (block + block.transpose()) / 2 - identity(len(cluster)) * block[0, 0]
    size = float(_largest(block))
    left = bits + math.frexp(size)[1] if size > 0 else 0
    if left < 2:
        return vectors
    turned = (own * _diagonalising(block, left)).mid().tolist()
    for row, part in zip(rows, turned, strict=True):
        for k, x in zip(cluster, part, strict=True):
            row[k] = x
    return arb_mat(rows)
