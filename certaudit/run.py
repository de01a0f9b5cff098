"""The run under audit: plain exact data, the meeting point of both halves.

``spec`` and ``data`` produce a :class:`Run`; the kernel, the search around it and the shadow
models consume it.  Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Loss = Literal["ridge", "logistic", "huber", "softmax", "network"]
Normalizer = Literal["fixed", "current", "sum"]
World = Literal["P", "Q"]
WORLDS: tuple[World, ...] = ("P", "Q")


@dataclass(frozen=True)
class Phase:
    """``steps`` noisy gradient steps.

    ``step_size`` is eta; ``noise_variance`` is the exact *square* of the standard deviation
    added to every coordinate in one step (a square keeps every noise convention rational).
    ``batches`` are taken in turn, from the first at the phase's first step; each holds row indices
    of X.  Empty: every step sums all rows.
    """

    steps: int
    step_size: Fraction
    noise_variance: Fraction
    batches: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Request:
    """One deletion request: ``rows`` leave the data, then ``unlearn`` runs on what remains."""

    rows: tuple[int, ...]
    unlearn: Phase


@dataclass(frozen=True)
class Start:
    """Law of w_0: N(mean, variance I); ``variance`` 0 is a point.  ``mean`` has one number for every
    parameter."""

    mean: tuple[Fraction, ...]
    variance: Fraction


@dataclass(frozen=True)
class Clip:
    """Per-example gradients clipped to ``norm``; ``regularizer`` says the l2 term is inside."""

    norm: Fraction
    regularizer: bool


@dataclass(frozen=True)
class Network:
    """A small network whose outputs, one for every class, go into the softmax loss.

    ``mlp``: fully connected layers of ``widths`` units.  ``cnn``: convolutions of ``widths`` channels by
    ``kernel`` x ``kernel`` windows over a one-channel ``image`` (rows, columns), no padding.  Each is
    followed by ``activation``; a fully connected layer to the classes comes last.
    """

    kind: Literal["mlp", "cnn"]
    widths: tuple[int, ...]
    activation: Literal["tanh", "relu"]
    image: tuple[int, int] | None = None
    kernel: int = 0

    def shapes(self, features: int, classes: int) -> tuple[tuple[int, ...], ...]:
        """Shapes of the parameters in the order of torch's state dict: weight, bias, layer by layer."""
        found: list[tuple[int, ...]] = []
        if self.image is None:
            before = features
            for width in self.widths:
                found += [(width, before), (width,)]
                before = width
        else:
            channels, (rows, columns) = 1, self.image
            for width in self.widths:
                found += [(width, channels, self.kernel, self.kernel), (width,)]
                channels, rows, columns = width, rows - self.kernel + 1, columns - self.kernel + 1
            before = channels * rows * columns
        return (*found, (classes, before), (classes,))

    def parameters(self, features: int, classes: int) -> int:
        """Number of parameters."""
        return sum(prod(shape) for shape in self.shapes(features, classes))


@dataclass(frozen=True)
class Reference:
    """The law Q a deleted model is compared with.

    ``unlearn-retrained``: learning and every unlearning phase, all without the forgotten points.
    ``retrained``: the learning phase alone, without the forgotten points, for ``steps`` steps.
    ``unlearn_variance`` and ``output_variance`` replace the run's own noise variances of the
    unlearning phases and of the output (None: the same noise).
    """

    kind: Literal["unlearn-retrained", "retrained"]
    steps: int
    unlearn_variance: Fraction | None = None
    output_variance: Fraction | None = None


@dataclass(frozen=True)
class Batch:
    """The rows one gradient sums over: ``members`` (None: every row) without those ``removed``.

    ``removed`` lists removed members only, so a batch that the removal does not touch is equal
    in both worlds.
    """

    members: tuple[int, ...] | None
    removed: tuple[int, ...]


@dataclass(frozen=True)
class Steps:
    """``count`` consecutive steps of one world that share one map."""

    count: int
    step_size: Fraction
    noise_variance: Fraction
    batch: Batch


@dataclass(frozen=True)
class Segment:
    """``phase``, run on the data without the rows ``removed``."""

    phase: Phase
    removed: tuple[int, ...]

    def batches(self) -> tuple[Batch, ...]:
        """The batches of one cycle, in order."""
        gone = set(self.removed)
        return tuple(
            Batch(members, tuple(j for j in members if j in gone)) for members in self.phase.batches
        ) or (Batch(None, self.removed),)

    def schedule(self) -> Iterator[Steps]:
        """The steps in order, consecutive ones with the same map together."""
        batches, phase = self.batches(), self.phase
        if len(set(batches)) == 1:
            if phase.steps:
                yield Steps(phase.steps, phase.step_size, phase.noise_variance, batches[0])
            return
        for t in range(phase.steps):
            yield Steps(1, phase.step_size, phase.noise_variance, batches[t % len(batches)])


@dataclass(frozen=True)
class Run:
    """One learn/unlearn run, exact.

    X: (n, d) and y: (n,), finite float64 numbers taken as exact (object arrays of Fraction also do),
    copied and read-only.
    Objective: (1/N) sum_j loss(x_j.w, y_j) + (l2/2)|w|^2; ridge loss (u-y)^2/2; logistic loss
    log(1 + exp(-y u)) with y in {-1, +1}; huber loss: (u-y)^2/2 up to |u-y| = ``threshold``, linear
    beyond; softmax loss log sum_k exp(u_k) - u_y with y in 0..classes-1, u = W^T x and W (d, classes)
    flattened row by row; network loss: the same with u the outputs of ``network``.  N is the number
    of rows in the step's batch before any removal (``fixed``), after it (``current``), or 1 (``sum``).
    One step: w <- Proj(w - eta grad + noise); ``projection`` is the radius of the ball about 0.
    ``requests`` are served in order; ``output_variance`` is the variance of Gaussian noise added to
    every coordinate of the released model.  ``release`` says what an observer sees: the final model,
    the learned model and the final one, or every iterate.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    loss: Loss
    l2: Fraction
    normalizer: Normalizer
    learn: Phase
    requests: tuple[Request, ...]
    start: Start
    projection: Fraction | None
    clip: Clip | None
    reference: Reference
    release: Literal["final", "before-and-after", "every-step"]
    output_variance: Fraction = Fraction(0)
    threshold: Fraction | None = None
    classes: int = 1
    network: Network | None = None
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse data that are no finite numbers, and keep copies that cannot be written to."""
        for name in ("X", "y"):
            array = getattr(self, name)
            if not _finite(array):
                raise ValueError(f"{name} must hold finite numbers")
            object.__setattr__(self, name, _sealed(array))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    @property
    def parameters(self) -> int:
        """Number of parameters: d times the classes, or those of the network."""
        if self.network is None:
            return self.d * self.classes
        return self.network.parameters(self.d, self.classes)

    @property
    def forget(self) -> tuple[int, ...]:
        """Rows removed by all the requests together, sorted."""
        return tuple(sorted(row for request in self.requests for row in request.rows))

    @property
    def kept(self) -> tuple[int, ...]:
        """Row indices of D', the data without the forgotten points."""
        return self.rows(Batch(None, self.forget))

    def rows(self, batch: Batch) -> tuple[int, ...]:
        """Row indices that ``batch`` sums over."""
        gone = set(batch.removed)
        members = range(self.n) if batch.members is None else batch.members
        return tuple(j for j in members if j not in gone)

    def count(self, batch: Batch) -> int:
        """N of the objective on ``batch`` (1 where no row is left)."""
        total = self.n if batch.members is None else len(batch.members)
        left = max(total - len(batch.removed), 1)
        return {"fixed": total, "current": left, "sum": 1}[self.normalizer]

    def program(self, world: World) -> tuple[Segment, ...]:
        """What world P or Q does, phase after phase."""
        if world == "P":
            served = [
                tuple(sorted(row for request in self.requests[:k] for row in request.rows))
                for k in range(len(self.requests) + 1)
            ]
            phases = [self.learn, *(request.unlearn for request in self.requests)]
            return tuple(map(Segment, phases, served))
        learn = Segment(replace(self.learn, steps=self.reference.steps), self.forget)
        if self.reference.kind == "retrained":
            return (learn,)
        noise = self.reference.unlearn_variance
        return (
            learn,
            *(
                Segment(
                    request.unlearn if noise is None else replace(request.unlearn, noise_variance=noise),
                    self.forget,
                )
                for request in self.requests
            ),
        )

    def schedule(self, world: World) -> Iterator[Steps]:
        """Every step of a world in order, consecutive ones with the same map together."""
        for segment in self.program(world):
            yield from segment.schedule()

    def output_noise(self, world: World) -> Fraction:
        """Variance of the noise on the released model."""
        other = self.reference.output_variance
        return self.output_variance if world == "P" or other is None else other

    @property
    def shown(self) -> int:
        """Numbers an attacker of one release holds: the parameters, of both models before and after."""
        return self.parameters * (2 if self.release == "before-and-after" else 1)

    def after(self, requests: int) -> Run:
        """The run that stops after that many requests, its reference without their rows alone."""
        if requests == len(self.requests):
            return self
        return replace(self, requests=self.requests[:requests])


def _finite(array: NDArray[Any]) -> bool:
    if array.dtype == object:
        return all(
            isinstance(x, (int, Fraction)) or (isinstance(x, float) and isfinite(x)) for x in array.flat
        )
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    """The array as a read-only one: over bytes, which nobody can make writeable again, or, of objects, a
    view of a read-only copy."""
    if array.dtype == object:
        base = np.array(array, dtype=object)
        base.flags.writeable = False
        return base.view()
    if type(array) is np.ndarray and isinstance(array.base, bytes):
        return array
    return np.ndarray(array.shape, array.dtype, buffer=array.tobytes())
