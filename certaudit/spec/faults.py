"""What is wrong between a valid spec and its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from certaudit.data.number import NumberError, parse_number
from certaudit.data.table import Floats, Table
from certaudit.data.words import shown
from certaudit.errors import Diagnostic
from certaudit.losses import LOSSES
from certaudit.losses.loss import any_number
from certaudit.spec.document import Place
from certaudit.spec.load import LoadedSpec
from certaudit.spec.model import CyclicBatches, GaussianStart, PointStart, Spec
from certaudit.spec.subjects import Subject

MOST_PARAMETERS = 200_000


def forget_faults(loaded: LoadedSpec, n: int, subjects: Sequence[Sequence[Subject]]) -> list[Diagnostic]:
    """Forgotten rows outside the n rows, or none left; ``subjects``, of each request, have rows too."""
    rows = list(_forgotten(loaded.spec))
    problems = [loaded.problem(_outside(row, n), *place) for place, row in rows if row >= n]
    count = len(rows) + sum(len(one.rows) for request in subjects for one in request)
    if not problems and count == n:
        problems.append(loaded.problem(f"all {n} rows are forgotten: no data remain", "forget"))
    return problems


def _forgotten(spec: Spec) -> Iterator[tuple[Place, int]]:
    for s, stage in enumerate(spec.stages):
        place: Place = ("forget",) if spec.unlearn is not None else ("forget", s, "rows")
        yield from (((*place, k), row) for k, row in enumerate(stage.rows or ()))


def batch_faults(loaded: LoadedSpec, n: int) -> list[Diagnostic]:
    """Orders that are no permutation of the n rows (the spec has no row twice)."""
    return [
        loaded.problem(message, *place)
        for phase, batches in _batches(loaded.spec)
        if isinstance(batches, CyclicBatches) and batches.cyclic.order is not None
        for place, message in _order_faults(
            batches.cyclic.order, n, (*phase, "batches", "cyclic", "order")
        )
    ]


def _batches(spec: Spec) -> Iterator[tuple[Place, object]]:
    yield ("learn",), spec.learn.batches
    for s, stage in enumerate(spec.stages):
        yield (
            ("unlearn",) if spec.unlearn is not None else ("forget", s, "unlearn"),
            stage.unlearn.batches,
        )


def _order_faults(order: tuple[int, ...], n: int, place: Place) -> Iterator[tuple[Place, str]]:
    if len(order) != n:
        yield place, f"lists {len(order)} rows, the data have {n}: every row must stand in it once"
    yield from (((*place, k), _outside(row, n)) for k, row in enumerate(order) if row >= n)


def _outside(row: int, n: int) -> str:
    return f"row {row} is outside the data, which has {n} rows (0 to {n - 1})"


def image_faults(loaded: LoadedSpec, d: int) -> list[Diagnostic]:
    """An image that has not one pixel for every feature."""
    network = loaded.spec.model.network
    if network is None or network.cnn is None:
        return []
    rows, columns = network.cnn.image
    if rows * columns == d:
        return []
    message = f"{rows} x {columns} pixels, the data have {d} features"
    return [loaded.problem(message, "model", "network", "cnn", "image")]


def size_faults(loaded: LoadedSpec, parameters: int) -> list[Diagnostic]:
    """A network too large for thousands of shadow models."""
    if loaded.spec.model.network is None or parameters <= MOST_PARAMETERS:
        return []
    message = f"has {parameters} parameters, at most {MOST_PARAMETERS} are supported"
    return [loaded.problem(message, "model", "network")]


def start_faults(loaded: LoadedSpec, d: int, parameters: int) -> list[Diagnostic]:
    """A start that has not one number for every parameter of a model of d features."""
    start = loaded.spec.learn.start
    place: Place
    if isinstance(start, PointStart):
        point, place = start.point, ("learn", "start", "point")
    elif isinstance(start, GaussianStart) and isinstance(start.gaussian.mean, tuple):
        point, place = start.gaussian.mean, ("learn", "start", "gaussian", "mean")
    else:
        return []
    classes = loaded.spec.model.classes
    if len(point) == parameters:
        return []
    plural = "" if len(point) == 1 else "s"
    shape = f"{d} features" if classes is None else f"{d} features x {classes} classes"
    if loaded.spec.model.network is not None:
        shape = "of its network"
    message = f"has {len(point)} number{plural}, the model has {parameters} parameters ({shape})"
    return [loaded.problem(message, *place)]


def sign_faults(loaded: LoadedSpec, y: Floats) -> list[Diagnostic]:
    """Labels y (n,), after preprocessing, that a loss of a margin cannot take."""
    loss = LOSSES[loaded.spec.model.loss]
    if not loss.margin or loss.label_allowed is any_number:
        return []
    strange = [j for j, label in enumerate(y.tolist()) if not loss.label_allowed(Fraction(label), 1)]
    if not strange:
        return []
    message = (
        f"{loss.name} loss needs labels {loss.labels}, row {strange[0]} has {y[strange[0]]:g}: "
        "name the label that becomes +1 with `positive`"
    )
    return [loaded.problem(message, "data", "positive")]


def class_faults(loaded: LoadedSpec, table: Table) -> list[Diagnostic]:
    """Labels, before preprocessing, that the softmax loss cannot take."""
    classes = loaded.spec.model.classes
    if classes is None:
        return []
    if table.labels is not None:
        row = next((j for j, label in enumerate(table.labels) if not _is_number(label)), 0)
        found = f"the text {shown(table.labels[row])!r}"
    else:
        y = table.y
        strange = np.flatnonzero((y != np.floor(y)) | (y < 0) | (y >= classes))
        if not len(strange):
            return []
        row = int(strange[0])
        found = repr(float(y[row])).removesuffix(".0")
    message = f"softmax loss needs whole labels 0 to {classes - 1}, row {row} has {found}"
    return [loaded.problem(message, "model", "classes")]


def _is_number(text: str) -> bool:
    try:
        return parse_number(text.strip()) is not None
    except NumberError:
        return False
