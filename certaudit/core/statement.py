"""What can be proved about a run: one frozen class for each kind of statement.

Every field is required, so nothing is granted by being left out.  Only the rules in ``core/rules``
make statements; ``tests/layers`` shows that nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from flint import arb

from certaudit.run import Batch, World

Direction = Literal["P|Q", "Q|P"]
Observer = Literal["final", "before-and-after", "every-step"]
Exactness = Literal["exact", "upper", "lower"]
Column = tuple[arb, ...]
Matrix = tuple[tuple[arb, ...], ...]


@dataclass(frozen=True)
class Statement:
    """Something proved about one run."""


@dataclass(frozen=True)
class Curvature(Statement):
    """On the rows of ``batch`` the objective is m-strongly convex and L-smooth.

    ``convex`` is False where a clip takes convexity: then L is a Lipschitz constant of the clipped
    gradient alone and m the weight of the regularizer outside the clip.
    """

    batch: Batch
    m: arb
    L: arb
    convex: bool


@dataclass(frozen=True)
class Contraction(Statement):
    """One gradient step on ``batch`` with ``step_size`` is c-Lipschitz, c exact and rounded up."""

    batch: Batch
    step_size: Fraction
    c: Fraction


@dataclass(frozen=True)
class Sensitivity(Statement):
    """The maps of step t in the two worlds differ by at most s_t, all at once but with probability
    ``delta``, wherever the iterate of ``world`` may be (``any``: at every point).

    ``shifts``: (number of equal steps, s), in order, over the steps both worlds take; ``last``: None if
    these are all the steps from the first, else only that many last ones.
    """

    world: Literal["P", "Q", "any"]
    shifts: tuple[tuple[int, arb], ...]
    last: int | None
    delta: arb


@dataclass(frozen=True)
class Drift(Statement):
    """|phi_t(u) - phi'_t(v)| <= c_t |u - v| + s_t at every u, v, phi of P and phi' of Q.

    ``steps``: (number of equal steps, c, s); ``last`` as in :class:`Sensitivity`.
    """

    steps: tuple[tuple[int, arb, arb], ...]
    last: int | None


@dataclass(frozen=True)
class ResidualLaw(Statement):
    """Before step t the residual of each row it removes is N(mean, variance) in ``world``.

    One entry a step, up to the last that removes a row; in it one number for each removed row.
    """

    world: World
    means: tuple[Column, ...]
    variances: tuple[Column, ...]


@dataclass(frozen=True)
class MarginLaw(Statement):
    """Before step t the margin x.w of each row it removes deviates from its mean by more than
    |x| sqrt(2 tau^2 log(2/p)) with probability at most p, and its mean from ``margin`` by at most
    |x| ``bias``, in ``world``.  Shaped as :class:`ResidualLaw`.
    """

    world: World
    margins: tuple[Column, ...]
    spreads: tuple[Column, ...]
    biases: tuple[Column, ...]


@dataclass(frozen=True)
class Exceedance(Statement):
    """In ``world`` step ``step`` (from 1) shifts by more than ``sensitivity`` with exactly this
    probability."""

    world: World
    step: int
    sensitivity: Fraction
    probability: arb


@dataclass(frozen=True)
class GaussianDP(Statement):
    """P(S) <= Phi(Phi^-1(Q(S)) + mu) + delta for every event S, in each direction named."""

    mu: arb
    delta: arb
    directions: tuple[Direction, ...]
    observer: Observer


@dataclass(frozen=True)
class GaussianCover(Statement):
    """delta(epsilon) <= delta_mu(epsilon) + delta for every epsilon >= 0, in one direction.

    Both directions together are Gaussian DP (mu, delta)."""

    mu: Fraction
    delta: Fraction
    direction: Direction
    observer: Observer


@dataclass(frozen=True)
class Renyi(Statement):
    """D_order <= r (``upper``) or = r (``exact``), in each direction named."""

    order: Fraction
    r: arb
    directions: tuple[Direction, ...]
    observer: Observer
    exactness: Exactness


@dataclass(frozen=True)
class HockeyStick(Statement):
    """delta(epsilon) <= (``upper``), = (``exact``) or >= (``lower``) ``delta``, in each direction."""

    epsilon: Fraction
    delta: arb
    directions: tuple[Direction, ...]
    observer: Observer
    exactness: Exactness


@dataclass(frozen=True)
class Law(Statement):
    """The released models of the two worlds are Gaussian with these means and covariances."""

    mean_p: Column
    covariance_p: Matrix
    mean_q: Column
    covariance_q: Matrix


@dataclass(frozen=True)
class Pair(Statement):
    """P' = N(nu, I + diag l) and Q' = N(0, I) stand in for the two laws of ``direction`` (first given
    second), up to an exact change of coordinates and the closeness ``phi``.

    All of l and nu are exact.  ``phi`` bounds the whitened deviation of both laws; see rule C7b.
    """

    direction: Direction
    l: Column
    nu: Column
    phi: arb
