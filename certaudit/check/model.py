"""The run of a derivation file, read strictly, and the steps its two worlds take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from certaudit.check.document import Rejected, choice, exact, listed, natural, show, table

MOST_STRETCHES = 10**5

Rows = tuple[int, ...]
Batch = tuple[Rows | None, Rows]
"""Member rows (None: all) and the members removed."""


@dataclass(frozen=True)
class Phase:
    """Steps with one step size and noise variance; ``batches`` in turn (none: all rows)."""

    steps: int
    step_size: Fraction
    variance: Fraction
    batches: tuple[Rows, ...]


@dataclass(frozen=True)
class Stretch:
    """``count`` steps that both worlds take alike, P on the batch ``p``, Q on ``q``."""

    count: int
    step_size: Fraction
    variance: Fraction
    p: Batch
    q: Batch

    def batch(self, world: str) -> Batch:
        """The batch of one world."""
        return self.p if world == "P" else self.q


@dataclass(frozen=True)
class Run:
    """A run: the fields of the file's ``run``, exact (see the spec), without the data."""

    loss: str
    l2: Fraction
    normalizer: str
    learn: Phase
    requests: tuple[tuple[Rows, Phase], ...]
    start: tuple[Fraction, ...]
    start_variance: Fraction
    projection: Fraction | None
    clip: Fraction | None
    clip_regularizer: bool
    reference: str
    reference_steps: int
    unlearn_variance: Fraction | None
    reference_output: Fraction
    release: str
    output: Fraction
    threshold: Fraction | None
    classes: int
    network: int | None
    n: int
    d: int

    def after(self, requests: int) -> Run:
        """The run that stops after so many requests."""
        return replace(self, requests=self.requests[:requests])

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return self.d * self.classes if self.network is None else self.network

    @property
    def convex(self) -> bool:
        """Whether the clip, if any, leaves the loss convex."""
        return self.clip is None or not (self.clip_regularizer or self.loss == "softmax")

    def rows(self, batch: Batch) -> Rows:
        """Rows a batch sums over."""
        members, gone = batch
        return tuple(j for j in (range(self.n) if members is None else members) if j not in gone)

    def size(self, batch: Batch) -> int:
        """N of the objective on a batch."""
        members, gone = batch
        total = self.n if members is None else len(members)
        left = max(total - len(gone), 1)
        return {"fixed": total, "current": left, "sum": 1}[self.normalizer]

    def world(self, name: str) -> list[tuple[Phase, tuple[Batch, ...]]]:
        """The phases of a world, each with its cycle of batches."""
        gone = [
            tuple(sorted(row for rows, _ in self.requests[:k] for row in rows))
            for k in range(len(self.requests) + 1)
        ]
        phases = [self.learn, *(phase for _, phase in self.requests)]
        if name == "Q":
            gone = [gone[-1]] * len(phases)
            phases[0] = replace(self.learn, steps=self.reference_steps)
            if self.unlearn_variance is not None:
                phases[1:] = [replace(phase, variance=self.unlearn_variance) for phase in phases[1:]]
            if self.reference == "retrained":
                phases = phases[:1]
        return [
            (phase, tuple(map(_without(removed), phase.batches or (None,))))
            for phase, removed in zip(phases, gone, strict=False)
        ]

    def steps(self, name: str) -> list[tuple[int, Fraction, Fraction, Batch]]:
        """(count, step size, variance, batch) of a world, equal steps of one phase together."""
        return list(self._steps(name))

    def _steps(self, name: str) -> Iterator[tuple[int, Fraction, Fraction, Batch]]:
        made = 0
        for phase, cycle in self.world(name):
            if len(set(cycle)) == 1 and phase.steps:
                yield phase.steps, phase.step_size, phase.variance, cycle[0]
            elif len(set(cycle)) > 1:
                made += phase.steps
                if made > MOST_STRETCHES:
                    raise Rejected("run", "the map changes too often to be followed")
                for t in range(phase.steps):
                    yield 1, phase.step_size, phase.variance, cycle[t % len(cycle)]

    @cached_property
    def batches(self) -> set[Batch]:
        """Every batch of either world."""
        return {batch for name in "PQ" for _, cycle in self.world(name) for batch in cycle}

    @cached_property
    def shared(self) -> tuple[Stretch, ...]:
        """The steps from the first on that both worlds take alike but for the removed rows."""
        return tuple(_side_by_side(self.steps("P"), self.steps("Q")))

    @cached_property
    def removing(self) -> tuple[Stretch, ...]:
        """The shared steps up to the last whose batch differs."""
        last = max((k for k, one in enumerate(self.shared, 1) if one.p != one.q), default=0)
        return self.shared[:last]

    @property
    def coupled(self) -> tuple[Stretch, ...]:
        """The shared steps, if they are all steps of both worlds and the output noise is one."""
        if self.output != self.reference_output:
            raise Rejected("", "the output noise of the reference is another")
        count = sum(one.count for one in self.shared)
        if any(count != sum(one[0] for one in self.steps(name)) for name in "PQ"):
            raise Rejected("", "the two worlds take other steps, or other noise")
        return self.shared

    def last(self, count: int) -> tuple[Stretch, ...]:
        """The last ``count`` steps, taken alike after at least one projected step of each world."""
        ends = [self.steps(name)[::-1] for name in "PQ"]
        if self.projection is None or any(sum(one[0] for one in end) <= count for end in ends):
            raise Rejected("", "no projection before the restart")
        found: list[Stretch] = []
        for one in _side_by_side(*ends):
            taken = sum(each.count for each in found)
            if taken < count:
                found.append(replace(one, count=min(one.count, count - taken)))
        if sum(one.count for one in found) != count:
            raise Rejected("", "the last steps of the two worlds differ")
        return tuple(found[::-1])

    def removed(self, one: Stretch) -> Rows:
        """Rows P's batch holds and Q's does not."""
        kept = set(self.rows(one.q))
        return tuple(j for j in self.rows(one.p) if j not in kept)


def _without(removed: Rows) -> Any:
    def batch(members: Rows | None) -> Batch:
        if members is None:
            return None, removed
        return members, tuple(j for j in members if j in set(removed))

    return batch


def _side_by_side(p: list[Any], q: list[Any]) -> Iterator[Stretch]:
    i = j = used_p = used_q = 0
    while i < len(p) and j < len(q) and _alike(p[i], q[j]):
        count = min(p[i][0] - used_p, q[j][0] - used_q)
        yield Stretch(count, p[i][1], p[i][2], p[i][3], q[j][3])
        used_p, used_q = used_p + count, used_q + count
        if used_p == p[i][0]:
            i, used_p = i + 1, 0
        if used_q == q[j][0]:
            j, used_q = j + 1, 0


def _alike(p: Any, q: Any) -> bool:
    """One step size, noise and batch, but for rows removed in Q alone."""
    (p_members, p_removed), (q_members, q_removed) = p[3], q[3]
    alike: bool = p[1:3] == q[1:3] and p_members == q_members
    return alike and set(p_removed) <= set(q_removed)


def run_of(data: Any, n: int, d: int) -> Run:
    """The run in a file with ``n`` rows of ``d`` features.  Raises Rejected at the first bad field."""
    at = "run"
    f = table(
        data,
        at,
        (
            *("loss", "l2", "normalizer", "learn", "requests", "start", "projection", "clip"),
            *("reference", "release", "output_variance", "threshold", "classes", "network"),
            *("assumptions", "X", "y"),
        ),
    )
    loss = choice(f["loss"], f"{at}.loss", ("ridge", "logistic", "huber", "softmax", "network"))
    several = loss in ("softmax", "network")
    classes = natural(f["classes"], f"{at}.classes", 2 if several else 1)
    if not several and classes != 1:
        raise Rejected(f"{at}.classes", f"{classes} for the loss {loss}")
    network = None if loss != "network" else _network(f["network"], d, classes, f"{at}.network")
    if loss != "network" and f["network"] is not None:
        raise Rejected(f"{at}.network", f"a network for the loss {loss}")
    parameters = d * classes if network is None else network
    if (f["threshold"] is not None) != (loss == "huber"):
        raise Rejected(f"{at}.threshold", "a threshold belongs to the huber loss alone")
    start = table(f["start"], f"{at}.start", ("mean", "variance"))
    mean = tuple(exact(x, f"{at}.start.mean") for x in listed(start["mean"], f"{at}.start.mean"))
    if len(mean) != parameters:
        raise Rejected(f"{at}.start.mean", f"{len(mean)} numbers for {parameters} parameters")
    clip = f["clip"]
    if clip is not None:
        table(clip, f"{at}.clip", ("norm", "regularizer"))
        choice(clip["regularizer"], f"{at}.clip.regularizer", (True, False))
    other = table(
        f["reference"], f"{at}.reference", ("kind", "steps", "unlearn_variance", "output_variance")
    )
    requests = tuple(
        _request(one, n, f"{at}.requests[{k}]")
        for k, one in enumerate(listed(f["requests"], f"{at}.requests"))
    )
    gone = [row for rows, _ in requests for row in rows]
    if len(set(gone)) != len(gone) or not gone:
        raise Rejected(f"{at}.requests", "no rows removed, or one twice")
    for text in listed(f["assumptions"], f"{at}.assumptions"):
        if not isinstance(text, str):
            raise Rejected(f"{at}.assumptions", f"{show(text)} is no text")
    output = _nonnegative(f["output_variance"], f"{at}.output_variance")
    unlearn, own_output = other["unlearn_variance"], other["output_variance"]
    return Run(
        loss=loss,
        l2=_nonnegative(f["l2"], f"{at}.l2"),
        normalizer=choice(f["normalizer"], f"{at}.normalizer", ("fixed", "current", "sum")),
        learn=_phase(f["learn"], n, f"{at}.learn"),
        requests=requests,
        start=mean,
        start_variance=_nonnegative(start["variance"], f"{at}.start.variance"),
        projection=_optional(f["projection"], f"{at}.projection"),
        clip=None if clip is None else _positive(clip["norm"], f"{at}.clip.norm"),
        clip_regularizer=clip is not None and clip["regularizer"],
        reference=choice(other["kind"], f"{at}.reference.kind", ("unlearn-retrained", "retrained")),
        reference_steps=natural(other["steps"], f"{at}.reference.steps"),
        unlearn_variance=None
        if unlearn is None
        else _nonnegative(unlearn, f"{at}.reference.unlearn_variance"),
        reference_output=output
        if own_output is None
        else _nonnegative(own_output, f"{at}.reference.output_variance"),
        release=choice(f["release"], f"{at}.release", ("final", "every-step")),
        output=output,
        threshold=_optional(f["threshold"], f"{at}.threshold"),
        classes=classes,
        network=network,
        n=n,
        d=d,
    )


def _network(data: Any, d: int, classes: int, at: str) -> int:
    """How many parameters a network has: units times (inputs + 1), layer by layer."""
    table(data, at, ("kind", "widths", "activation", "image", "kernel"))
    choice(data["activation"], f"{at}.activation", ("tanh", "relu"))
    widths = [natural(one, f"{at}.widths", 1) for one in listed(data["widths"], f"{at}.widths")]
    if choice(data["kind"], f"{at}.kind", ("mlp", "cnn")) == "mlp":
        if data["image"] is not None or data["kernel"] != 0:
            raise Rejected(at, "an image or a kernel without convolutions")
        inputs = [d, *widths]
        return sum(u * (v + 1) for u, v in zip([*widths, classes], inputs, strict=True))
    rows, columns = (natural(one, f"{at}.image", 1) for one in listed(data["image"], f"{at}.image"))
    kernel = natural(data["kernel"], f"{at}.kernel", 1)
    left = [side - (kernel - 1) * len(widths) for side in (rows, columns)]
    if rows * columns != d or min(left) < 1:
        raise Rejected(at, "the image does not fit the rows, or the convolutions the image")
    total = sum(u * (v * kernel**2 + 1) for u, v in zip(widths, [1, *widths], strict=False))
    return total + classes * ((widths or [1])[-1] * left[0] * left[1] + 1)


def _request(data: Any, n: int, at: str) -> tuple[Rows, Phase]:
    table(data, at, ("rows", "unlearn"))
    return _rows(data["rows"], n, f"{at}.rows"), _phase(data["unlearn"], n, f"{at}.unlearn")


def _phase(data: Any, n: int, at: str) -> Phase:
    table(data, at, ("steps", "step_size", "noise_variance", "batches"))
    batches = listed(data["batches"], f"{at}.batches")
    return Phase(
        natural(data["steps"], f"{at}.steps"),
        _positive(data["step_size"], f"{at}.step_size"),
        _nonnegative(data["noise_variance"], f"{at}.noise_variance"),
        tuple(_rows(one, n, f"{at}.batches[{k}]") for k, one in enumerate(batches)),
    )


def _rows(data: Any, n: int, at: str) -> Rows:
    rows = tuple(natural(row, at) for row in listed(data, at))
    if not rows or len(set(rows)) != len(rows) or max(rows) >= n:
        raise Rejected(at, f"rows must be distinct, below {n}, and at least one")
    return rows


def _nonnegative(value: Any, at: str) -> Fraction:
    number = exact(value, at)
    if number < 0:
        raise Rejected(at, f"{show(value)} is negative")
    return number


def _positive(value: Any, at: str) -> Fraction:
    number = exact(value, at)
    if number <= 0:
        raise Rejected(at, f"{show(value)} is not positive")
    return number


def _optional(value: Any, at: str) -> Fraction | None:
    return None if value is None else _positive(value, at)
