"""The run under audit: plain exact data, the meeting point of both halves.

``spec`` and ``data`` produce a :class:`Run`; the kernel, the search around it and the shadow
models consume it.  Nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from numpy.typing import NDArray

Loss = Literal["ridge", "logistic"]
Normalizer = Literal["fixed", "current", "sum"]


@dataclass(frozen=True)
class Phase:
    """``steps`` noisy gradient steps.

    ``step_size`` is eta; ``noise_variance`` is the exact *square* of the standard deviation
    added to every coordinate in one step (a square keeps every noise convention rational).
    """

    steps: int
    step_size: Fraction
    noise_variance: Fraction


@dataclass(frozen=True)
class Start:
    """Law of w_0: N(mean, variance I); ``variance`` 0 is a point.  ``mean`` has length d."""

    mean: tuple[Fraction, ...]
    variance: Fraction


@dataclass(frozen=True)
class Clip:
    """Per-example gradients clipped to ``norm``; ``regularizer`` says the l2 term is inside."""

    norm: Fraction
    regularizer: bool


@dataclass(frozen=True)
class Reference:
    """The law a deleted model is compared with.

    ``unlearn-retrained``: learn and unlearn phases, both without the forgotten points.
    ``retrained``: the learn phase alone, without the forgotten points, for ``steps`` steps.
    """

    kind: Literal["unlearn-retrained", "retrained"]
    steps: int


@dataclass(frozen=True)
class Run:
    """One learn/unlearn run, exact.

    X: (n, d) and y: (n,), float64 numbers taken as exact (object arrays of Fraction also do).
    Objective: (1/N) sum_j loss(x_j.w, y_j) + (l2/2)|w|^2; ridge loss (u-y)^2/2, logistic loss
    log(1 + exp(-y u)) with y in {-1, +1}.  N is n (``fixed``), the number of rows in the sum
    (``current``) or 1 (``sum``).  One step: w <- Proj(w - eta grad + noise); ``projection`` is the
    radius of the ball about 0.  ``forget`` holds row indices of X, sorted and distinct.
    ``release`` says what an observer sees: the final model or every iterate.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    loss: Loss
    l2: Fraction
    normalizer: Normalizer
    learn: Phase
    unlearn: Phase
    start: Start
    projection: Fraction | None
    clip: Clip | None
    forget: tuple[int, ...]
    reference: Reference
    release: Literal["final", "every-step"]
    assumptions: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    @property
    def kept(self) -> tuple[int, ...]:
        """Row indices of D', the data without the forgotten points."""
        gone = set(self.forget)
        return tuple(j for j in range(self.n) if j not in gone)
