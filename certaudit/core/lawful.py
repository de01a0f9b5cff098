"""What a run and a claim must be for rules to speak of them: rows that exist, sensible numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain

from certaudit.claims.claim import Claim
from certaudit.run import Phase, Run

Fault = tuple[str, str]

MOST_PARAMETERS = 10**6


def run_faults(run: Run) -> Iterator[Fault]:
    """What is wrong with a run: where in it, and what."""
    if run.n < 1 or run.d < 1:
        yield "", "must have at least one row and one column"
        return
    if run.release == "before-and-after" and run.reference.kind == "retrained":
        yield "reference.kind", "has no model before unlearning for release before-and-after"
    yield from _numbers(run)
    for place, phase in _phases(run):
        yield from _phase(run, place, phase)
    yield from _requests(run)
    yield from _model(run)


def claim_faults(claim: Claim) -> Iterator[Fault]:
    """What is wrong with a claim: which field, and what."""
    for name, value in vars(claim).items():
        least = 1 if isinstance(value, int) else 0
        if isinstance(value, int | Fraction) and (value <= 1 if name == "order" else value < least):
            yield name, f"{value} has no meaning"
    if not claim.cases() or len(set(claim.cases())) != len(claim.cases()):
        yield "directions", "must name at least one direction, each once"


def _numbers(run: Run) -> Iterator[Fault]:
    reference = run.reference
    yield from _not_negative(
        ("l2", run.l2),
        ("start.variance", run.start.variance),
        ("output_variance", run.output_variance),
        ("reference.unlearn_variance", reference.unlearn_variance),
        ("reference.output_variance", reference.output_variance),
        ("reference.steps", Fraction(reference.steps)),
    )
    norm = None if run.clip is None else run.clip.norm
    for place, value in (
        ("projection", run.projection),
        ("clip.norm", norm),
        ("threshold", run.threshold),
    ):
        if value is not None and value <= 0:
            yield place, "must be above 0"


def _phases(run: Run) -> Iterator[tuple[str, Phase]]:
    yield "learn", run.learn
    yield from ((f"requests[{k}].unlearn", one.unlearn) for k, one in enumerate(run.requests))


def _phase(run: Run, place: str, phase: Phase) -> Iterator[Fault]:
    yield from _not_negative(
        (f"{place}.steps", Fraction(phase.steps)), (f"{place}.noise_variance", phase.noise_variance)
    )
    if phase.step_size <= 0:
        yield f"{place}.step_size", "must be above 0"
    for k, batch in enumerate(phase.batches):
        if not batch:
            yield f"{place}.batches[{k}]", "must not be empty"
        yield from _rows(run, f"{place}.batches[{k}]", batch)


def _requests(run: Run) -> Iterator[Fault]:
    if not run.requests:
        yield "requests", "must not be empty"
    for k, request in enumerate(run.requests):
        yield from _rows(run, f"requests[{k}].rows", request.rows)
    removed = list(chain.from_iterable(request.rows for request in run.requests))
    if len(set(removed)) != len(removed):
        yield "requests", "must remove a row once only"


def _model(run: Run) -> Iterator[Fault]:
    several = run.loss in ("softmax", "network")
    if run.classes < 2 if several else run.classes != 1:
        yield "classes", f"{run.classes} has no meaning for {run.loss} loss"
    if (run.threshold is not None) != (run.loss == "huber"):
        yield "threshold", "belongs to the huber loss, and to it alone"
    if (run.network is not None) != (run.loss == "network"):
        yield "network", "belongs to the loss of a network, and to it alone"
    elif run.network is not None:
        yield from _network(run)
    if max(run.d, run.classes) > MOST_PARAMETERS or run.parameters > MOST_PARAMETERS:
        yield "start.mean", f"more than {MOST_PARAMETERS} parameters"
    elif len(run.start.mean) != run.parameters:
        yield "start.mean", f"must have {run.parameters} numbers, one for each parameter"


def _network(run: Run) -> Iterator[Fault]:
    network = run.network
    assert network is not None
    if any(width < 1 for width in network.widths) or not network.widths:
        yield "network.widths", "must be counts above 0"
    if (network.image is not None) != (network.kind == "cnn"):
        yield "network.image", "belongs to a cnn, and to it alone"
    elif network.image is not None:
        rows, columns = network.image
        lost = len(network.widths) * (network.kernel - 1)
        if network.kernel < 1 or rows * columns != run.d or min(rows, columns) - lost < 1:
            yield "network.image", "must fit the columns, and the convolutions the image"
    elif network.kernel != 0:
        yield "network.kernel", "must be 0 without an image"


def _rows(run: Run, place: str, rows: Sequence[int]) -> Iterator[Fault]:
    if len(set(rows)) != len(rows) or not all(0 <= row < run.n for row in rows):
        yield place, f"must be rows from 0 to {run.n - 1}, each once"


def _not_negative(*named: tuple[str, Fraction | None]) -> Iterator[Fault]:
    for place, value in named:
        if value is not None and value < 0:
            yield place, "must not be negative"
