"""What lines of a proof state; every field is given, nothing is granted by being absent."""

from __future__ import annotations

from dataclasses import dataclass

from gmpy2 import mpq

from .interval import Interval
from .matrix import Matrix
from .run import Batch

BOTH = ("P|Q", "Q|P")


@dataclass(frozen=True)
class Statement:
    """Something shown about one run."""


@dataclass(frozen=True)
class Curvature(Statement):
    """On the batch the objective is m-strongly convex and L-smooth; if not ``convex``, L is a Lipschitz
    constant of the clipped gradient and m the weight of the regularizer outside the clip."""

    batch: Batch
    m: Interval
    L: Interval
    convex: bool


@dataclass(frozen=True)
class Contraction(Statement):
    """One step of that size on the batch is c-Lipschitz, c one number."""

    batch: Batch
    size: mpq
    c: Interval


@dataclass(frozen=True)
class Sensitivity(Statement):
    """The two worlds' maps differ by at most the shifts, in order (steps, s), wherever an iterate of
    ``world`` (or ``any``) may be, but with probability ``delta``; ``last``: of the last steps alone."""

    world: str
    shifts: tuple[tuple[int, Interval], ...]
    last: int | None
    delta: Interval


@dataclass(frozen=True)
class Drift(Statement):
    """|phi_t(u) - phi'_t(v)| <= c |u - v| + s at all u, v: (steps, c, s) in order."""

    steps: tuple[tuple[int, Interval, Interval], ...]
    last: int | None


@dataclass(frozen=True)
class ResidualLaw(Statement):
    """Before each step up to the last that removes a row: (mean, variance) of each such row's residual."""

    world: str
    laws: tuple[tuple[tuple[Interval, Interval], ...], ...]


@dataclass(frozen=True)
class MarginLaw(Statement):
    """Likewise the noiseless margin, and in units of |x| the spread tau and the bias of the mean."""

    world: str
    laws: tuple[tuple[tuple[Interval, Interval, Interval], ...], ...]


@dataclass(frozen=True)
class Exceedance(Statement):
    """Step ``step`` (from 1) shifts by more than ``sensitivity`` with exactly this probability."""

    world: str
    step: int
    sensitivity: mpq
    probability: Interval


@dataclass(frozen=True)
class Divergence(Statement):
    """A bound in each of the directions for that observer; ``kind``: upper, exact or lower."""

    directions: tuple[str, ...]
    observer: str
    kind: str


@dataclass(frozen=True)
class GaussianDP(Divergence):
    """P(S) <= Phi(Phi^-1(Q(S)) + mu) + delta for every S."""

    mu: Interval
    delta: Interval


@dataclass(frozen=True)
class GaussianCover(Divergence):
    """delta(epsilon) <= delta_mu(epsilon) + delta at every epsilon >= 0."""

    mu: mpq
    delta: mpq


@dataclass(frozen=True)
class Renyi(Divergence):
    """D_order against r."""

    order: mpq
    r: Interval


@dataclass(frozen=True)
class HockeyStick(Divergence):
    """delta(epsilon) against delta."""

    epsilon: mpq
    delta: Interval


@dataclass(frozen=True)
class Gaussian:
    """A normal law: a row of means and a covariance."""

    mean: Matrix
    covariance: Matrix


@dataclass(frozen=True)
class Law(Statement):
    """The two worlds' released models are Gaussian."""

    p: Gaussian
    q: Gaussian

    def pair(self, direction: str) -> tuple[Gaussian, Gaussian]:
        """The first law and the one it is measured against."""
        return (self.p, self.q) if direction == "P|Q" else (self.q, self.p)


@dataclass(frozen=True)
class Pair(Statement):
    """N(nu, I + diag scales) and N(0, I) stand for the pair of laws, up to ``phi`` (C7b)."""

    direction: str
    scales: tuple[mpq, ...]
    nu: tuple[mpq, ...]
    phi: Interval
