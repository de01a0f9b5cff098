"""Two normal laws as N(nu, 1 + extra) against N(0, 1), coordinate by coordinate."""

from dataclasses import dataclass

import mpmath
import numpy as np
from oracles.gaussian_law import MP, Normal

RANK = MP.mpf(10) ** -32
SMALLEST = MP.mpf(10) ** -38


@dataclass(frozen=True)
class Pair:
    """P = prod N(nu_k, 1 + extra_k) and Q = prod N(0, 1); numbers of MP."""

    extra: tuple[mpmath.mpf, ...]
    nu: tuple[mpmath.mpf, ...]


def diagonal(p: Normal, q: Normal) -> Pair | None:
    """The pair in coordinates that make both covariances diagonal; None where P and Q are singular
    to each other."""
    gap = p.mean - q.mean
    sizes, axes = _eigen(p.covariance + q.covariance)
    top = max(sizes)
    kept = [k for k, size in enumerate(sizes) if top > 0 and size > RANK * top]
    scale = max([abs(g) for g in gap] + [top**0.5 if top > 0 else MP.mpf(0)])
    for k in range(len(sizes)):
        if k not in kept and abs(axes[:, k].dot(gap)) > RANK**0.5 * scale * MP.mpf("1e-9"):
            return None
    if not kept:
        return Pair((), ())
    basis = axes[:, kept] / np.array([MP.sqrt(sizes[k]) for k in kept], dtype=object)
    shares, turn = _eigen(basis.T.dot(q.covariance).dot(basis))
    if min(shares) < RANK or max(shares) > 1 - RANK:
        return None
    nu = turn.T.dot(basis.T.dot(gap))
    return Pair(
        tuple(_or_zero((1 - 2 * share) / share) for share in shares),
        tuple(_or_zero(x / MP.sqrt(share)) for x, share in zip(nu, shares, strict=True)),
    )


def _or_zero(x: mpmath.mpf) -> mpmath.mpf:
    return x if abs(x) > SMALLEST else MP.mpf(0)


def flipped(pair: Pair) -> Pair:
    """Q and P exchanged."""
    return Pair(
        tuple(-x / (1 + x) for x in pair.extra),
        tuple(-n / MP.sqrt(1 + x) for x, n in zip(pair.extra, pair.nu, strict=True)),
    )


def renyi(pair: Pair, order: mpmath.mpf) -> mpmath.mpf:
    """D_order(P | Q)."""
    s = order - 1
    if any(1 - x * s <= 0 for x in pair.extra):
        return MP.inf
    total = MP.mpf(0)
    for x, n in zip(pair.extra, pair.nu, strict=True):
        total -= (s * MP.log1p(x) + MP.log1p(-x * s)) / 2
        total += s * (s + 1) * n * n / (2 * (1 - x * s))
    return total / s


def _eigen(matrix: np.ndarray) -> tuple[list[mpmath.mpf], np.ndarray]:
    size = len(matrix)
    if size == 1:
        return [matrix[0, 0]], np.array([[MP.mpf(1)]], dtype=object)
    symmetric = (matrix + matrix.T) / 2
    values, vectors = MP.eigsy(MP.matrix(symmetric.tolist()))
    table = np.array([[vectors[i, j] for j in range(size)] for i in range(size)], dtype=object)
    return [values[k] for k in range(size)], table
