"""The run a certificate is about: learning, deletion requests, unlearning, and the reference law Q.

One step is w <- Proj(w - eta gradient + noise) with the gradient of
(1/N) sum loss(x_j.w, y_j) + (l2/2)|w|^2 over the step's batch without the rows removed so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice, pairwise
from math import prod
from typing import Any, TypeVar

from gmpy2 import mpq

from .document import choice, count, items, number, numbers, record, text, truth
from .refusal import Refused, need, spend

MOST_PARAMETERS = 10**6
MOST_REQUESTS = 1_000


@dataclass(frozen=True)
class Batch:
    """The rows of one gradient: ``members`` (None: all) without those ``removed``, which are members."""

    members: tuple[int, ...] | None
    removed: frozenset[int]

    @cached_property
    def _hash(self) -> int:
        return hash((self.members, self.removed))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Step:
    """One step's map and noise."""

    size: mpq
    noise: mpq
    batch: Batch


@dataclass(frozen=True)
class Phase:
    """``steps`` steps that take ``batches`` in turn, all rows if there are none."""

    steps: int
    size: mpq
    noise: mpq
    batches: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Segment:
    """``steps`` steps that go round a ``cycle``."""

    steps: int
    cycle: tuple[Step, ...]

    def schedule(self) -> Iterator[tuple[int, Step]]:
        """(number of equal steps, step), in order."""
        if len(self.cycle) == 1:
            if self.steps:
                yield self.steps, self.cycle[0]
            return
        yield from ((1, step) for step in islice(cycle(self.cycle), self.steps))


@dataclass(frozen=True)
class Request:
    """Rows that leave, and what runs then."""

    rows: tuple[int, ...]
    unlearn: Phase


@dataclass(frozen=True)
class Reference:
    """What Q does, and its own noise where it has one."""

    kind: str
    steps: int
    unlearn: mpq | None
    output: mpq | None


@dataclass(frozen=True)
class Clip:
    """Each example's gradient is cut to ``norm``; ``inside``: that of the regularizer with it."""

    norm: mpq
    inside: bool


@dataclass(frozen=True)
class Data:
    """Rows and targets, exact."""

    rows: tuple[tuple[mpq, ...], ...]
    targets: tuple[mpq, ...]


@dataclass(frozen=True)
class Run:
    """A whole run; the fields are those of the file."""

    data: Data
    loss: str
    l2: mpq
    normalizer: str
    learn: Phase
    requests: tuple[Request, ...]
    mean: tuple[mpq, ...]
    variance: mpq
    projection: mpq | None
    clip: Clip | None
    reference: Reference
    release: str
    output: mpq
    threshold: mpq | None
    classes: int
    assumptions: tuple[str, ...]

    def after(self, requests: int) -> Run:
        """The run that stops after so many requests."""
        return replace(self, requests=self.requests[:requests])

    def program(self, world: str) -> list[tuple[Phase, frozenset[int]]]:
        """What world P or Q does, phase after phase, and the rows that are gone by then."""
        served = [frozenset[int]()]
        for request in self.requests:
            spend((len(served[-1]) + len(request.rows)) / 4)
            served.append(served[-1] | set(request.rows))
        phases = [request.unlearn for request in self.requests]
        if world == "P":
            return list(zip([self.learn, *phases], served, strict=True))
        learn = replace(self.learn, steps=self.reference.steps)
        noise = self.reference.unlearn
        if self.reference.kind == "retrained":
            phases = []
        elif noise is not None:
            phases = [replace(phase, noise=noise) for phase in phases]
        return [(phase, served[-1]) for phase in (learn, *phases)]

    def output_noise(self, world: str) -> mpq:
        """Variance of the noise on the released model."""
        other = self.reference.output
        return self.output if world == "P" or other is None else other

    def rows(self, batch: Batch) -> list[int]:
        """The rows a batch sums over."""
        members = range(len(self.data.rows)) if batch.members is None else batch.members
        spend(len(members) / 10)
        return [j for j in members if j not in batch.removed]

    def divisor(self, batch: Batch) -> int:
        """N of the objective on that batch."""
        members = len(self.data.rows) if batch.members is None else len(batch.members)
        left = max(members - len(batch.removed), 1)
        return {"fixed": members, "current": left, "sum": 1}[self.normalizer]


T = TypeVar("T")


def optional(value: Any, read: Callable[[Any], T]) -> T | None:
    """None for null."""
    return None if value is None else read(value)


def positive(value: Any) -> mpq:
    """A number above 0."""
    found = number(value)
    need(found > 0, "expected a number above 0")
    return found


def at_least_0(value: Any) -> mpq:
    """A number of 0 or more."""
    found = number(value)
    need(found >= 0, "expected a number of 0 or more")
    return found


def read_rows(value: Any, total: int) -> tuple[int, ...]:
    """Different row numbers."""
    found = tuple(count(row, total - 1) for row in items(value))
    need(len(set(found)) == len(found), "a row twice in one list")
    return found


def read_batch(value: Any, run: Run) -> Batch:
    """A batch of a witness; the rows removed in the order of the members."""
    members, removed = record(value, "members", "removed")
    total = len(run.data.rows)
    listed = optional(members, lambda rows: read_rows(rows, total))
    gone = read_rows(removed, total)
    batch = Batch(listed, frozenset(gone))
    spend((total if listed is None else len(listed)) / 5)
    ordered = (j for j in (range(total) if listed is None else listed) if j in batch.removed)
    need(tuple(ordered) == gone, "removed rows that are no members, or not in their order")
    return batch


def _phase(value: Any, total: int) -> Phase:
    steps, size, noise, batches = record(value, "steps", "step_size", "noise_variance", "batches")
    listed = tuple(read_rows(rows, total) for rows in items(batches))
    need(all(listed), "an empty batch")
    return Phase(count(steps), positive(size), at_least_0(noise), listed)


def _request(value: Any, total: int) -> Request:
    rows, unlearn = record(value, "rows", "unlearn")
    found = read_rows(rows, total)
    need(len(found) > 0, "a request without rows")
    return Request(found, _phase(unlearn, total))


def _clip(value: Any) -> Clip:
    norm, inside = record(value, "norm", "regularizer")
    return Clip(positive(norm), truth(inside))


def _reference(value: Any) -> Reference:
    kind, steps, unlearn, output = record(value, "kind", "steps", "unlearn_variance", "output_variance")
    return Reference(
        choice(kind, "unlearn-retrained", "retrained"),
        count(steps),
        optional(unlearn, at_least_0),
        optional(output, at_least_0),
    )


def _parameters(network: Any, features: int, classes: int) -> int:
    if network is None:
        return features * classes
    kind, widths, activation, image, kernel = record(
        network, "kind", "widths", "activation", "image", "kernel"
    )
    choice(activation, "tanh", "relu")
    units = [count(width, MOST_PARAMETERS, 1) for width in items(widths)]
    need(len(units) > 0, "a network without layers")
    if choice(kind, "mlp", "cnn") == "mlp":
        need(image is None and count(kernel) == 0, "an image in a multilayer perceptron")
        layers = [features, *units, classes]
        return sum((before + 1) * after for before, after in pairwise(layers))
    side, sides = (
        count(kernel, MOST_PARAMETERS, 1),
        [count(length, MOST_PARAMETERS, 1) for length in items(image, 2)],
    )
    need(len(sides) == 2 and prod(sides) == features, "an image of another size than the rows")
    channels = [1, *units]
    found = sum((before * side**2 + 1) * after for before, after in pairwise(channels))
    left = [length - len(units) * (side - 1) for length in sides]
    need(min(left) > 0, "an image smaller than its windows")
    return found + (channels[-1] * prod(left) + 1) * classes


def _check_labels(run: Run) -> None:
    if run.loss == "logistic":
        need(
            all(abs(y) == 1 for y in run.data.targets),
            "a label of the logistic loss other than -1 and 1",
        )
    if run.loss in ("softmax", "network"):
        lawful = all(y.denominator == 1 and 0 <= y < run.classes for y in run.data.targets)
        need(lawful, "a label other than 0 to classes - 1")


def read_run(value: Any, data: Data) -> Run:
    """The run of a file, with every premise its parts need."""
    names = "loss l2 normalizer learn requests start projection clip reference release output_variance"
    parts = record(value, *names.split(), "threshold", "classes", "network", "assumptions")
    loss, l2, normalizer, learn, requests, start, projection, clip, reference, release, output = parts[
        :11
    ]
    threshold, classes, network, assumptions = parts[11:]
    mean, variance = record(start, "mean", "variance")
    total, kinds = len(data.rows), count(classes, MOST_PARAMETERS, 1)
    run = Run(
        data,
        choice(loss, "ridge", "logistic", "huber", "softmax", "network"),
        at_least_0(l2),
        choice(normalizer, "fixed", "current", "sum"),
        _phase(learn, total),
        tuple(_request(request, total) for request in items(requests, MOST_REQUESTS)),
        tuple(numbers(mean, _parameters(network, len(data.rows[0]), kinds))),
        at_least_0(variance),
        optional(projection, positive),
        optional(clip, _clip),
        _reference(reference),
        choice(release, "final", "before-and-after", "every-step"),
        at_least_0(output),
        optional(threshold, positive),
        kinds,
        tuple(map(text, items(assumptions))),
    )
    pair = run.release == "before-and-after"
    need(not pair or run.reference.kind != "retrained", "the reference has no model before unlearning")
    gone = [row for request in run.requests for row in request.rows]
    need(len(gone) > 0, "no request removes a row")
    need(len(set(gone)) == len(gone), "a row removed twice")
    need((run.threshold is not None) == (run.loss == "huber"), "a threshold goes with the Huber loss")
    need((network is not None) == (run.loss == "network"), "a network goes with the network loss")
    need((kinds > 1) == (run.loss in ("softmax", "network")), "classes, 2 or more, go with softmax")
    _check_labels(run)
    return run


def read_data(table: Any, targets: Any) -> Data:
    """Rows of one length, and a target for each."""
    rows = tuple(tuple(numbers(row)) for row in items(table))
    if not (rows and rows[0] and len({len(row) for row in rows}) == 1):
        raise Refused("rows of no or of different lengths")
    return Data(rows, tuple(numbers(targets, len(rows))))
